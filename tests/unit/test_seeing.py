"""What people see of an endpoint through the HTTP door: health, trail, the hint behind a run, why it stands still."""

from typing import Any

import pytest

from rubato.domain.cron import CronExpression
from rubato.domain.endpoint import Endpoint, RunStatus
from rubato.domain.exchange import Call, Reply
from rubato.domain.instant import DAY, HOUR, MINUTE, SECOND
from rubato.domain.schedule import AfterBaseline, CronBaseline, IntervalBaseline, ManualBaseline
from rubato.usecases import summarize_health
from tests.unit.clients import Client
from tests.unit.histories import record, walk
from tests.unit.test_http import ENDPOINT
from tests.worlds import MALLORY, MIDNIGHT, MemoryWorld, Stage, a_job, an_endpoint


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def client(world: MemoryWorld) -> Client:
    return Client(world)


def failing(_call: Call) -> Reply:
    return Reply(duration_ms=1, status_code=500)


def test_a_new_endpoint_has_a_rhythm_but_no_figures(world: MemoryWorld, client: Client) -> None:
    health = client("GET", f"/endpoints/{an_endpoint(world).id}/health").body
    assert (health["windowHours"], health["runCount"], health["successRate"], health["lastRun"]) == (24, 0, None, None)
    assert health["cadence"]["intervalMs"] == 60_000 and health["cadence"]["source"] == "baseline-interval"
    assert health["cadence"]["until"] is None and health["truncated"] is False


def test_health_tells_the_failure_streak_and_the_backoff_that_follows_from_it(
    world: MemoryWorld, client: Client
) -> None:
    endpoint = an_endpoint(world)
    world.outbound.answer = failing
    Stage(world).play_seconds(200)
    health = client("GET", f"/endpoints/{endpoint.id}/health").body
    assert (health["runCount"], health["failureCount"], health["successRate"]) == (2, 2, 0)
    assert (health["failureStreak"], health["cadence"]["intervalMs"]) == (2, 240_000)
    assert health["lastRun"].keys() == {"runId", "status", "startedAt"}
    assert health["lastRun"]["startedAt"] == "2025-01-01T00:03:00.000Z"


def test_a_run_now_counts_in_the_figures_but_not_in_the_streak(world: MemoryWorld, client: Client) -> None:
    endpoint = an_endpoint(world, IntervalBaseline(HOUR))
    world.outbound.answer = failing
    client("POST", f"/endpoints/{endpoint.id}/run")
    Stage(world).play_seconds(5)
    health = client("GET", f"/endpoints/{endpoint.id}/health").body
    assert (health["runCount"], health["failureCount"], health["failureStreak"]) == (1, 1, 0)


def test_only_runs_within_the_window_count(world: MemoryWorld, client: Client) -> None:
    endpoint = an_endpoint(world)
    record(world, endpoint, 0, 1800, 3600)
    world.clock.instant = MIDNIGHT + HOUR + 1000 * SECOND
    counts = {
        hours: client("GET", f"/endpoints/{endpoint.id}/health", query={"windowHours": hours}).body["runCount"]
        for hours in ("1", "2", "720")
    }
    assert counts == {"1": 2, "2": 3, "720": 3}


@pytest.mark.parametrize("hours", ["0", "721", "1.5", "x", "-1"])
def test_a_window_out_of_range_is_refused(world: MemoryWorld, client: Client, hours: str) -> None:
    answer = client("GET", f"/endpoints/{an_endpoint(world).id}/health", query={"windowHours": hours})
    assert (answer.status, answer.paths()) == (422, ["windowHours"])


def test_a_window_with_too_many_runs_is_cut_to_the_newest_and_says_so(
    world: MemoryWorld, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summarize_health, "MAX_RUNS", 5)
    monkeypatch.setattr(summarize_health, "_PAGE", 2)
    endpoint = an_endpoint(world)
    record(world, endpoint, *range(5))
    whole = client("GET", f"/endpoints/{endpoint.id}/health").body
    assert (whole["runCount"], whole["truncated"], whole["since"]) == (5, False, "2024-12-31T00:00:00.000Z")
    record(world, endpoint, 5, 6, status=RunStatus.FAILURE)
    cut = client("GET", f"/endpoints/{endpoint.id}/health").body
    assert (cut["runCount"], cut["failureCount"], cut["truncated"]) == (5, 2, True)
    assert cut["since"] == "2025-01-01T00:00:02.000Z"


