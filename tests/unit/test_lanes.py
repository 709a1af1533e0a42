"""Bulkheads: which lane a run takes, and how a message that failed comes back."""

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from rubato.adapters.sqs import SqsRunQueue
from rubato.domain.endpoint import Retry
from rubato.domain.exchange import Call, ErrorKind, Reply
from rubato.domain.instant import HOUR, SECOND
from rubato.domain.lane import SLOW_MS, Lane
from rubato.domain.messages import RunMessage
from rubato.domain.redelivery import backoff_s, patience_s
from rubato.domain.schedule import IntervalBaseline
from rubato.usecases.handle_message import handle_message
from rubato.usecases.trigger_run import trigger_run
from tests.worlds import ANNE, MIDNIGHT, MemoryWorld, Stage, an_endpoint


def timing_out(_call: Call) -> Reply:
    return Reply(duration_ms=SLOW_MS, error_kind=ErrorKind.TIMEOUT, error_message="no answer")


def waiting(world: MemoryWorld) -> list[Lane]:
    return [message.lane for _, message in world.queue.waiting if isinstance(message, RunMessage)]


@pytest.mark.parametrize(("takes_ms", "lane"), [(SLOW_MS - 1, Lane.FAST), (SLOW_MS, Lane.SLOW), (30_000, Lane.SLOW)])
def test_the_run_after_a_slow_one_takes_the_slow_lane(takes_ms: int, lane: Lane) -> None:
    world = MemoryWorld()
    an_endpoint(world, IntervalBaseline(60 * SECOND))
    assert waiting(world) == [Lane.FAST]
    world.outbound.takes_ms = takes_ms
    Stage(world).play_seconds(61)
    assert waiting(world) == [lane]


def test_an_endpoint_that_answers_fast_again_comes_back_to_the_fast_lane() -> None:
    world = MemoryWorld()
    an_endpoint(world, IntervalBaseline(60 * SECOND))
    stage = Stage(world)
    world.outbound.takes_ms = SLOW_MS
    stage.play_seconds(60)
    world.outbound.takes_ms = 0
    stage.play_seconds(120)
    assert waiting(world) == [Lane.FAST]


def test_the_tick_a_resend_and_a_run_now_take_the_lane_too() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(HOUR))
    world.outbound.takes_ms = SLOW_MS
    stage = Stage(world)
    stage.play_seconds(3600)
    stage.play_seconds(2 * 3600 - 60)
    assert waiting(world) == [Lane.SLOW]
    world.queue.waiting.clear()
    world.clock.sleep_until(MIDNIGHT + (2 * 3600 + 60) * SECOND)
    stage.tick()
    assert waiting(world) == [Lane.SLOW]
    stage.play_seconds(2 * 3600 + 120)
    trigger_run(world, ANNE, endpoint.id)
    assert waiting(world) == [Lane.SLOW]


def test_a_message_that_comes_too_early_goes_back_to_its_lane() -> None:
    world = MemoryWorld()
    an_endpoint(world, IntervalBaseline(60 * SECOND))
    world.outbound.takes_ms = SLOW_MS
    Stage(world).play_seconds(61)
    (_, message), *_ = world.queue.waiting
    world.queue.waiting.clear()
    assert handle_message(world, message) == "early"
    assert waiting(world) == [Lane.SLOW]


def test_a_first_attempt_that_hung_sends_its_retry_into_the_slow_lane_and_a_fast_failure_does_not() -> None:
    for answer, lane in ((timing_out, Lane.SLOW), (lambda _: Reply(duration_ms=9, status_code=503), Lane.FAST)):
        world = MemoryWorld()
        retry = Retry(max_attempts=2, backoff_ms=5000)
        an_endpoint(world, IntervalBaseline(60 * SECOND), retry=retry)
        world.outbound.answer = answer
        (_, message), *_ = world.queue.waiting
        world.queue.waiting.clear()
        world.clock.sleep_until(MIDNIGHT + 60 * SECOND)
        assert handle_message(world, message) == "retry"
        assert waiting(world) == [lane]


def test_an_attempt_that_takes_its_worker_with_it_is_repeated_in_the_slow_lane() -> None:
    def lost_worker(_call: Call) -> Reply:
        raise MemoryError("the worker dies here")

    world = MemoryWorld()
    an_endpoint(world, IntervalBaseline(HOUR), timeout_ms=1000)
    world.outbound.answer = lost_worker
    stage = Stage(world)
    with pytest.raises(MemoryError):
        stage.play_seconds(3601)
    stage.tick()
    assert waiting(world) == []
    world.clock.sleep_until(MIDNIGHT + 3660 * SECOND)
    stage.tick()
    assert waiting(world) == [Lane.SLOW]


def test_a_message_that_failed_comes_back_after_seconds_and_a_poisoned_one_is_buried_within_about_a_minute() -> None:
    for message_id in (f"message {n}" for n in range(200)):
        waits = [backoff_s(message_id, received) for received in range(1, 6)]
        assert all(low <= wait <= 2 * low for low, wait in zip((1, 2, 4, 8, 16), waits, strict=True))
        assert all(later > wait - 1 for wait, later in pairwise(waits)) and 31 <= sum(waits) <= 62
    assert {backoff_s(f"message {n}", 3) for n in range(200)} == {4, 5, 6, 7, 8}
    assert 16 <= backoff_s("message", 99) <= 32


def test_what_nobody_sends_again_is_tried_for_long_enough_to_outlast_an_outage() -> None:
    waits = [[patience_s(f"message {n}", received) for n in range(200)] for received in range(1, 5)]
    bounds = zip(waits, [(15, 30), (60, 120), (240, 480), (450, 900)], strict=True)
    assert all(least <= min(each) < max(each) <= most for each, (least, most) in bounds)


def test_a_queue_that_refuses_the_one_lane_gets_the_messages_of_the_other() -> None:
    sent: list[str] = []

    def send_message_batch(**asked: Any) -> dict[str, Any]:
        if asked["QueueUrl"] == "fast":
            raise ConnectionError("throttled")
        sent.append(asked["QueueUrl"])
        return {}

    queue = SqsRunQueue(SimpleNamespace(send_message_batch=send_message_batch), {Lane.FAST: "fast", Lane.SLOW: "slow"})
    messages = [
        RunMessage(endpoint_id="ep_1", due=0, run_id="run_1", fence=1, lane=lane) for lane in (Lane.FAST, Lane.SLOW)
    ]
    with pytest.raises(ConnectionError):
        queue.send(messages, 0)
    assert sent == ["slow"]
