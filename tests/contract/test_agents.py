"""What every store promises of registered agents and of budgets. Each test runs over memory and over DynamoDB."""

from typing import Any

import pytest

from rubato.domain.access import ALL_SCOPES, KEY_SCOPES, Door
from rubato.domain.agents import Agent
from rubato.domain.budget import Budget
from rubato.domain.errors import Conflict, WriteRaced
from rubato.domain.hints import ActorKind
from rubato.domain.instant import MINUTE
from rubato.usecases.authenticate import authenticate
from rubato.usecases.list_events import list_events
from rubato.usecases.manage_agents import agent_named, list_agent_events, list_agents, register_agent, retire_agent
from rubato.usecases.record_event import event_by
from rubato.usecases.steer_endpoint import reset_failures
from tests.worlds import ANNE, MALLORY, MIDNIGHT, a_job, a_key, an_endpoint

OWNER = 'Team "Käse", #1'


def scouts(world: Any, count: int) -> list[Agent]:
    found = []
    for number in range(count):
        world.clock.instant += MINUTE
        found.append(register_agent(world, ANNE, f"scout {number}", OWNER))
    return found


def test_an_agent_comes_back_as_it_was_stored_and_by_its_name(world: Any) -> None:
    agent = register_agent(world, ANNE, "scout#[1]", OWNER)
    assert world.agents.get(agent.agent_id) == world.agents.named("acme", "scout#[1]") == agent
    assert world.agents.get("agent_unknown") is None and world.agents.get("key_unknown") is None
    assert world.agents.named("acme", "scout") is None and world.agents.named("evil", "scout#[1]") is None


def test_agents_are_listed_by_tenant_newest_first_in_pages_and_never_among_the_keys(world: Any) -> None:
    agents = scouts(world, 3)
    register_agent(world, MALLORY, "scout 0", OWNER)
    key, _ = a_key(world)
    first = list_agents(world, ANNE, 2, None)
    second = list_agents(world, ANNE, 2, first.next)
    assert [*first.items, *second.items] == agents[::-1] and second.next is None
    assert world.keys.list("acme", 10, None).items == (key,)
    # Positions that nobody was given: forged, they show a part of one's own list, in order, and nothing else.
    shown = {"": (0, 0), "a": (0, 0), "agent_": (0, 0), "key_": (3, 0), "~": (3, 1), "\U0010ffff": (3, 1)}
    for odd, (seen, keys) in shown.items():
        assert list_agents(world, ANNE, 5, odd).items == tuple(agents[::-1][:seen])
        assert len(world.keys.list("acme", 5, odd).items) == keys


def test_a_name_is_taken_until_its_agent_is_retired(world: Any) -> None:
    first = register_agent(world, ANNE, "scout", OWNER)
    with pytest.raises(Conflict, match="there is an agent 'scout' already"):
        register_agent(world, ANNE, "scout", "somebody else")
    with pytest.raises(Conflict, match="acts on behalf of"):
        agent_named(world, ANNE, "scout", "somebody else")
    assert agent_named(world, ANNE, "scout", OWNER) == first
    retire_agent(world, ANNE, first.agent_id)
    assert world.agents.named("acme", "scout") is None
    second = agent_named(world, ANNE, "scout", "somebody else")
    assert second.agent_id != first.agent_id and world.agents.named("acme", "scout") == second
    assert [event.action for event in world.trail.of_subject(first.agent_id, 10, None).items] == [
        "retireAgent",
        "registerAgent",
    ]


@pytest.mark.parametrize("letter", ["ß", "漢", "😀", '"', "\\"])
def test_the_longest_names_fit(world: Any, letter: str) -> None:
    agent = register_agent(world, ANNE, letter * 100, letter * 100)
    assert world.agents.named("acme", letter * 100) == agent


def test_an_agent_is_retired_once(world: Any) -> None:
    agent = register_agent(world, ANNE, "scout", OWNER)
    world.agents.retire(agent, event_by(world, ANNE, agent.agent_id, "retireAgent"))
    world.clock.instant += MINUTE
    with pytest.raises(WriteRaced):
        world.agents.retire(agent, event_by(world, ANNE, agent.agent_id, "retireAgent"))
    assert world.agents.get(agent.agent_id).retired_at == MIDNIGHT


def test_a_retired_namesake_frees_no_name_of_another(world: Any) -> None:
    first = register_agent(world, ANNE, "scout", OWNER)
    retire_agent(world, ANNE, first.agent_id)
    register_agent(world, ANNE, "scout", OWNER)
    world.clock.instant += MINUTE
    with pytest.raises(WriteRaced):
        world.agents.retire(first, event_by(world, ANNE, first.agent_id, "retireAgent"))
    with pytest.raises(Conflict):
        register_agent(world, ANNE, "scout", OWNER)


def test_a_key_keeps_its_agent_and_its_budget(world: Any) -> None:
    agent, job = register_agent(world, ANNE, "scout", OWNER), a_job(world).job_id
    budget = Budget(changes_per_hour=3, job_ids=frozenset({job}), may_delete=False)
    key, token = a_key(
        world, kind=ActorKind.AGENT, scopes=ALL_SCOPES - KEY_SCOPES, agent_id=agent.agent_id, budget=budget
    )
    assert world.keys.get(key.key_id) == key
    caller = authenticate(world, {"x-api-key": token})
    assert (caller.budget, caller.delegation) == (budget, agent.delegation)


def test_events_of_an_agent_are_found_by_it_and_keep_its_owner_and_the_door(world: Any) -> None:
    agent, endpoint = register_agent(world, ANNE, "scout", OWNER), an_endpoint(world)
    _, token = a_key(world, kind=ActorKind.AGENT, agent_id=agent.agent_id)
    scout = authenticate(world, {"x-api-key": token})
    for _ in range(3):
        world.clock.instant += MINUTE
        reset_failures(world, scout, endpoint.id, reason=None)
    first = list_agent_events(world, ANNE, agent.agent_id, 2, None)
    second = list_agent_events(world, ANNE, agent.agent_id, 2, first.next)
    found = [*first.items, *second.items]
    assert found == list(list_events(world, ANNE, endpoint.id, limit=3, after=None).items) and second.next is None
    assert all(event.delegation == agent.delegation and event.door is None for event in found)
    made = world.trail.of_subject(agent.agent_id, 10, None).items[0]
    assert (made.delegation, made.door) == (None, ANNE.door)


def test_a_door_is_kept(world: Any) -> None:
    key, _ = a_key(world)
    assert world.trail.of_subject(key.key_id, 1, None).items[0].door is Door.CLI


def test_changes_are_counted_by_key_and_hour_up_to_the_limit(world: Any) -> None:
    taken = [world.usage.take_change("key_a", "2025-01-01T09", 3) for _ in range(5)]
    assert taken == [True, True, True, False, False]
    assert world.usage.take_change("key_b", "2025-01-01T09", 3) and world.usage.take_change("key_a", "2025-01-01T10", 3)
    assert world.usage.of("acme", "2025-01-01").runs_today == 0
