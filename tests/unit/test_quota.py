"""Quotas per tenant: endpoints at a time, runs in a day."""

from dataclasses import replace
from typing import Any

import pytest

from rubato.domain.cron import CronExpression
from rubato.domain.endpoint import Endpoint, MissedRuns, Retry
from rubato.domain.errors import LimitReached
from rubato.domain.exchange import Call, Reply
from rubato.domain.instant import DAY, HOUR, MINUTE, SECOND
from rubato.domain.schedule import CronBaseline, IntervalBaseline
from rubato.usecases.handle_message import handle_message
from rubato.usecases.steer_endpoint import resume_endpoint
from rubato.usecases.trigger_run import trigger_run
from rubato.usecases.update_endpoint import delete_endpoint
from tests.unit.clients import Client
from tests.unit.test_http import ENDPOINT
from tests.worlds import ANNE, MALLORY, MIDNIGHT, MemoryWorld, Stage, a_job, an_endpoint


def a_world(**limits: Any) -> MemoryWorld:
    world = MemoryWorld()
    world.limits = replace(world.limits, **limits)
    return world


def state_of(world: MemoryWorld, endpoint: Endpoint) -> Any:
    stored = world.endpoints.load(endpoint.id)
    assert stored is not None
    return stored.state


def test_usage_tells_endpoints_and_runs_of_the_callers_tenant_and_when_the_day_ends() -> None:
    world = a_world()
    gone = an_endpoint(world)
    an_endpoint(world, job=a_job(world, MALLORY), caller=MALLORY)
    Stage(world).play_seconds(125)
    an_endpoint(world, IntervalBaseline(HOUR), name="hourly")
    delete_endpoint(world, ANNE, gone.id)
    assert Client(world)("GET", "/usage").body == {
        "endpoints": 1,
        "runsToday": 2,
        "plannerTokensToday": 0,
        "planner": {"model": None, "status": "rules_only"},
        "limits": {"maxEndpoints": None, "maxRunsPerDay": None, "plannerTokensPerDay": None},
        "resetsAt": "2025-01-02T00:00:00.000Z",
    }
    world.clock.instant = MIDNIGHT + DAY
    assert Client(world)("GET", "/usage").body["runsToday"] == 0


def test_an_endpoint_over_the_quota_is_refused_until_one_is_deleted() -> None:
    world = a_world(max_endpoints=2)
    job = a_job(world)
    made = [an_endpoint(world, job=job, name=name) for name in "ab"]
    an_endpoint(world, job=a_job(world, MALLORY), caller=MALLORY)
    refused = Client(world)("POST", f"/jobs/{job.job_id}/endpoints", ENDPOINT)
    assert (refused.status, refused.body["code"]) == (429, "limit_reached") and "MaxEndpoints" in refused.body["detail"]
    assert int(refused.headers["Retry-After"]) > 0
    delete_endpoint(world, ANNE, made[0].id)
    assert Client(world)("POST", f"/jobs/{job.job_id}/endpoints", ENDPOINT).status == 201


def test_runs_over_the_daily_quota_wait_for_the_next_day_and_then_run_once() -> None:
    world = a_world(max_runs_per_day=3)
    endpoint = an_endpoint(world, IntervalBaseline(HOUR))
    stage = Stage(world)
    stage.play_seconds(86_399)
    assert world.outbound.seconds() == [3600, 7200, 10_800]
    shown = Client(world)("GET", f"/endpoints/{endpoint.id}").body
    assert shown["state"] == "paused" and shown["pausedUntil"] == "2025-01-02T00:00:00.000Z"
    assert "quota of 3 runs a day" in shown["whyNotRunning"]
    stage.play_seconds(86_400 + 7_300)
    assert world.outbound.seconds()[3:] == [86_400, 90_000, 93_600]


def test_with_skip_the_next_day_begins_with_its_own_first_slot() -> None:
    world = a_world(max_runs_per_day=1)
    an_endpoint(world, IntervalBaseline(HOUR), missed_runs=MissedRuns.SKIP)
    Stage(world).play_seconds(86_400 + 3_700)
    assert world.outbound.seconds() == [3600, 90_000]


@pytest.mark.parametrize("limit", [0, 5])
def test_lifting_or_raising_the_quota_lets_what_waits_go_on_with_the_next_tick(limit: int) -> None:
    world = a_world(max_runs_per_day=2)
    an_endpoint(world, IntervalBaseline(10 * MINUTE))
    stage = Stage(world)
    stage.play_seconds(3590)
    assert world.outbound.seconds() == [600, 1200]
    world.limits = replace(world.limits, max_runs_per_day=limit)
    stage.play_seconds(4900)
    assert world.outbound.seconds() == [600, 1200, 3600, 4200, 4800]


def test_a_quota_that_did_not_change_wakes_nobody() -> None:
    world = a_world(max_runs_per_day=1)
    an_endpoint(world, IntervalBaseline(10 * MINUTE))
    stage = Stage(world)
    stage.play_seconds(3600)
    assert world.outbound.seconds() == [600] and world.queue.waiting == []


def test_resuming_by_hand_does_not_get_round_the_quota() -> None:
    world = a_world(max_runs_per_day=1)
    endpoint = an_endpoint(world, IntervalBaseline(10 * MINUTE))
    stage = Stage(world)
    stage.play_seconds(2000)
    resume_endpoint(world, ANNE, endpoint.id, reason=None)
    stage.play_seconds(3600)
    assert world.outbound.seconds() == [600] and state_of(world, endpoint).pause is not None


