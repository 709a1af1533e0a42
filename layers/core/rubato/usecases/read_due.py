"""What is due, in the order of time over all shards."""

import heapq
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from typing import NamedTuple

from rubato.domain.endpoint import EndpointState
from rubato.ports import World


class Due(NamedTuple):
    """An endpoint found in the due index, at its place there (ms), with its state as a lagging reading has it."""

    at: int
    endpoint_id: str
    state: EndpointState


def read_due(world: World, shards: Sequence[int], horizon: int, readers: Executor) -> Iterator[Due]:
    """Oldest first across pages and shards. `readers` fetch a page of each shard ahead of whoever asks.

    A shard that can't be read ends where it broke, and is counted: the others must not wait for it.
    """
    return heapq.merge(*[_walk(world, shard, horizon, readers) for shard in shards], key=lambda due: due.at)


def _walk(world: World, shard: int, horizon: int, readers: Executor) -> Iterator[Due]:
    pages = world.endpoints.due(shard, horizon)
    first = readers.submit(_next_page, world, pages)  # now, and not when the generator below is first asked

    def walk() -> Iterator[Due]:
        coming = first
        while (page := coming.result()) is not None:
            coming = readers.submit(_next_page, world, pages)
            yield from page

    return walk()


def _next_page(world: World, pages: Iterator[list[str]]) -> list[Due] | None:
    try:
        page = next(pages, None)
        if page is None:
            return None
        states = world.endpoints.states(page)
    except Exception as error:  # noqa: BLE001 - see read_due
        world.telemetry.count("shard_unread")
        world.telemetry.warn("due index not read to its end", error=type(error).__name__)
        return None
    return [Due(states[each].wake_at or 0, each, states[each]) for each in page if each in states]