def test_a_hint_rules_the_rhythm_until_it_expires(world: MemoryWorld, client: Client) -> None:
    endpoint = an_endpoint(world, CronBaseline(CronExpression.parse("0 * * * *", "Europe/Berlin")))
    path = f"/endpoints/{endpoint.id}"
    client("POST", f"{path}/hints/interval", {"intervalMs": 30_000, "ttlMinutes": 10})
    hinted = client("GET", f"{path}/health").body["cadence"]
    assert (hinted["intervalMs"], hinted["cron"], hinted["source"]) == (30_000, None, "ai-interval")
    assert hinted["until"] == "2025-01-01T00:10:00.000Z"
    world.clock.instant += 10 * MINUTE
    after = client("GET", f"{path}/health").body["cadence"]
    assert (after["cron"], after["timezone"], after["source"]) == ("0 * * * *", "Europe/Berlin", "baseline-cron")
    assert after["intervalMs"] is None and after["until"] is None


def test_a_dormant_endpoint_has_no_rhythm(world: MemoryWorld, client: Client) -> None:
    endpoint = an_endpoint(world, ManualBaseline())
    assert client("GET", f"/endpoints/{endpoint.id}/health").body["cadence"] is None


def test_an_endpoint_that_follows_others_names_them_as_its_rhythm_and_as_what_it_waits_for(
    world: MemoryWorld, client: Client
) -> None:
    job = a_job(world)
    an_endpoint(world, ManualBaseline(), job, name="first")
    endpoint = an_endpoint(world, AfterBaseline(("first",)), job, name="second")
    cadence = client("GET", f"/endpoints/{endpoint.id}/health").body["cadence"]
    assert (cadence["after"], cadence["source"], cadence["intervalMs"]) == (["first"], "after", None)
    found = client("GET", f"/endpoints/{endpoint.id}").body
    assert found["state"] == "dormant" and "first" in found["whyNotRunning"]


def test_slots_passed_over_while_a_run_took_too_long_show_in_health(world: MemoryWorld, client: Client) -> None:
    endpoint = an_endpoint(world, IntervalBaseline(15 * SECOND))
    world.outbound.takes_ms = 20_000
    Stage(world).play_seconds(40)
    health = client("GET", f"/endpoints/{endpoint.id}/health").body
    assert (health["skippedCount"], health["missedCount"], health["p95DurationMs"]) == (1, 0, 20_000)


def test_the_trail_tells_newest_first_who_changed_what_and_why(world: MemoryWorld, client: Client) -> None:
    endpoint = an_endpoint(world)
    world.clock.instant += 1000
    client("POST", f"/endpoints/{endpoint.id}/pause", {"pauseUntil": "indefinite", "reason": "sale is over"})
    newest, oldest = client("GET", f"/endpoints/{endpoint.id}/events").body["items"]
    assert newest == {
        "eventId": newest["eventId"],
        "subject": endpoint.id,
        "at": "2025-01-01T00:00:01.000Z",
        "actor": "key_anne",
        "actorKind": "human",
        "action": "pauseOrResumeEndpoint",
        "from": {"pausedUntil": None},
        "to": {"pausedUntil": "indefinite"},
        "reason": "sale is over",
        "agentId": None,
        "agentName": None,
        "onBehalfOf": None,
        "door": "http",
    }
    assert (oldest["action"], oldest["to"]) == ("addEndpointToJob", {"name": "probe"})


def test_the_trail_is_paged_without_repetition_or_loss(world: MemoryWorld, client: Client) -> None:
    endpoint = an_endpoint(world)
    for number in range(6):
        world.clock.instant += 1000
        client("POST", f"/endpoints/{endpoint.id}/reset-failures", {"reason": str(number)})
    pages = walk(client, f"/endpoints/{endpoint.id}/events", {"limit": "3"})
    assert [each["reason"] for page in pages for each in page] == ["5", "4", "3", "2", "1", "0", None]
    assert [len(page) for page in pages] == [3, 3, 1]


def test_the_trail_of_a_deleted_endpoint_stays_readable_and_ends_with_the_deletion(
    world: MemoryWorld, client: Client
) -> None:
    endpoint = an_endpoint(world)
    world.clock.instant += 1000
    client("DELETE", f"/endpoints/{endpoint.id}", query={"reason": "moved"})
    newest = client("GET", f"/endpoints/{endpoint.id}/events").body["items"][0]
    assert (newest["action"], newest["reason"], newest["from"]) == ("deleteEndpoint", "moved", {"name": "probe"})
    assert client("GET", f"/endpoints/{endpoint.id}/health").status == 404
    assert Client(world, MALLORY)("GET", f"/endpoints/{endpoint.id}/events").status == 404