def test_a_run_now_counts_and_is_refused_with_the_time_to_wait_when_none_is_left() -> None:
    world = a_world(max_runs_per_day=1)
    endpoint = an_endpoint(world, IntervalBaseline(HOUR))
    trigger_run(world, ANNE, endpoint.id)
    Stage(world).play_seconds(1)
    with pytest.raises(LimitReached) as refused:
        trigger_run(world, ANNE, endpoint.id)
    assert refused.value.retry_after_s == 86_399
    assert Client(world)("GET", "/usage").body["runsToday"] == 1


def test_the_quota_of_one_tenant_holds_no_other() -> None:
    world = a_world(max_runs_per_day=1)
    an_endpoint(world, IntervalBaseline(10 * SECOND))
    an_endpoint(world, IntervalBaseline(15 * SECOND), job=a_job(world, MALLORY), caller=MALLORY)
    Stage(world).play_seconds(60)
    assert world.outbound.seconds() == [10, 15]


def test_deleting_gives_no_runs_back() -> None:
    world = a_world(max_runs_per_day=1)
    first = an_endpoint(world, IntervalBaseline(10 * SECOND))
    Stage(world).play_seconds(15)
    delete_endpoint(world, ANNE, first.id)
    an_endpoint(world, IntervalBaseline(10 * SECOND))
    Stage(world).play_seconds(60)
    assert world.outbound.seconds() == [10]


def test_a_retried_run_counts_once() -> None:
    world = a_world(max_runs_per_day=1)
    an_endpoint(world, IntervalBaseline(HOUR), retry=Retry(max_attempts=3, backoff_ms=0))
    world.outbound.answer = lambda _call: Reply(duration_ms=1, status_code=503)
    Stage(world).play_seconds(3700)
    assert len(world.outbound.calls) == 3
    assert Client(world)("GET", "/usage").body["runsToday"] == 1


def test_a_counter_that_cannot_be_reached_stops_no_run() -> None:
    world = a_world(max_runs_per_day=1)

    def broken(*_: object, **__: object) -> bool:
        raise RuntimeError("throttled")

    world.usage.take_run = broken  # type: ignore[method-assign]
    an_endpoint(world, IntervalBaseline(10 * SECOND))
    Stage(world).play_seconds(25)
    assert world.outbound.seconds() == [10, 20] and "run not counted" in world.telemetry.warnings


def test_calls_in_a_quota_day_are_counted_by_their_start_in_utc() -> None:
    world = a_world(max_runs_per_day=1)
    an_endpoint(world, IntervalBaseline(12 * HOUR), timeout_ms=5000)

    def slow(_call: Call) -> Reply:
        world.clock.instant += 10
        return Reply(duration_ms=10, status_code=200)

    world.outbound.answer = slow
    Stage(world).play_seconds(3 * 86_400 - 1)
    assert world.outbound.seconds() == [43_200, 86_400, 172_800]


def test_a_slot_at_midnight_belongs_to_the_new_day_though_its_worker_begins_a_little_earlier() -> None:
    for skip in (MissedRuns.SKIP, MissedRuns.RUN_ONCE):
        world = a_world(max_runs_per_day=1)
        world.clock.instant += 300  # so that messages come early, as they do
        midnight = CronBaseline(CronExpression.parse("0 0 * * *"))
        an_endpoint(world, midnight, missed_runs=skip)
        noon = an_endpoint(world, CronBaseline(CronExpression.parse("0 12 * * *")), name="noon", job=a_job(world))
        Stage(world).play_seconds(86_401)
        assert world.outbound.seconds() == [43_200, 86_400] and state_of(world, noon).pause is None
        assert Client(world)("GET", "/usage").body["runsToday"] == 1


def test_a_duplicate_and_a_dead_worker_use_up_no_run() -> None:
    world = a_world(max_runs_per_day=1)
    endpoint = an_endpoint(world, IntervalBaseline(10 * SECOND))
    world.clock.instant = MIDNIGHT + 10 * SECOND
    message = world.queue.receive(world.clock.now())[0]
    take = world.usage.take_run

    def die(*_: object, **__: object) -> bool:
        handle_message(world, message)  # a duplicate, meanwhile
        raise SystemExit("the worker dies here")

    world.usage.take_run = die  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        handle_message(world, message)
    world.usage.take_run = take  # type: ignore[method-assign]
    Stage(world).play_seconds(300)
    assert len(world.outbound.calls) >= 1 and state_of(world, endpoint).pause is not None


def test_run_nows_do_not_get_round_the_quota() -> None:
    world = a_world(max_runs_per_day=2)
    job = a_job(world)
    made = [an_endpoint(world, IntervalBaseline(HOUR), name=name, job=job) for name in "abc"]
    for endpoint in made[:2]:
        trigger_run(world, ANNE, endpoint.id)
    with pytest.raises(LimitReached):
        trigger_run(world, ANNE, made[2].id)
    Stage(world).play_seconds(1)
    assert len(world.outbound.calls) == 2 and Client(world)("GET", "/usage").body["runsToday"] == 2


def test_who_is_held_back_can_read_it_in_the_trail() -> None:
    world = a_world(max_runs_per_day=1)
    endpoint = an_endpoint(world, IntervalBaseline(HOUR))
    Stage(world).play_seconds(7300)
    newest = Client(world)("GET", f"/endpoints/{endpoint.id}/events").body["items"][0]
    assert (newest["actor"], newest["actorKind"]) == ("quota", "system") and "quota of 1 runs" in newest["reason"]
    assert newest["to"] == {"pausedUntil": "2025-01-02T00:00:00.000Z"}
