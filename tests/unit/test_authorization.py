"""Who may do what: drawn from the catalog, so that no new action can be forgotten. `pytest -s` prints the matrix.

Every action, by HTTP and as a tool, with every scope alone, with none and with all of them, in its own tenant and in
another one; and again with each kind of budget. What is refused leaves no trace in any store.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from rubato.domain.access import ALL_SCOPES, KEY_SCOPES, Caller, Scope, implied
from rubato.domain.budget import Budget
from rubato.domain.hints import ActorKind
from rubato.domain.instant import HOUR
from rubato.interface.action import Action
from rubato.interface.catalog import CATALOG
from tests.agents import Agent, text_of
from tests.scenes import Json, Scene, call_of
from tests.unit.clients import Client
from tests.worlds import ANNE, MALLORY, MemoryWorld

DOORS = ("http", "mcp")
TENANTS = ("acme", "evil")
HELD: dict[str, frozenset[Scope]] = {
    "none": frozenset(),
    **{scope.value: frozenset({scope}) for scope in Scope},
    "all": ALL_SCOPES,
}
BUDGETED = ALL_SCOPES - KEY_SCOPES
each_action = pytest.mark.parametrize("action", CATALOG, ids=lambda action: action.name)
each_door = pytest.mark.parametrize("door", DOORS)


def knock(world: MemoryWorld, caller: Caller, door: str, action: Action, ids: dict[str, str], **more: Any) -> Any:
    """Call the action as it succeeds for its owner; gives the HTTP status, and the whole answer as text."""
    named = {name: ids[name] for name in action.pattern.groupindex}
    body: Json = {**call_of(action, ids), **more}
    if door == "http":
        path = re.sub(r"\{(\w+)\}", lambda found: named[found[1]], action.path)
        if action.method in ("POST", "PUT", "PATCH"):
            answer = Client(world, caller)(action.method, path, body)
        else:
            answer = Client(world, caller)(action.method, path, query={key: str(value) for key, value in body.items()})
        return answer.status, answer.text
    result = Agent(world, caller).call(action.name, **named, **body)
    text = text_of(result)
    refused = re.search(r"\((\d{3}) \w+\)", text) if result["isError"] else None
    return (int(refused[1]) if refused else action.status), text


def trace(world: MemoryWorld) -> Any:
    """All that a call could have changed, without the keys that knocked."""
    stores = (world.jobs._jobs, world.endpoints._endpoints, world.agents._agents, world.rule_ledgers, world.idempotency)
    usage = world.usage._runs, world.usage._tokens, world.usage._over, world.usage.endpoints
    return repr((world.trail.events[-1], [vars(s) if hasattr(s, "__dict__") else s for s in stores], usage)), repr(
        (world.queue.waiting, world.vault.shelves, len(world.keys._keys), world.notifications)
    )


@cache
def standing() -> Scene:
    """One scene for all that changes nothing."""
    return Scene()


def holds(held: frozenset[Scope], action: Action) -> bool:
    return action.scope is None or action.scope in implied(held)


def cells() -> Iterator[tuple[Action, str, str, str]]:
    """The matrix: action, door, scopes held, tenant."""
    return ((a, door, held, tenant) for a in CATALOG for door in DOORS for held in HELD for tenant in TENANTS)


# ----------------------------------------------------------------------------------------- actions x scopes x tenants


@each_door
@each_action
def test_a_key_without_the_scope_is_refused_in_its_own_tenant_and_elsewhere(action: Action, door: str) -> None:
    scene = standing()
    for name, held in HELD.items():
        for tenant in TENANTS:
            if not holds(held, action):
                caller = scene.caller(tenant, scopes=held)
                before = trace(scene.world)
                status, text = knock(scene.world, caller, door, action, scene.ids)
                assert (status, trace(scene.world)) == (403, before), (name, tenant)
                assert action.scope is not None and action.scope.value in text


@each_door
@each_action
def test_a_key_with_the_scope_and_no_other_may_in_its_own_tenant(action: Action, door: str) -> None:
    for name, held in HELD.items():
        if holds(held, action):
            scene = Scene()
            status, text = knock(scene.world, scene.caller(scopes=held), door, action, scene.ids)
            assert status == action.status, (name, text)


@each_door
@each_action
def test_a_registered_agent_may_do_the_same_and_each_change_is_laid_at_its_door(action: Action, door: str) -> None:
    scene = Scene()
    agent_id = Client(scene.world, ANNE)("POST", "/agents", {"name": "spy", "owner": "Team Käse"}).body["agentId"]
    caller = scene.caller(kind=ActorKind.AGENT, agent_id=agent_id)
    before = len(scene.world.trail.events)
    more: Json = {"kind": "agent"} if action.name == "createApiKey" else {}
    status, text = knock(scene.world, caller, door, action, scene.ids, **more)
    assert status == action.status, text
    made = scene.world.trail.events[before:]
    assert bool(made) == (not action.read_only)
    for event in made:
        assert (event.actor.id, event.door) == (caller.key_id, door) and event.delegation == caller.delegation


@each_door
@each_action
def test_what_is_called_reading_changes_nothing(action: Action, door: str) -> None:
    if action.read_only:
        scene = standing()
        caller = scene.caller(scopes=ALL_SCOPES)
        before = trace(scene.world)
        assert knock(scene.world, caller, door, action, scene.ids)[0] == action.status
        assert trace(scene.world) == before


def test_reading_by_another_method_than_get_and_reaching_beyond_jobs_are_rare() -> None:
    """The expectations above are drawn from these marks: a wrong one would go unseen."""
    assert {a.name for a in CATALOG if a.read_only and a.method != "GET"} == {"previewRules", "previewSchedule"}
    assert all(a.read_only for a in CATALOG if a.method == "GET")
    assert {a.name for a in CATALOG if a.tenant_wide} == {"createJob", "listAgentEvents"}


@each_door
@each_action
def test_another_tenants_key_finds_nothing_whatever_it_may_at_home(action: Action, door: str) -> None:
    for held in HELD.values():
        if holds(held, action):
            scene = standing() if action.read_only or action.pattern.groupindex else Scene()
            caller = scene.caller("evil", scopes=held)
            before = trace(scene.world)
            status, text = knock(scene.world, caller, door, action, scene.ids)
            if action.pattern.groupindex or ("endpointId" in call_of(action, scene.ids)):
                assert (status, trace(scene.world)) == (404, before), text
            else:
                assert status == action.status
                assert not any(each in text for each in scene.ids.values())


OPTIONS = [
    ("listRuns", "jobId"), ("listRuns", "endpointId"), ("exportRuns", "jobId"), ("exportRuns", "endpointId"),
    ("createSigningKey", "endpointId"), ("createApiKey", "agentId"),
]  # fmt: skip


@each_door
@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_a_foreign_id_in_a_query_or_a_body_is_refused(name: str, option: str, door: str) -> None:
    scene = standing()
    action = next(each for each in CATALOG if each.name == name)
    caller = scene.caller("evil", scopes=ALL_SCOPES)
    before = trace(scene.world)
    more: Json = {"kind": "agent"} if option == "agentId" else {}
    status, text = knock(scene.world, caller, door, action, scene.ids, **{option: scene.ids[option]}, **more)
    assert (status in (404, 422), trace(scene.world)) == (True, before), text


def test_a_budget_of_another_tenants_job_is_refused_and_would_open_nothing() -> None:
    scene = standing()
    job = scene.ids["jobId"]
    wanted = {"label": "x", "kind": "agent", "scopes": ["runs:read"], "budget": {"jobIds": [job]}}
    refused = Client(scene.world, scene.caller("evil"))("POST", "/api-keys", wanted)
    assert (refused.status, refused.paths()) == (422, ["budget.jobIds"])
    forged = Client(scene.world, replace(MALLORY, budget=Budget(job_ids=frozenset({job}))))
    for path in ("/runs", "/jobs"):
        assert forged("GET", path).body["items"] == []
    assert scene.ids["runId"] not in forged("GET", "/runs/export").text
    assert forged("GET", f"/runs/{scene.ids['runId']}").status == 404


def test_the_options_that_name_something_are_these() -> None:
    ids = Scene().ids.keys()
    found = {
        (action.name, field.alias)
        for action in CATALOG
        for field in action.takes.model_fields.values()
        if field.alias in ids and field.alias not in action.pattern.groupindex
    }
    assert found == set(OPTIONS)


@each_action
def test_nobody_does_anything_without_a_key(action: Action) -> None:
    path = action.path.replace("{", "").replace("}", "")
    assert Client(standing().world, None)(action.method, path, {}).status == 401


def test_what_a_key_may_is_what_its_agent_is_shown() -> None:
    for held in HELD.values():
        shown = standing().caller(scopes=held)
        names = {action.name for action in CATALOG if holds(held, action)}
        assert set(Agent(standing().world, shown).names()) == names


def test_the_matrix_covers_all() -> None:
    whole = list(cells())
    allowed = [cell for cell in whole if holds(HELD[cell[2]], cell[0])]
    assert len(whole) == len(set(whole))
    show(f"\n{'':24}" + "".join(f"{name:>16}" for name in HELD))
    for action in CATALOG:
        row = ("yes" if holds(held, action) else "403" for held in HELD.values())
        show(f"{action.name:24}" + "".join(f"{each:>16}" for each in row))
    show(
        f"{len(CATALOG)} actions x {len(HELD)} sets of scopes x {len(TENANTS)} tenants x {len(DOORS)} doors = "
        f"{len(whole)} cells: {len(whole) - len(allowed)} refused for their scope, {len(allowed) // 2} let in at home, "
        f"{len(allowed) // 2} finding nothing in another tenant; {len(CATALOG) * len(DOORS) * 4} more for budgets"
    )


def show(line: str) -> None:
    """For `pytest -s`."""
    sys.stdout.write(line + "\n")


# ---------------------------------------------------------------------------------------------------- actions x budgets


@each_door
@each_action
def test_a_key_that_is_bound_to_other_jobs_does_not_see_this_one(action: Action, door: str) -> None:
    scene = Scene()
    other = Client(scene.world, ANNE)("POST", "/jobs", {"name": "other"}).body["jobId"]
    caller = scene.caller(scopes=BUDGETED, budget=Budget(job_ids=frozenset({other})))
    before = trace(scene.world)
    status, text = knock(scene.world, caller, door, action, scene.ids)
    if action.tenant_wide or not holds(BUDGETED, action):
        assert (status, trace(scene.world)) == (403, before)
    elif action.pattern.groupindex:
        assert (status, trace(scene.world)) == (404, before), text
    else:
        assert status == action.status and not any(each in text for each in scene.ids.values())


@each_door
@each_action
def test_a_key_that_is_bound_to_this_job_works_in_it(action: Action, door: str) -> None:
    scene = Scene()
    caller = scene.caller(scopes=BUDGETED, budget=Budget(job_ids=frozenset({scene.ids["jobId"]})))
    status, text = knock(scene.world, caller, door, action, scene.ids)
    assert status == (403 if action.tenant_wide or not holds(BUDGETED, action) else action.status), text


@each_door
@each_action
def test_a_key_that_may_not_delete_does_all_the_rest(action: Action, door: str) -> None:
    scene = Scene()
    caller = scene.caller(scopes=BUDGETED, budget=Budget(may_delete=False))
    before = trace(scene.world)
    status, text = knock(scene.world, caller, door, action, scene.ids)
    if action.deletes or not holds(BUDGETED, action):
        assert (status, trace(scene.world)) == (403, before)
    else:
        assert status == action.status, text


@each_door
@each_action
def test_a_used_up_budget_stops_changes_until_the_next_hour_and_never_reading(action: Action, door: str) -> None:
    scene = Scene()
    caller = scene.caller(scopes=BUDGETED, budget=Budget(changes_per_hour=1))
    assert Client(scene.world, caller)("POST", "/jobs", {"name": "the one change"}).status == 201
    before = trace(scene.world)
    status, text = knock(scene.world, caller, door, action, scene.ids)
    if not holds(BUDGETED, action):
        assert status == 403
    elif action.read_only:
        assert status == action.status, text
    else:
        assert (status, trace(scene.world)) == (429, before)
        assert "budget of 1 changes an hour is used up until 2025-01-01T01:00:00.000Z" in text
        scene.world.clock.instant += HOUR
        assert knock(scene.world, caller, door, action, scene.ids)[0] == action.status


def test_whatever_is_deleted_is_marked_so() -> None:
    deleting = {action.name for action in CATALOG if action.method == "DELETE"}
    assert {action.name for action in CATALOG if action.deletes} == deleting - {"clearAdaptiveHints"}
