"""In-run retries: one run, many attempts, through the queue."""

from dataclasses import replace
from typing import Any

import pytest

from rubato.domain.endpoint import Endpoint, Retry, RunStatus
from rubato.domain.exchange import Call, ErrorKind, Reply
from rubato.domain.instant import HOUR, MINUTE, SECOND
from rubato.domain.retries import backoff_ms, is_retryable, retry_after_ms
from rubato.domain.schedule import IntervalBaseline, ManualBaseline
from rubato.ports import RunFilter
from rubato.usecases.read_runs import list_runs
from rubato.usecases.steer_endpoint import hint_interval, hint_one_shot, pause_endpoint
from rubato.usecases.trigger_run import trigger_run
from rubato.usecases.update_endpoint import delete_endpoint
from tests.unit.clients import Client
from tests.worlds import ANNE, MIDNIGHT, MemoryWorld, Stage, an_endpoint

THREE = Retry(max_attempts=3, backoff_ms=1000)


def answers(world: MemoryWorld, *replies: int | Reply) -> None:
    """The target answers so, one after the other, and 200 from then on."""
    waiting = iter(replies)

    def answer(_call: Call) -> Reply:
        reply = next(waiting, 200)
        return reply if isinstance(reply, Reply) else Reply(duration_ms=5, status_code=reply)

    world.outbound.answer = answer


def state_of(world: MemoryWorld, endpoint: Endpoint) -> Any:
    stored = world.endpoints.load(endpoint.id)
    assert stored is not None
    return stored.state


def test_a_failed_attempt_is_made_again_within_the_same_run_until_it_succeeds() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, retry=THREE)
    answers(world, 503, 500)
    Stage(world).play_seconds(119)
    sent = [dict(call.headers) for _, call in world.outbound.calls]
    assert [headers["Rubato-Attempt"] for headers in sent] == ["1", "2", "3"]
    assert len({headers["Rubato-Run-Id"] for headers in sent}) == len({headers["Rubato-Slot"] for headers in sent}) == 1
    run = world.runs.get(sent[0]["Rubato-Run-Id"])
    assert run is not None and run.status is RunStatus.SUCCESS and run.started_at == MIDNIGHT + MINUTE
    assert [(each.attempt, each.status_code) for each in run.attempts] == [(1, 503), (2, 500), (3, 200)]
    assert state_of(world, endpoint).failures == 0


def test_a_run_whose_last_attempt_fails_counts_as_one_failure_and_the_grid_is_kept() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, retry=Retry(max_attempts=2, backoff_ms=1000))
    answers(world, 503, 503)
    Stage(world).play_seconds(100)
    state = state_of(world, endpoint)
    assert len(world.outbound.calls) == 2 and state.failures == 1
    assert state.next.slot == MIDNIGHT + 3 * MINUTE  # one failure doubles the interval, counted from 00:01
    page = list_runs(world, ANNE, wanted=RunFilter(), endpoint_id=endpoint.id)
    assert [(run.status, run.status_code) for run in page.items] == [(RunStatus.FAILURE, 503)]


def test_while_a_retry_waits_the_run_is_in_flight_and_no_worker_sleeps() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, retry=THREE)
    answers(world, Reply(duration_ms=5, status_code=503, headers=(("Retry-After", "20"),)))
    Stage(world).play_seconds(70)
    page = list_runs(world, ANNE, wanted=RunFilter(), endpoint_id=endpoint.id)
    assert [run.status for run in page.items] == [RunStatus.RUNNING]
    assert [each.status_code for each in page.items[0].attempts] == [503]
    assert world.clock.now() == MIDNIGHT + 70 * SECOND and len(world.outbound.calls) == 1


@pytest.mark.parametrize(("asked", "at"), [("20", 80), ("Wed, 01 Jan 2025 00:01:30 GMT", 90)])
def test_a_retry_waits_at_least_as_long_as_retry_after_asks(asked: str, at: int) -> None:
    world = MemoryWorld()
    an_endpoint(world, retry=Retry(max_attempts=2, backoff_ms=0))
    answers(world, Reply(duration_ms=5, status_code=429, headers=(("retry-after", asked),)))
    Stage(world).play_seconds(119)
    assert world.outbound.seconds() == [60, at]


def test_an_attempt_that_would_start_at_the_next_slot_is_not_made() -> None:
    for asked, calls in (("59", 2), ("60", 1)):
        world = MemoryWorld()
        an_endpoint(world, retry=Retry(max_attempts=2, backoff_ms=0))
        answers(world, Reply(duration_ms=5, status_code=503, headers=(("Retry-After", asked),)))
        Stage(world).play_seconds(119.5)
        assert len(world.outbound.calls) == calls