def test_a_run_shows_the_one_shot_that_caused_it_in_flight_and_ever_after(world: MemoryWorld, client: Client) -> None:
    endpoint = an_endpoint(world, IntervalBaseline(HOUR))
    hint = client("POST", f"/endpoints/{endpoint.id}/hints/one-shot", {"runInMs": 5000, "reason": "check it"}).body[
        "hint"
    ]
    seen: list[Any] = []

    def answer(call: Call) -> Reply:
        seen.append(client("GET", f"/runs/{dict(call.headers)['Rubato-Run-Id']}").body)
        return Reply(duration_ms=1, status_code=200)

    world.outbound.answer = answer
    Stage(world).play_seconds(10)
    assert (seen[0]["status"], seen[0]["hint"]) == ("running", hint)
    world.clock.instant += DAY
    assert client("GET", f"/endpoints/{endpoint.id}").body["hints"] == []
    details = client("GET", f"/runs/{seen[0]['runId']}").body
    assert (details["status"], details["source"]) == ("success", "ai-oneshot")
    assert details["hint"] == hint and details["hintId"] == hint["hintId"]


def test_a_run_of_the_baseline_has_no_hint(world: MemoryWorld, client: Client) -> None:
    an_endpoint(world)
    Stage(world).play_seconds(61)
    run = client("GET", "/runs").body["items"][0]
    assert "hint" not in run and client("GET", f"/runs/{run['runId']}").body["hint"] is None


def why(client: Client, endpoint: Endpoint) -> tuple[str, str | None]:
    found = client("GET", f"/endpoints/{endpoint.id}").body
    return found["state"], found["whyNotRunning"]


def test_an_endpoint_that_will_run_gives_no_reason(world: MemoryWorld, client: Client) -> None:
    assert why(client, an_endpoint(world)) == ("active", None)


def test_a_held_endpoint_points_at_its_job(world: MemoryWorld, client: Client) -> None:
    endpoint = an_endpoint(world)
    client("PATCH", f"/jobs/{endpoint.config.job_id}", {"status": "paused"})
    state, reason = why(client, endpoint)
    assert state == "paused" and reason is not None and "job" in reason and "active" in reason


def test_a_paused_endpoint_says_until_when_by_whom_and_why(world: MemoryWorld, client: Client) -> None:
    endpoint = an_endpoint(world)
    body = {"pauseUntil": "2025-01-01T02:00:00Z", "reason": "sale is over"}
    client("POST", f"/endpoints/{endpoint.id}/pause", body)
    assert why(client, endpoint) == ("paused", "paused until 2025-01-01T02:00:00.000Z by human key_anne: sale is over")
    client("POST", f"/endpoints/{endpoint.id}/pause", {"pauseUntil": "indefinite"})
    assert why(client, endpoint) == ("paused", "paused until it is resumed by human key_anne")


def test_a_pause_that_has_just_ended_is_no_dormancy(world: MemoryWorld, client: Client) -> None:
    endpoint = an_endpoint(world)
    client("POST", f"/endpoints/{endpoint.id}/pause", {"pauseUntil": "2025-01-01T00:10:00Z"})
    world.clock.instant += 10 * MINUTE
    assert why(client, endpoint) == ("active", None)


def test_an_automatic_pause_names_rubato_and_the_failures(world: MemoryWorld, client: Client) -> None:
    endpoint = an_endpoint(world, auto_pause_after=1)
    world.outbound.answer = failing
    Stage(world).play_seconds(61)
    state, reason = why(client, endpoint)
    assert state == "paused" and reason is not None and "system rubato" in reason and "1 consecutive failed" in reason


def test_a_dormant_endpoint_says_what_would_wake_it_and_a_run_in_flight_needs_no_reason(
    world: MemoryWorld, client: Client
) -> None:
    endpoint = an_endpoint(world, ManualBaseline())
    state, reason = why(client, endpoint)
    assert state == "dormant" and reason is not None and "manual" in reason
    client("POST", f"/endpoints/{endpoint.id}/run")
    assert why(client, endpoint) == ("running", None)


def test_a_run_now_in_a_pause_is_running_and_not_standing_still(world: MemoryWorld, client: Client) -> None:
    job_id = client("POST", "/jobs", {"name": "shop"}).body["jobId"]
    endpoint_id = client("POST", f"/jobs/{job_id}/endpoints", ENDPOINT).body["endpointId"]
    client("POST", f"/endpoints/{endpoint_id}/pause", {"pauseUntil": "indefinite"})
    client("POST", f"/endpoints/{endpoint_id}/run")
    found = client("GET", f"/endpoints/{endpoint_id}").body
    assert (found["state"], found["whyNotRunning"], found["pausedUntil"]) == ("running", None, "indefinite")
