"""The planner over HTTP: a job's settings, what the tenant is told, and what the model did."""

from dataclasses import replace
from typing import Any

import pytest

from rubato.adapters.scripted import calling, submit
from rubato.domain.access import Scope
from rubato.domain.conversation import ModelFailed, ModelFault
from rubato.domain.instant import HOUR, MINUTE
from rubato.domain.schedule import ManualBaseline
from tests.planners import a_planned_endpoint, look_around, planner_world
from tests.unit.clients import Client
from tests.worlds import ANNE, MALLORY, MIDNIGHT

OFF = {"enabled": False, "guidance": None, "dryRun": False, "status": "off"}


def test_a_job_has_no_planner_unless_it_asks_for_one_and_a_patch_merges() -> None:
    client = Client(planner_world())
    job = client("POST", "/jobs", {"name": "shop"}).body
    assert job["planner"] == OFF
    path = f"/jobs/{job['jobId']}"
    on = client("PATCH", path, {"planner": {"enabled": True, "guidance": "be kind"}}).body["planner"]
    assert on == {"enabled": True, "guidance": "be kind", "dryRun": False, "status": "on"}
    assert client("PATCH", path, {"planner": {"dryRun": True}}).body["planner"] == {**on, "dryRun": True}
    assert client("GET", path).body["planner"] == {**on, "dryRun": True}
    assert client("PATCH", path, {"planner": {"guidance": None}}).body["planner"]["guidance"] is None
    assert client("PATCH", path, {"planner": None}).body["planner"] == OFF
    assert client("GET", "/jobs").body["items"][0]["planner"] == OFF


@pytest.mark.parametrize(
    ("planner", "path"),
    [
        ({"guidance": "x" * 4001}, "planner.guidance"),
        ({"enabled": "yes"}, "planner.enabled"),
        ({"model": "mine"}, "planner.model"),
        ({"status": "on"}, "planner.status"),
    ],
)
def test_a_planner_that_breaks_a_rule_is_refused_with_the_field(planner: Any, path: str) -> None:
    refused = Client(planner_world())("POST", "/jobs", {"name": "shop", "planner": planner})
    assert (refused.status, refused.paths()) == (422, [path])


def test_turning_it_on_over_the_api_has_the_endpoints_of_the_job_looked_at() -> None:
    world = planner_world()
    client = Client(world)
    job = client("POST", "/jobs", {"name": "shop"}).body
    endpoint = {"name": "a", "request": {"url": "https://example.com/"}, "baseline": {"manual": True}}
    client("POST", f"/jobs/{job['jobId']}/endpoints", endpoint)
    client("PATCH", f"/jobs/{job['jobId']}", {"planner": {"enabled": True}})
    assert look_around(world) == ["analysis_submitted"]


@pytest.mark.parametrize(
    ("terms", "job_status", "tenant_status"),
    [({}, "on", "on"), ({"model": None}, "rules_only", "rules_only"), ({"minutes": 0}, "rules_only", "rules_only")],
)
def test_whether_there_is_a_model_is_said_on_the_job_and_on_the_tenant(
    terms: Any, job_status: str, tenant_status: str
) -> None:
    client = Client(planner_world(**terms))
    job = client("POST", "/jobs", {"name": "shop", "planner": {"enabled": True}}).body
    usage = client("GET", "/usage").body
    assert (job["planner"]["status"], usage["planner"]["status"]) == (job_status, tenant_status)
    assert usage["planner"]["model"] == (None if terms.get("model", 1) is None else "scripted/test")


def test_tokens_and_their_quota_are_on_the_tenant_until_midnight() -> None:
    world = planner_world(replace(submit(minutes=5), input_tokens=15_000, output_tokens=2_000), tokens_per_day=20_000)
    a_planned_endpoint(world, ManualBaseline())
    client = Client(world)
    assert client("GET", "/usage").body["planner"]["status"] == "on"
    look_around(world)
    usage = client("GET", "/usage").body
    assert (usage["plannerTokensToday"], usage["limits"]["plannerTokensPerDay"]) == (17_000, 20_000)
    assert (usage["planner"]["status"], usage["resetsAt"]) == ("quota_exhausted", "2025-01-02T00:00:00.000Z")
    world.clock.sleep_until(MIDNIGHT + 24 * HOUR)
    assert client("GET", "/usage").body["planner"]["status"] == "on"


def test_a_planner_written_back_as_it_was_read_is_told_that_its_status_is_read_only() -> None:
    client = Client(planner_world())
    job = client("POST", "/jobs", {"name": "shop", "planner": {"enabled": True}}).body
    answer = client("PATCH", f"/jobs/{job['jobId']}", {"planner": job["planner"]})
    assert answer.status == 422
    assert answer.body["errors"] == [{"path": "planner.status", "message": "read-only; remove it"}]


def test_an_analysis_is_read_with_all_that_the_model_did() -> None:
    hint = {"intervalMs": 30_000, "ttlMinutes": 5, "reason": "busy"}
    spent = replace(calling(("propose_interval", hint), ("nonsense", None)), input_tokens=1000, output_tokens=100)
    world = planner_world(spent, replace(submit("it recovers", 0.8, 30), input_tokens=2000, output_tokens=50))
    endpoint = a_planned_endpoint(world)
    look_around(world)
    (shown,) = Client(world)("GET", f"/endpoints/{endpoint.id}/analyses").body["items"]
    assert {name: shown[name] for name in ("outcome", "reasoning", "confidence", "nextAnalysisInMs", "model")} == {
        "outcome": "submitted",
        "reasoning": "it recovers",
        "confidence": 0.8,
        "nextAnalysisInMs": 30 * MINUTE,
        "model": "scripted/test",
    }
    assert (shown["inputTokens"], shown["outputTokens"], shown["cost"]) == (3000, 150, 0.01125)
    assert [(call["name"], call["isError"]) for call in shown["toolCalls"]] == [
        ("propose_interval", False),
        ("nonsense", True),
        ("submit_analysis", False),
    ]
    assert '"intervalMs": 30000' in shown["toolCalls"][0]["arguments"]
    assert (shown["error"], shown["fault"], shown["dryRun"], shown["durationMs"]) == (None, None, False, 0)


def test_analyses_are_paged_newest_first_and_say_what_is_wrong_with_the_model() -> None:
    world = planner_world(ModelFailed(ModelFault.UNAUTHORIZED, "the model refused the key"))
    endpoint = a_planned_endpoint(world, ManualBaseline())
    for minutes in (0, 5, 15):
        world.clock.sleep_until(MIDNIGHT + minutes * MINUTE)
        look_around(world)
    client, path = Client(world), f"/endpoints/{endpoint.id}/analyses"
    first = client("GET", path, query={"limit": "2"}).body
    rest = client("GET", path, query={"limit": "2", "cursor": first["nextCursor"]}).body
    assert [each["startedAt"][11:16] for each in first["items"] + rest["items"]] == ["00:15", "00:05", "00:00"]
    assert rest["nextCursor"] is None
    assert {(each["outcome"], each["fault"], each["error"]) for each in first["items"]} == {
        ("model_error", "unauthorized", "the model refused the key")
    }


def test_analyses_need_the_scope_and_the_tenant() -> None:
    world = planner_world()
    endpoint = a_planned_endpoint(world)
    path = f"/endpoints/{endpoint.id}/analyses"
    assert Client(world, MALLORY)("GET", path).status == 404
    assert Client(world, replace(ANNE, scopes=frozenset({Scope.JOBS_READ})))("GET", path).status == 403
    assert Client(world)("GET", path, query={"limit": "51"}).status == 422
