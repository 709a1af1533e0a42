"""What is due, in the order of time over all shards."""

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import NamedTuple

from rubato.domain.endpoint import EndpointState
from rubato.ports import World


class Due(NamedTuple):
    """An endpoint found in the due index, at its place there (ms), with its state as a lagging reading has it."""

    at: int
    endpoint_id: str
    state: EndpointState


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Up to when the index is read (ms), by whom, and where is counted what is found but not given.

    From `patience_ends` (ms) on nobody reads past further held ones to find a free one; what was found is claimed.
    """

    horizon: int
    readers: Executor
    patience_ends: int
    counts: Counter[str]


class _Stretch(NamedTuple):
    """A page with something free, and those before it that had nothing; `is_cut` when the time was over before one."""

    free: list[Due]
    held: int
    is_cut: bool = False


def read_due(world: World, shards: Sequence[int], reading: Reading) -> Iterator[Due]:
    """Oldest first across pages and shards, without those that a live lease holds; they are counted as `held`.

    The readers fetch a stretch of each shard ahead of whoever asks. A shard that can't be read ends where it broke, and
    is counted: the others must not wait for it. One that is not read to its end in time counts as one `left`.
    """
    return heapq.merge(*[_walk(world, shard, reading) for shard in shards], key=lambda due: due.at)


def _walk(world: World, shard: int, reading: Reading) -> Iterator[Due]:
    pages = world.endpoints.due(shard, reading.horizon)
    # Now, and not when the generator below is first asked: so all shards are read side by side.
    first = reading.readers.submit(_next_stretch, world, pages, reading.patience_ends)

    def walk() -> Iterator[Due]:
        coming = first
        while (stretch := coming.result()) is not None:
            reading.counts["held"] += stretch.held
            if stretch.is_cut:
                reading.counts["left"] += 1
                return
            coming = reading.readers.submit(_next_stretch, world, pages, reading.patience_ends)
            yield from stretch.free

    return walk()


def _next_stretch(world: World, pages: Iterator[list[str]], patience_ends: int) -> _Stretch | None:
    held = 0
    try:
        for page in pages:
            free, more = _look_over(world, page)
            held += more
            if free:
                return _Stretch(free, held)
            if world.clock.now() >= patience_ends:
                return _Stretch([], held, is_cut=True)
    except Exception as error:  # noqa: BLE001 - see read_due
        world.telemetry.count("shard_unread")
        world.telemetry.warn("due index not read to its end", error=type(error).__name__)
        return None
    return _Stretch([], held) if held else None


def _look_over(world: World, page: Sequence[str]) -> tuple[list[Due], int]:
    """What is free, and how many are held.

    NOTE: in a busy deployment nearly all are held: they run more often than ticks look ahead, and stand in the index
    for the case that their chain breaks. So the claims are read first, which is a fifth of the work.
    """
    now, grips = world.clock.now(), world.endpoints.grips(page)
    held = {each for each, grip in grips.items() if now < grip.until}
    world.telemetry.peak("oldest_due_age", max((grips[each].overdue_ms(now) for each in held), default=0))
    states = world.endpoints.states([each for each in page if each not in held])
    return [Due(states[each].wake_at or 0, each, states[each]) for each in page if each in states], len(held)