def test_the_next_slot_that_bounds_a_retry_is_the_one_without_backoff() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, retry=Retry(max_attempts=2, backoff_ms=0))
    stored = world.endpoints.load(endpoint.id)
    assert stored is not None
    world.endpoints.save(stored, stored.with_state(failures=5))
    answers(world, Reply(duration_ms=5, status_code=503, headers=(("Retry-After", "61"),)))
    Stage(world).play_seconds(1000)
    assert len(world.outbound.calls) == 1


def test_a_longer_retry_after_than_a_quarter_of_an_hour_fails_the_run() -> None:
    for asked, calls in (("900", 2), ("901", 1)):
        world = MemoryWorld()
        endpoint = an_endpoint(world, ManualBaseline(), retry=THREE)
        hint_one_shot(world, ANNE, endpoint.id, run_at=None, run_in_ms=0, ttl_minutes=None, reason=None)
        answers(world, Reply(duration_ms=5, status_code=503, headers=(("Retry-After", asked),)))
        Stage(world).play_seconds(1000)
        assert len(world.outbound.calls) == calls


@pytest.mark.parametrize("code", [400, 401, 404, 409, 418, 301])
def test_what_would_only_fail_again_is_not_tried_again(code: int) -> None:
    world = MemoryWorld()
    an_endpoint(world, retry=THREE)
    answers(world, code)
    Stage(world).play_seconds(100)
    assert len(world.outbound.calls) == 1


@pytest.mark.parametrize(
    ("reply", "again"),
    [
        (Reply(duration_ms=0, error_kind=ErrorKind.CONNECT), True),
        (Reply(duration_ms=0, error_kind=ErrorKind.TIMEOUT), True),
        (Reply(duration_ms=0, error_kind=ErrorKind.BLOCKED), False),
        (Reply(duration_ms=0, error_kind=ErrorKind.CONFIG), False),
        (Reply(duration_ms=0, error_kind=ErrorKind.LOST), False),
        *((Reply(duration_ms=0, status_code=code), True) for code in (408, 425, 429, 500, 599)),
        *((Reply(duration_ms=0, status_code=code), False) for code in (407, 424, 426, 428, 430, 499, 200)),
    ],
)
def test_connect_errors_timeouts_and_passing_statuses_are_retryable(reply: Reply, again: bool) -> None:
    assert is_retryable(reply) is again


def test_a_run_now_is_retried_like_any_other_and_leaves_the_schedule_alone() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(HOUR), retry=THREE)
    run_id = trigger_run(world, ANNE, endpoint.id)
    answers(world, 503)
    Stage(world).play_seconds(60)
    run = world.runs.get(run_id)
    assert run is not None and run.status is RunStatus.SUCCESS and len(run.attempts) == 2
    assert state_of(world, endpoint).next.slot == MIDNIGHT + HOUR


def test_a_pause_or_a_deletion_between_two_attempts_ends_the_run_with_its_last_outcome() -> None:
    for stop in (
        lambda world, endpoint_id: pause_endpoint(world, ANNE, endpoint_id, until=None, reason=None),
        lambda world, endpoint_id: delete_endpoint(world, ANNE, endpoint_id),
    ):
        world = MemoryWorld()
        endpoint = an_endpoint(world, retry=THREE)
        answers(world, Reply(duration_ms=5, status_code=503, headers=(("Retry-After", "20"),)))
        stage = Stage(world)
        stage.play_seconds(70)
        stop(world, endpoint.id)
        stage.play_seconds(90)
        page = list_runs(world, ANNE, wanted=RunFilter(), endpoint_id=endpoint.id)
        assert [(run.status, run.status_code) for run in page.items] == [(RunStatus.FAILURE, 503)]
        assert "overtaken" in (page.items[0].error_message or "") and len(world.outbound.calls) == 1


def test_a_worker_that_dies_in_a_retry_is_replaced_and_costs_no_attempt() -> None:
    world = MemoryWorld()
    an_endpoint(world, IntervalBaseline(HOUR), retry=Retry(max_attempts=2, backoff_ms=0), timeout_ms=1000)
    died = iter([False, True])

    def answer(_call: Call) -> Reply:
        if next(died, None):
            raise MemoryError("the worker dies here")
        return Reply(duration_ms=5, status_code=503 if len(world.outbound.calls) == 1 else 200)

    world.outbound.answer = answer
    stage = Stage(world)
    with pytest.raises(MemoryError):
        stage.play_seconds(3650)
    stage.play_seconds(3800)
    run = world.runs.get(dict(world.outbound.calls[0][1].headers)["Rubato-Run-Id"])
    assert run is not None and run.status is RunStatus.SUCCESS
    assert [(each.attempt, each.error_kind) for each in run.attempts] == [
        (1, ErrorKind.HTTP_STATUS), (2, ErrorKind.LOST), (3, None),
    ]  # fmt: skip


