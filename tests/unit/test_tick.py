"""The tick under load: oldest first, within its time, shared out, and undisturbed by what breaks."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from rubato.domain.endpoint import Endpoint
from rubato.domain.grip import Grip
from rubato.domain.ids import shard_of
from rubato.domain.instant import DAY, HOUR, MINUTE, SECOND
from rubato.domain.messages import Message, RunMessage
from rubato.domain.schedule import IntervalBaseline
from rubato.usecases import claim_due as tick
from rubato.usecases.claim_due import claim_due
from rubato.usecases.run_tick import run_tick
from tests.worlds import MIDNIGHT, MemoryWorld, Stage, a_job, an_endpoint

_IN_HAND = tick._CLAIMERS * tick._HANDFUL
_HOURS = IntervalBaseline(HOUR)


def crowd(world: MemoryWorld, count: int, age: Callable[[str, int], int] = lambda _id, n: n) -> list[str]:
    """So many hourly endpoints, all within the look-ahead; `age` orders them. Gives their ids, oldest first."""
    first = an_endpoint(world, _HOURS)
    stored = world.endpoints._endpoints
    stored.clear()
    for n in range(count):
        made = Endpoint(config=_renamed(first, n), state=first.state)
        assert made.state.next is not None
        due = MIDNIGHT + HOUR + age(made.id, n)
        planned = made.with_state(next=_moved(made.state.next, due), wake_at=due)
        stored[made.id] = planned
    world.clock.instant = MIDNIGHT + HOUR - 60 * SECOND
    return sorted(stored, key=lambda each: stored[each].state.wake_at or 0)


def _renamed(endpoint: Endpoint, n: int) -> Any:
    return replace(endpoint.config, endpoint_id=f"ep_{n:026d}", name=f"probe {n}")


def _moved(planned: Any, due: int) -> Any:
    return replace(planned, slot=due, due=due)


def claimed(world: MemoryWorld) -> set[str]:
    return {message.endpoint_id for _, message in world.queue.waiting if isinstance(message, RunMessage)}


class Passing:
    """The store of a world whose every claim takes a while on the world's clock."""

    def __init__(self, world: MemoryWorld, ms: int) -> None:
        self._world, self._ms, self._lock = world, ms, threading.Lock()
        self._save = world.endpoints.save_state

    def __call__(self, *arguments: Any) -> Any:
        """Claim, and let the time pass."""
        with self._lock:
            self._world.clock.instant += self._ms
        return self._save(*arguments)


@pytest.mark.parametrize("crowded_shard", [None, 3])
def test_what_a_tick_leaves_is_younger_than_what_it_claimed_over_all_shards_and_pages(
    crowded_shard: int | None,
) -> None:
    world = MemoryWorld()
    shards = world.limits.shards
    old = (lambda each, n: n if shard_of(each, shards) == crowded_shard else n + 9000) if crowded_shard else None
    oldest_first = crowd(world, 3000, old) if old else crowd(world, 3000)
    world.endpoints.save_state = Passing(world, 1)  # type: ignore[method-assign,assignment]
    counts = claim_due(world, range(shards), world.clock.now() + 1500)
    taken = claimed(world)
    assert 1500 <= len(taken) == counts["claimed"] <= 1500 + tick._CLAIMERS
    assert taken <= set(oldest_first[: len(taken) + _IN_HAND])
    assert len(set(oldest_first[: len(taken)]) - taken) <= _IN_HAND
    assert counts["left"] == world.telemetry.counts["left"] >= 1000
    claim_due(world, range(shards), world.clock.now() + MINUTE)
    assert claimed(world) == set(oldest_first)


def test_ten_thousand_endpoints_due_at_one_second_are_claimed_by_one_tick() -> None:
    world = MemoryWorld()
    crowd(world, 10_000, lambda _id, _n: 0)
    assert claim_due(world, range(16), world.clock.now() + MINUTE) == {"claimed": 10_000}
    assert len(claimed(world)) == len(world.queue.waiting) == 10_000


def test_a_tick_without_time_claims_nothing_and_says_how_much_it_left() -> None:
    world = MemoryWorld()
    crowd(world, 30)
    assert claim_due(world, range(16), world.clock.now()) == {"left": 30}
    assert world.queue.waiting == []


def test_of_what_a_live_lease_holds_a_tick_reads_the_claim_alone() -> None:
    world = MemoryWorld()
    crowd(world, 50)
    claim_due(world, range(16), world.clock.now() + MINUTE)
    asked: list[str] = []
    states = world.endpoints.states

    def noted(endpoint_ids: Sequence[str], *, latest: bool = False) -> Any:
        asked.extend(endpoint_ids)
        return states(endpoint_ids, latest=latest)

    world.endpoints.states = noted  # type: ignore[method-assign]
    assert claim_due(world, range(16), world.clock.now() + MINUTE) == {"held": 50}
    assert asked == []
    world.clock.instant += MINUTE + 31 * SECOND  # nobody began; the leases have ended
    assert claim_due(world, range(16), world.clock.now() + MINUTE) == {"resent": 50}


