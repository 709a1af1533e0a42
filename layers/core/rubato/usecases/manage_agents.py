"""Register, list and retire agents, and see what they did."""

from rubato.domain import ids
from rubato.domain.access import Caller
from rubato.domain.agents import Agent
from rubato.domain.audit import Event
from rubato.domain.errors import Conflict, NotFound, WriteRaced
from rubato.domain.instant import to_iso
from rubato.ports import Page, World
from rubato.usecases.record_event import event_by


def register_agent(world: World, caller: Caller, name: str, owner: str) -> Agent:
    """A new agent of the caller's tenant. Raises Conflict when one that is not retired has the name."""
    now = world.clock.now()
    agent = Agent(
        agent_id=ids.agent_id(now, world.entropy.bytes(10)),
        tenant_id=caller.tenant_id,
        name=name,
        owner=owner,
        created_at=now,
    )
    world.agents.create(
        agent, event_by(world, caller, agent.agent_id, "registerAgent", after={"name": name, "owner": owner})
    )
    return agent


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

    Raises NotFound.
    """
    agent = find_agent(world, caller, agent_id)
    if agent.retired_at is not None:
        return
    event = event_by(world, caller, agent_id, "retireAgent", after={"retiredAt": to_iso(world.clock.now())})
    try:
        world.agents.retire(agent, event)
    except WriteRaced:
        # Nothing else changes an agent: somebody else retired it.
        return


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