def test_a_lost_retry_message_is_sent_again() -> None:
    world = MemoryWorld()
    an_endpoint(world, IntervalBaseline(HOUR), retry=Retry(max_attempts=2, backoff_ms=0))
    answers(world, 503)
    stage = Stage(world)
    stage.play_seconds(3599)
    send = world.queue.send
    world.queue.send = lambda messages, now: []  # type: ignore[method-assign]
    stage.play_seconds(3601)
    world.queue.send = send  # type: ignore[method-assign]
    stage.play_seconds(3700)
    assert len(world.outbound.calls) == 2


def test_waits_double_up_to_their_bound_and_fill_the_whole_window() -> None:
    retry = Retry(max_attempts=10, backoff_ms=1000, max_backoff_ms=5000)
    for made, window in ((1, 1000), (2, 2000), (3, 4000), (4, 5000), (9, 5000)):
        waits = [backoff_ms(retry, f"run_{number}", made) for number in range(2000)]
        assert 0 <= min(waits) < window * 0.02 and window * 0.98 < max(waits) <= window
    assert backoff_ms(replace(retry, backoff_ms=0), "run", 1) == 0


@pytest.mark.parametrize(
    ("text", "ms"),
    [("0", 0), ("7", 7000), (" 7 ", 7000), ("-1", 0), ("1.5", 0), ("soon", 0), ("", 0), ("9" * 400, (10**12 - 1) * 1000),
     ("Wed, 01 Jan 2025 00:00:09 GMT", 9000), ("Tue, 31 Dec 2024 23:00:00 GMT", 0), ("Wed, 01 Jan 2025 00:00:09", 9000), ("Wed Jan  1 00:00:09 2025", 9000)],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_a_date_and_nonsense_asks_for_nothing(text: str, ms: int) -> None:
    assert retry_after_ms((("Retry-After", text),), MIDNIGHT) == ms


def test_a_hint_or_an_edit_that_puts_the_next_slot_before_a_waiting_retry_ends_the_run_at_once() -> None:
    for steer in (
        lambda world, endpoint: hint_interval(world, ANNE, endpoint.id, interval_ms=10_000, ttl_minutes=5, reason=None),
        lambda world, endpoint: Client(world)(
            "PATCH", f"/endpoints/{endpoint.id}", {"baseline": {"intervalMs": 10_000}}
        ),
    ):
        world = MemoryWorld()
        endpoint = an_endpoint(world, IntervalBaseline(HOUR), retry=THREE)
        answers(world, Reply(duration_ms=5, status_code=503, headers=(("Retry-After", "600"),)))
        stage = Stage(world)
        stage.play_seconds(3605)
        steer(world, endpoint)
        stage.play_seconds(3640)
        assert len(world.outbound.calls) >= 3 and world.outbound.seconds()[1] <= 3625  # one failure
        oldest = list_runs(world, ANNE, wanted=RunFilter(), endpoint_id=endpoint.id).items[-1]
        assert (oldest.status, oldest.status_code) == (RunStatus.FAILURE, 503)


def test_a_hint_written_during_a_failing_attempt_is_seen_at_its_end() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(HOUR), retry=THREE)

    def hinted(_call: Call) -> Reply:
        if len(world.outbound.calls) > 1:
            return Reply(duration_ms=5, status_code=200)
        hint_interval(world, ANNE, endpoint.id, interval_ms=10_000, ttl_minutes=5, reason=None)
        return Reply(duration_ms=5, status_code=503, headers=(("Retry-After", "600"),))

    world.outbound.answer = hinted
    Stage(world).play_seconds(3625)
    assert world.outbound.seconds() == [3600, 3610, 3620]


def test_what_a_worker_reported_too_late_decides_nothing_while_the_next_attempt_is_to_come() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(HOUR), retry=THREE, timeout_ms=1000)
    stage = Stage(world)

    def slow_then_ok(_call: Call) -> Reply:
        if len(world.outbound.calls) == 1:
            world.clock.instant += 20_000  # beyond its lease
            stage.tick()
            return Reply(duration_ms=20_000, status_code=503)
        return Reply(duration_ms=5, status_code=200)

    world.outbound.answer = slow_then_ok
    stage.play_seconds(3700)
    page = list_runs(world, ANNE, wanted=RunFilter(), endpoint_id=endpoint.id)
    assert len(world.outbound.calls) == 2 and [run.status for run in page.items] == [RunStatus.SUCCESS]
