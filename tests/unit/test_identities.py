"""Agents and their budgets: every change can be laid at somebody's door, and none goes further than its key allows."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from rubato.adapters.memory_identities import MemoryAgents
from rubato.adapters.memory_usage import MemoryUsage
from rubato.domain.access import ALL_SCOPES, KEY_SCOPES, Caller, Door, Scope
from rubato.domain.agents import Agent as Agent_
from rubato.domain.audit import Event
from rubato.domain.budget import Budget
from rubato.domain.endpoint import Retry
from rubato.domain.errors import Invalid, Unauthenticated, WriteRaced
from rubato.domain.exchange import Reply
from rubato.domain.hints import ActorKind
from rubato.domain.instant import HOUR, MINUTE
from rubato.interface.gateway import caller_of, context_of, noted
from rubato.usecases.authenticate import authenticate
from rubato.usecases.manage_agents import register_agent
from rubato.usecases.manage_keys import operator
from tests.agents import Agent, text_of
from tests.unit.clients import Client
from tests.worlds import MALLORY, MIDNIGHT, MemoryWorld, Stage, a_job, a_key, an_endpoint

SCOUT = {"name": "scout", "owner": "Team Käse ✓"}
STEER = ["endpoints:write", "jobs:write", "runs:read", "schedule:write"]


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def owner(world: MemoryWorld) -> Client:
    return Client(world, signed_in(world, a_key(world)[1]))


def signed_in(world: MemoryWorld, token: str) -> Caller:
    return authenticate(world, {"x-api-key": token})


def a_scout(world: MemoryWorld, owner: Client, **key: Any) -> tuple[str, Caller]:
    """A registered agent and the caller of a key of its own."""
    agent_id = owner("POST", "/agents", SCOUT).body["agentId"]
    wanted = {"label": "scout", "kind": "agent", "scopes": STEER, "agentId": agent_id, **key}
    made = owner("POST", "/api-keys", wanted)
    assert made.status == 201, made.text
    return agent_id, signed_in(world, made.body["apiKey"])


# ------------------------------------------------------------------------------------------------------ who it was


def test_the_audit_trail_says_who_on_whose_behalf_and_through_which_door(world: MemoryWorld, owner: Client) -> None:
    agent_id, scout = a_scout(world, owner)
    endpoint = an_endpoint(world).id
    Agent(world, scout).call("applyIntervalHint", endpointId=endpoint, intervalMs=5000, reason="errors rise")
    owner("POST", f"/endpoints/{endpoint}/pause", {"pauseUntil": "indefinite", "reason": "enough"})
    paused, hinted, *_ = owner("GET", f"/endpoints/{endpoint}/events").body["items"]
    assert (hinted["actor"], hinted["actorKind"], hinted["door"]) == (scout.key_id, "agent", "mcp")
    assert (hinted["agentId"], hinted["agentName"], hinted["onBehalfOf"]) == (agent_id, "scout", "Team Käse ✓")
    assert (paused["actorKind"], paused["door"]) == ("human", "http")
    assert (paused["agentId"], paused["agentName"], paused["onBehalfOf"]) == (None, None, None)


def test_what_an_agent_did_is_found_whatever_it_changed_and_with_any_of_its_keys(
    world: MemoryWorld, owner: Client
) -> None:
    agent_id, scout = a_scout(world, owner)
    other = owner("POST", "/api-keys", {"label": "two", "kind": "agent", "scopes": STEER, "agentId": agent_id}).body
    endpoint = an_endpoint(world).id
    world.clock.instant += MINUTE
    job = Client(world, scout)("POST", "/jobs", {"name": "mine"}).body["jobId"]
    world.clock.instant += MINUTE
    Client(world, signed_in(world, other["apiKey"]))(
        "POST", f"/endpoints/{endpoint}/hints/interval", {"intervalMs": 5000}
    )
    first = owner("GET", f"/agents/{agent_id}/events", query={"limit": "1"}).body
    rest = owner("GET", f"/agents/{agent_id}/events", query={"limit": "1", "cursor": first["nextCursor"]}).body
    told = [(each["action"], each["subject"], each["actor"]) for each in [*first["items"], *rest["items"]]]
    assert told == [("applyIntervalHint", endpoint, other["keyId"]), ("createJob", job, scout.key_id)]
    assert rest["nextCursor"] is None


def test_of_a_job_too_the_trail_tells_what_changed_rule_by_rule(world: MemoryWorld, owner: Client) -> None:
    agent_id, scout = a_scout(world, owner)
    job = a_job(world).job_id
    calm, surge = (
        {"name": name, "when": "now", "then": [{"clearHints": {"endpoint": "x"}}]} for name in ("calm", "surge")
    )
    Client(world, scout)("PATCH", f"/jobs/{job}", {"rules": [calm, surge]})
    world.clock.instant += MINUTE
    changed = {**surge, "when": "minuteOfDay"}
    Client(world, scout)("PATCH", f"/jobs/{job}", {"rules": [calm, changed], "status": "paused", "reason": "too many"})
    event = owner("GET", f"/agents/{agent_id}/events").body["items"][0]
    assert (event["action"], event["subject"], event["reason"]) == ("updateJob", job, "too many")
    assert set(event["from"]) == set(event["to"]) == {"rules.surge", "status"}
    assert (event["from"]["rules.surge"]["when"], event["to"]["rules.surge"]["when"]) == ("now", "minuteOfDay")
    assert (event["from"]["status"], event["to"]["status"]) == ("active", "paused")


def test_rubatos_own_changes_come_through_no_door(world: MemoryWorld, owner: Client) -> None:
    world.outbound.answer = lambda _call: Reply(duration_ms=0, status_code=500)
    endpoint = an_endpoint(world, auto_pause_after=1, retry=Retry(max_attempts=1)).id
    Stage(world).play_seconds(61)
    paused = owner("GET", f"/endpoints/{endpoint}/events").body["items"][0]
    assert (paused["actorKind"], paused["door"], paused["onBehalfOf"]) == ("system", None, None)


def test_a_log_line_names_the_agent_and_the_door_and_nobodys_name(world: MemoryWorld, owner: Client) -> None:
    agent_id, scout = a_scout(world, owner)
    event = {"requestContext": {"authorizer": context_of(scout)}}
    told = noted(caller_of(event, Door.MCP))
    assert told == {"tenantId": "acme", "callerKeyId": scout.key_id, "callerAgentId": agent_id, "door": "mcp"}


def test_a_caller_survives_the_way_through_api_gateway(world: MemoryWorld, owner: Client) -> None:
    job = a_job(world).job_id
    budget = {"changesPerHour": 5, "jobIds": [job], "mayDelete": False}
    _, scout = a_scout(world, owner, budget=budget)
    context = context_of(scout)
    assert all(value.isascii() for value in context.values())
    there = caller_of({"requestContext": {"authorizer": context}}, Door.HTTP)
    assert (there.budget, there.delegation) == (scout.budget, scout.delegation)
    assert there.delegation is not None and there.delegation.owner == "Team Käse ✓"


# -------------------------------------------------------------------------------------------------- register and retire


def test_an_agent_is_registered_listed_and_retired(world: MemoryWorld, owner: Client) -> None:
    made = owner("POST", "/agents", SCOUT)
    assert (made.status, made.body["name"], made.body["owner"], made.body["retiredAt"]) == (201, *SCOUT.values(), None)
    assert owner("GET", "/agents").body["items"] == [made.body]
    world.clock.instant += MINUTE
    assert owner("DELETE", f"/agents/{made.body['agentId']}").status == 204
    assert owner("DELETE", f"/agents/{made.body['agentId']}").status == 204
    assert owner("GET", "/agents").body["items"] == [{**made.body, "retiredAt": "2025-01-01T00:01:00.000Z"}]


def test_two_agents_share_no_name_until_one_is_retired(world: MemoryWorld, owner: Client) -> None:
    first = owner("POST", "/agents", SCOUT).body["agentId"]
    again = owner("POST", "/agents", {**SCOUT, "owner": "somebody else"})
    assert again.status == 409 and "'scout'" in again.body["detail"]
    assert Client(world, MALLORY)("POST", "/agents", SCOUT).status == 201
    owner("DELETE", f"/agents/{first}")
    assert owner("POST", "/agents", SCOUT).status == 201


@pytest.mark.parametrize("alike", ["Scout", "SCOUT", "\uff53cout", "\u017fcout"])
def test_a_name_that_only_looks_different_is_the_same(world: MemoryWorld, owner: Client, alike: str) -> None:
    owner("POST", "/agents", SCOUT)
    assert owner("POST", "/agents", {**SCOUT, "name": alike}).status == 409


@pytest.mark.parametrize("bad", ["", " scout", "a\nb", "x" * 101, "sc\u200bout", "\u202egnp"])
def test_a_name_that_can_not_be_told_apart_is_refused_at_each_door(world: MemoryWorld, owner: Client, bad: str) -> None:
    for field in ("name", "owner"):
        assert owner("POST", "/agents", {**SCOUT, field: bad}).paths() == [field]
        with pytest.raises(Invalid, match=field):
            register_agent(world, operator("acme"), **{**SCOUT, field: bad})


def test_the_operator_too_makes_only_keys_that_can_work(world: MemoryWorld) -> None:
    for budget in (Budget(changes_per_hour=0), Budget(job_ids=frozenset(map(str, range(21))))):
        with pytest.raises(Invalid, match="budget"):
            a_key(world, scopes=frozenset({Scope.JOBS_READ}), budget=budget)


def test_a_retired_agent_is_told_so_while_its_key_is_still_remembered_at_the_door(
    world: MemoryWorld, owner: Client
) -> None:
    agent_id, scout = a_scout(world, owner, scopes=["keys:write"])
    owner("DELETE", f"/agents/{agent_id}")
    answer = Client(world, scout)("POST", "/api-keys", {"label": "x", "kind": "agent", "scopes": ["keys:read"]})
    assert answer.status == 401 and "is retired" in answer.body["detail"]


def test_a_key_whose_agent_is_long_forgotten_opens_nothing(world: MemoryWorld, owner: Client) -> None:
    agent_id = owner("POST", "/agents", SCOUT).body["agentId"]
    _, token = a_key(world, kind=ActorKind.AGENT, agent_id=agent_id)
    del world.agents._agents[agent_id]
    with pytest.raises(Unauthenticated):
        signed_in(world, token)


def test_two_who_retire_an_agent_at_once_both_succeed(world: MemoryWorld, owner: Client) -> None:
    agent_id = owner("POST", "/agents", SCOUT).body["agentId"]

    class Racing(MemoryAgents):
        """Loses the first writes, as transactions do that meet another."""

        lost = 2

        def retire(self, agent: Agent_, event: Event) -> None:
            self.lost -= 1
            if self.lost >= 0:
                raise WriteRaced(agent.agent_id)
            super().retire(agent, event)

    racing = Racing(world.trail)
    racing._agents = world.agents._agents
    world.agents = racing
    assert owner("DELETE", f"/agents/{agent_id}").status == 204
    assert owner("GET", "/agents").body["items"][0]["retiredAt"] is not None
    racing._agents[agent_id] = replace(racing._agents[agent_id], retired_at=None)
    racing.lost = 99
    refused = owner("DELETE", f"/agents/{agent_id}")
    assert refused.status == 409 and "try again" in refused.body["detail"]


def test_all_keys_of_a_retired_agent_stop_working(world: MemoryWorld, owner: Client) -> None:
    agent_id = owner("POST", "/agents", SCOUT).body["agentId"]
    wanted = {"label": "scout", "kind": "agent", "scopes": STEER, "agentId": agent_id}
    tokens = [owner("POST", "/api-keys", wanted).body["apiKey"] for _ in range(2)]
    assert all(signed_in(world, token) for token in tokens)
    owner("DELETE", f"/agents/{agent_id}")
    for token in tokens:
        with pytest.raises(Unauthenticated, match="agent that this API key belongs to is retired"):
            signed_in(world, token)
    late = owner("POST", "/api-keys", wanted)
    assert late.status == 422 and late.paths() == ["agentId"]


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ({"kind": "human"}, "agentId"),
        ({"agentId": "agent_unknown"}, "agentId"),
        ({"agentId": "key_unknown"}, "agentId"),
        ({"budget": {"changesPerHour": 0}}, "budget.changesPerHour"),
        ({"budget": {"changesPerHour": 10_001}}, "budget.changesPerHour"),
        ({"budget": {"jobIds": []}}, "budget.jobIds"),
        ({"budget": {"jobIds": ["job_unknown"]}}, "budget.jobIds"),
        ({"budget": {"jobIds": ["x"] * 21}}, "budget.jobIds"),
        ({"budget": {"mayDelete": "no"}}, "budget.mayDelete"),
        ({"budget": {"maydelete": False}}, "budget.maydelete"),
        ({"budget": {"mayDelete": False}, "scopes": ["keys:read"]}, "budget"),
        ({"budget": {"mayDelete": False}, "scopes": ["keys:write"]}, "budget"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused_with_the_field_named(
    world: MemoryWorld, owner: Client, key: dict[str, Any], field: str
) -> None:
    agent_id = owner("POST", "/agents", SCOUT).body["agentId"]
    before = len(world.trail.events)
    answer = owner("POST", "/api-keys", {"label": "x", "kind": "agent", "scopes": STEER, "agentId": agent_id, **key})
    assert (answer.status, answer.paths()) == (422, [field])
    assert len(world.trail.events) == before


def test_a_budget_without_limits_is_none(world: MemoryWorld, owner: Client) -> None:
    made = owner("POST", "/api-keys", {"label": "x", "kind": "agent", "scopes": ["keys:write"], "budget": {}})
    assert made.status == 201 and made.body["budget"] is None


def test_an_agent_makes_keys_for_itself_only(world: MemoryWorld, owner: Client) -> None:
    agent_id, scout = a_scout(world, owner, scopes=["keys:write"])
    client = Client(world, scout)
    made = client("POST", "/api-keys", {"label": "mine", "kind": "agent", "scopes": ["keys:read"]})
    assert made.status == 201 and made.body["agentId"] == agent_id
    for other in ({"kind": "human"}, {"kind": "service"}, {"kind": "agent", "agentId": "agent_other"}):
        answer = client("POST", "/api-keys", {"label": "x", "scopes": ["keys:read"], **other})
        assert answer.status == 403 and "same agent only" in answer.body["detail"]


# ------------------------------------------------------------------------------------------------------------- budgets


def test_a_key_shows_its_budget(world: MemoryWorld, owner: Client) -> None:
    job = a_job(world).job_id
    budget = {"changesPerHour": 5, "jobIds": [job], "mayDelete": False}
    made = owner("POST", "/api-keys", {"label": "x", "kind": "service", "scopes": STEER, "budget": budget}).body
    assert made["budget"] == budget
    assert owner("GET", "/api-keys").body["items"][0]["budget"] == budget


def test_changes_count_by_the_hour_of_the_clock_and_the_refusal_says_when_to_come_back(world: MemoryWorld) -> None:
    world.clock.instant = MIDNIGHT + 40 * MINUTE
    caller = signed_in(world, a_key(world, scopes=ALL_SCOPES - KEY_SCOPES, budget=Budget(changes_per_hour=2))[1])
    client = Client(world, caller)
    made = [client("POST", "/jobs", {"name": str(number)}).status for number in range(3)]
    assert made == [201, 201, 429]
    refused = client("POST", "/jobs", {"name": "again"})
    assert (refused.headers["Retry-After"], refused.body["code"]) == ("1200", "limit_reached")
    told = text_of(Agent(world, caller).call("createJob", name="by mcp"))
    assert "The same call may succeed in 1200 s." in told
    world.clock.instant = MIDNIGHT + HOUR
    assert client("POST", "/jobs", {"name": "next hour"}).status == 201
    assert [job["name"] for job in client("GET", "/jobs").body["items"]] == ["next hour", "1", "0"]


def test_what_was_refused_before_it_began_costs_nothing_and_a_repeat_counts_once(world: MemoryWorld) -> None:
    caller = signed_in(world, a_key(world, scopes=ALL_SCOPES - KEY_SCOPES, budget=Budget(changes_per_hour=2))[1])
    client = Client(world, caller)
    assert client("POST", "/jobs", {"nam": "typo"}).status == 422
    assert client("POST", "/jobs", raw="{").status == 400
    assert client("POST", "/api-keys", {"label": "x", "kind": "agent", "scopes": ["jobs:read"]}).status == 403
    again = [client("POST", "/jobs", {"name": "a"}, headers={"Idempotency-Key": "k"}).status for _ in range(3)]
    assert again == [201, 201, 201]
    assert client("POST", "/jobs", {"name": "b"}).status == 201
    assert client("POST", "/jobs", {"name": "c"}).status == 429


def test_a_request_refused_for_its_budget_may_come_again_under_the_same_idempotency_key(world: MemoryWorld) -> None:
    caller = signed_in(world, a_key(world, scopes=ALL_SCOPES - KEY_SCOPES, budget=Budget(changes_per_hour=1))[1])
    client, named = Client(world, caller), {"Idempotency-Key": "k"}
    client("POST", "/jobs", {"name": "a"})
    assert client("POST", "/jobs", {"name": "b"}, headers=named).status == 429
    world.clock.instant += HOUR
    assert client("POST", "/jobs", {"name": "b"}, headers=named).status == 201


def test_many_at_once_get_no_more_than_the_budget(world: MemoryWorld) -> None:
    caller = signed_in(world, a_key(world, scopes=ALL_SCOPES - KEY_SCOPES, budget=Budget(changes_per_hour=7))[1])
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: Client(world, caller)("POST", "/jobs", {"name": str(n)}).status, range(40)))
    assert (made.count(201), made.count(429)) == (7, 33)


def test_a_counter_that_can_not_be_reached_lets_no_change_pass(world: MemoryWorld) -> None:
    caller = signed_in(world, a_key(world, scopes=ALL_SCOPES - KEY_SCOPES, budget=Budget(changes_per_hour=7))[1])

    class Down(MemoryUsage):
        def take_change(self, key_id: str, hour: str, limit: int) -> bool:
            raise ConnectionError("throttled")

    world.usage = Down()
    with pytest.raises(ConnectionError):
        Client(world, caller)("POST", "/jobs", {"name": "x"})
    assert world.jobs.list("acme", None, 10, None).items == ()


def test_a_bound_key_lists_only_its_jobs_and_their_runs_in_pages(world: MemoryWorld) -> None:
    jobs = []
    for number in range(5):
        world.clock.instant += MINUTE
        jobs.append(a_job(world, name=str(number)).job_id)
    mine = frozenset({jobs[0], jobs[2], jobs[4]})
    client = Client(
        world, signed_in(world, a_key(world, scopes=ALL_SCOPES - KEY_SCOPES, budget=Budget(job_ids=mine))[1])
    )
    first = client("GET", "/jobs", query={"limit": "2"}).body
    second = client("GET", "/jobs", query={"limit": "2", "cursor": first["nextCursor"]}).body
    assert [job["name"] for job in [*first["items"], *second["items"]]] == ["4", "2", "0"]
    assert second["nextCursor"] is None
    assert client("GET", "/jobs", query={"status": "paused"}).body["items"] == []


def test_an_agent_is_not_shown_the_tools_that_its_budget_excludes(world: MemoryWorld, owner: Client) -> None:
    job = a_job(world).job_id
    _, scout = a_scout(world, owner, budget={"jobIds": [job], "mayDelete": False})
    names = Agent(world, scout).names()
    assert "applyIntervalHint" in names and "clearAdaptiveHints" in names
    assert not {"createJob", "archiveJob", "deleteEndpoint", "listAgentEvents"} & set(names)
    allowed = {each["name"]: each["allowed"] for each in Client(world, scout)("GET", "/actions").body["actions"]}
    assert not allowed["deleteEndpoint"] and allowed["applyIntervalHint"]
