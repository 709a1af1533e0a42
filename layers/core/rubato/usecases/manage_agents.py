"""Register, list and retire agents, and see what they did."""

from rubato.domain import ids
from rubato.domain.access import Caller
from rubato.domain.agents import Agent, check_names
from rubato.domain.audit import Event
from rubato.domain.errors import Conflict, NotFound, WriteRaced
from rubato.domain.instant import to_iso
from rubato.ports import Page, World
from rubato.usecases.record_event import event_by
from rubato.usecases.replan import MAX_TRIES


def register_agent(world: World, caller: Caller, name: str, owner: str) -> Agent:
    """A new agent of the caller's tenant. Raises Invalid, and Conflict when one that is not retired has the name."""
    check_names(name, owner)
    now = world.clock.now()
    agent = Agent(
        agent_id=ids.agent_id(now, world.entropy.bytes(10)),
        tenant_id=caller.tenant_id,
        name=name,
        owner=owner,
        created_at=now,
    )
    event = event_by(world, caller, agent.agent_id, "registerAgent", after={"name": name, "owner": owner})
    for _ in range(MAX_TRIES):
        try:
            world.agents.create(agent, event)
        except WriteRaced:
            continue
        return agent
    raise _too_busy(f"the name {name!r}")


def find_agent(world: World, caller: Caller, agent_id: str) -> Agent:
    """The caller's agent, retired ones too; raises NotFound."""
    agent = world.agents.get(agent_id)
    if agent is None or agent.tenant_id != caller.tenant_id:
        raise NotFound("agent", agent_id)
    return agent


def list_agents(world: World, caller: Caller, limit: int, after: str | None) -> Page[Agent]:
    """Newest first, retired ones included while they are remembered."""
    return world.agents.list(caller.tenant_id, limit, after)


def retire_agent(world: World, caller: Caller, agent_id: str) -> None:
    """Every key of the agent opens nothing more, within the authorizer's cache time. Again: changes nothing.

    Raises NotFound, and Conflict under endless races.
    """
    for _ in range(MAX_TRIES):
        agent = find_agent(world, caller, agent_id)
        if agent.retired_at is not None:
            return None
        told = {"retiredAt": to_iso(world.clock.now())}
        try:
            return world.agents.retire(agent, event_by(world, caller, agent_id, "retireAgent", after=told))
        except WriteRaced:
            continue
    raise _too_busy(f"the agent {agent_id}")


def agent_named(world: World, caller: Caller, name: str, owner: str) -> Agent:
    """The agent of that name, registered now if there is none. Raises Conflict when it acts for another owner."""
    agent = world.agents.named(caller.tenant_id, name)
    if agent is None:
        return register_agent(world, caller, name, owner)
    if agent.owner != owner:
        raise Conflict(f"the agent {name!r} acts on behalf of {agent.owner!r}; choose another name, or retire it first")
    return agent


def list_agent_events(world: World, caller: Caller, agent_id: str, limit: int, after: str | None) -> Page[Event]:
    """What the agent changed, newest first, whichever of its keys did it. Raises NotFound."""
    return world.trail.of_agent(find_agent(world, caller, agent_id).agent_id, limit, after)


def _too_busy(what: str) -> Conflict:
    return Conflict(f"{what} is being changed by too many writers; try again", retry_after_s=1)
