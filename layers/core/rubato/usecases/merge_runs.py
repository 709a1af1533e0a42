"""One list of runs out of many, newest slot first, without reading any of them to its end."""

from collections.abc import Callable, Iterable, Sequence

from rubato.domain import ids
from rubato.domain.endpoint import RunStatus
from rubato.domain.runs import Run
from rubato.ports import Page
from rubato.usecases.pool import Pool

Read = Callable[[str | None, int], Page[Run]]

_PARALLEL = 16
_LEAST = 25
# Each round reads twice as much of a list as the one before. A filter that matches next to nothing ends in a short page
# with a cursor instead of in a timeout.
_MAX_ROUNDS = 7


def merge_runs(reads: Sequence[Read], limit: int, after: str | None) -> Page[Run]:
    """The newest `limit` runs of several lists from a position on; what runs in one and has ended in another has ended.

    Each of `reads` gives the runs of its list after a position (`ids.run_order`), so many at most. The lists are read
    in parallel, and further only where they may still hold one of the newest.
    """
    found: dict[str, Run] = {}
    ahead: dict[Read, str | None] = dict.fromkeys(reads, after)
    size = max(_LEAST, 2 * limit // max(len(reads), 1))
    for _ in range(_MAX_ROUNDS):
        wanted = _worth_reading(ahead, found, limit)
        for read, page in _read_all(wanted, min(size, limit)):
            _collect(found, page.items)
            del ahead[read]
            if page.next is not None:
                ahead[read] = page.next
        size *= 2
    return _page(_newest_first(found), [each for each in ahead.values() if each is not None], limit)


def _read_all(wanted: dict[Read, str | None], size: int) -> list[tuple[Read, Page[Run]]]:
    if len(wanted) < 2:
        return [(read, read(after, size)) for read, after in wanted.items()]
    with Pool(_PARALLEL) as pool:
        return list(zip(wanted, pool.map(lambda each: each[0](each[1], size), wanted.items()), strict=True))


def _collect(found: dict[str, Run], runs: Iterable[Run]) -> None:
    for run in runs:
        if run.run_id not in found or found[run.run_id].status is RunStatus.RUNNING:
            found[run.run_id] = run


def _worth_reading(ahead: dict[Read, str | None], found: dict[str, Run], limit: int) -> dict[Read, str | None]:
    """The lists whose rest may reach above the last run that the page would show."""
    if len(found) < limit:
        return dict(ahead)
    last = ids.run_order(_newest_first(found)[limit - 1].run_id)
    return {read: position for read, position in ahead.items() if position is None or position > last}


def _newest_first(found: dict[str, Run]) -> list[Run]:
    return sorted(found.values(), key=lambda run: ids.run_order(run.run_id), reverse=True)


def _page(runs: list[Run], unread: list[str], limit: int) -> Page[Run]:
    """Only what no unread rest can precede is shown; the position after it is where all the rests begin, or earlier."""
    floor = max(unread, default="")
    shown = [run for run in runs if ids.run_order(run.run_id) >= floor][:limit]
    if len(shown) == limit and (floor or len(runs) > limit):
        return Page(tuple(shown), ids.run_order(shown[-1].run_id))
    return Page(tuple(shown), floor or None)