def test_runs_that_wait_on_the_queue_count_as_overdue_though_they_are_held() -> None:
    world = MemoryWorld()
    crowd(world, 50, lambda _id, n: n * SECOND // 10)
    claim_due(world, range(16), world.clock.now() + MINUTE)
    world.clock.instant = MIDNIGHT + HOUR + 3 * SECOND
    assert claim_due(world, range(16), world.clock.now() + MINUTE) == {"held": 50}
    assert world.telemetry.peaks["oldest_due_age"] == 3 * SECOND


def test_a_tick_whose_time_goes_by_over_what_is_held_says_that_it_did_not_get_through() -> None:
    world = MemoryWorld()
    crowd(world, 3000)
    claim_due(world, range(16), world.clock.now() + MINUTE)
    grips = world.endpoints.grips

    def slow(endpoint_ids: Sequence[str]) -> Any:
        world.clock.instant += SECOND
        return grips(endpoint_ids)

    world.endpoints.grips = slow  # type: ignore[method-assign]
    counts = claim_due(world, range(16), world.clock.now() + 5 * SECOND)
    assert counts["left"] >= 1 and counts["held"] < 3000 and counts["claimed"] == 0


def test_a_tick_claims_what_it_found_before_its_time_goes_by_over_what_is_held() -> None:
    world = MemoryWorld()
    (free,) = crowd(world, 1)
    busy = shard_of(free, 16) ^ 1
    due = world.endpoints.due

    def endless(shard: int, until: int) -> Iterator[list[str]]:
        yield from due(shard, until)
        while shard == busy:
            world.clock.instant += SECOND
            yield ["held"]

    world.endpoints.due = endless  # type: ignore[method-assign]

    def grips(endpoint_ids: Sequence[str]) -> dict[str, Grip]:
        return {each: Grip(MIDNIGHT + DAY, None) for each in endpoint_ids if each == "held"}

    world.endpoints.grips = grips  # type: ignore[method-assign]
    counts = claim_due(world, range(16), world.clock.now() + 40 * SECOND)
    assert (counts["claimed"], counts["left"]) == (1, 1) and claimed(world) == {free}


def test_a_queue_that_raises_does_not_keep_the_tick_from_the_rest() -> None:
    world = MemoryWorld()
    crowd(world, 300)
    send, broken = world.queue.send, threading.Semaphore(5)

    def failing(messages: Sequence[Message], now: int) -> list[Message]:
        if broken.acquire(blocking=False):
            raise ConnectionError("throttled")
        return send(messages, now)

    world.queue.send = failing  # type: ignore[method-assign]
    assert claim_due(world, range(16), world.clock.now() + MINUTE) == {"claimed": 300}
    assert len(claimed(world)) == 250 and world.telemetry.warnings == ["run messages not sent"] * 5
    world.queue.waiting.clear()
    world.clock.instant = MIDNIGHT + HOUR + 31 * SECOND
    assert claim_due(world, range(16), world.clock.now() + MINUTE)["resent"] == 300


def test_a_shard_that_can_not_be_read_does_not_keep_the_tick_from_the_others() -> None:
    world = MemoryWorld()
    everyone = crowd(world, 200)
    due = world.endpoints.due

    def unreadable(shard: int, until: int) -> Iterator[list[str]]:
        if shard == 3:
            raise ConnectionError("throttled")
        yield from due(shard, until)

    world.endpoints.due = unreadable  # type: ignore[method-assign]
    claim_due(world, range(16), world.clock.now() + MINUTE)
    assert claimed(world) == {each for each in everyone if shard_of(each, 16) != 3}
    assert world.telemetry.counts["shard_unread"] == 1


def test_several_workers_share_the_shards_of_a_tick_and_leave_none_out() -> None:
    world = MemoryWorld()
    everyone = crowd(world, 400)
    world.limits = _with_workers(world, 3)
    run_tick(world, world.clock.now() + MINUTE)
    assert claimed(world) == {each for each in everyone if shard_of(each, 16) % 3 == 0}
    assert sorted(world.tick_workers.started) == [[1, 4, 7, 10, 13], [2, 5, 8, 11, 14]]
    while world.tick_workers.started:
        claim_due(world, world.tick_workers.started.pop(), world.clock.now() + MINUTE)
    assert claimed(world) == set(everyone)


@pytest.mark.parametrize("workers", [1, 16, 64])
def test_there_are_never_more_workers_than_shards(workers: int) -> None:
    world = MemoryWorld()
    world.limits = _with_workers(world, workers)
    run_tick(world, world.clock.now() + MINUTE)
    shares = [*world.tick_workers.started, [0]] if workers > 1 else [list(range(16))]
    assert sorted(shard for share in shares for shard in share) == list(range(16)) and all(shares)


def test_what_no_worker_could_be_started_for_the_tick_works_itself() -> None:
    world = MemoryWorld()
    everyone = crowd(world, 100)
    world.limits = _with_workers(world, 4)
    world.tick_workers.failing = True
    run_tick(world, world.clock.now() + MINUTE)
    assert claimed(world) == set(everyone) and world.telemetry.warnings == ["tick worker not started"] * 3


def test_a_loop_whose_ticks_are_shared_out_keeps_its_time() -> None:
    world = MemoryWorld()
    world.limits = _with_workers(world, 5)
    job = a_job(world)
    for n in range(12):
        an_endpoint(world, IntervalBaseline(10 * MINUTE), job, name=str(n))
    Stage(world).play_seconds(1300)
    assert sorted(world.outbound.seconds()) == [600] * 12 + [1200] * 12


def _with_workers(world: MemoryWorld, workers: int) -> Any:
    return replace(world.limits, tick_workers=workers)
