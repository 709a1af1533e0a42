"""How an endpoint does: its runs within a window in sum, and the state that no run shows."""

from collections.abc import Iterator
from dataclasses import dataclass

from rubato.domain.access import Caller
from rubato.domain.endpoint import Endpoint
from rubato.domain.health import Health, summarize
from rubato.domain.instant import SECOND
from rubato.domain.runs import Run
from rubato.ports import Page, RunFilter, World
from rubato.usecases.lookup import find_endpoint
from rubato.usecases.pages import every

# An endpoint of one second has 2.6 million runs in a month: so many are read at most, newest first, and for so long.
MAX_RUNS = 10_000
_BUDGET_MS = 12 * SECOND
_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """`since` in ms: the window's beginning, or the slot of the oldest run that was read when that was `truncated`."""

    endpoint: Endpoint
    health: Health
    since: int
    truncated: bool


def summarize_health(world: World, caller: Caller, endpoint_id: str, window_ms: int) -> HealthReport:
    """The endpoint and its runs whose slots lie in the last `window_ms`. Raises NotFound."""
    endpoint = find_endpoint(world, caller, endpoint_id)
    since = world.clock.now() - window_ms
    runs: list[Run] = []
    truncated = False
    deadline = world.clock.now() + _BUDGET_MS
    for run in _newest_first(world, endpoint_id, since):
        if len(runs) == MAX_RUNS or world.clock.now() > deadline:
            truncated = True
            break
        runs.append(run)
    return HealthReport(
        endpoint=endpoint,
        health=summarize(runs),
        since=runs[-1].slot if truncated and runs else since,
        truncated=truncated,
    )


def _newest_first(world: World, endpoint_id: str, since: int) -> Iterator[Run]:
    wanted = RunFilter(since=since)

    def read(after: str | None) -> Page[Run]:
        return world.runs.of_endpoint(endpoint_id, wanted, _PAGE, after)

    return every(read)
