"""What a window of runs says about an endpoint: rates, durations, and how long it stays up and down. Arithmetic only.

Every run that has ended counts, whatever caused it. Percentiles are by nearest rank: the smallest value that at least
that share of the runs does not exceed, so always one that was measured. A failure streak is a row of failed runs
without a success between them; what began before the window begins, for these figures, with the window's first run.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rubato.domain.endpoint import RunStatus
from rubato.domain.runs import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Durations in ms, rates from 0 to 1; None where no run could say."""

    run_count: int
    success_count: int
    failure_count: int
    success_rate: float | None
    avg_duration_ms: int | None
    p50_duration_ms: int | None
    p95_duration_ms: int | None
    p95_lateness_ms: int | None
    mttr_ms: int | None
    mtbf_ms: int | None


@dataclass(frozen=True, slots=True)
class Outage:
    """A failure streak: when its first run began, and when the success that ended it began; None while it lasts."""

    began: int
    ended: int | None


def summarize(runs: Iterable[Run]) -> Health:
    """The figures of these runs, which may come in any order; a run that has not ended is passed over."""
    ended = [run for run in runs if run.status is not RunStatus.RUNNING and run.started_at is not None]
    durations = sorted(run.duration_ms for run in ended if run.duration_ms is not None)
    lateness = sorted(run.lateness_ms for run in ended if run.lateness_ms is not None)
    successes = sum(1 for run in ended if run.status is RunStatus.SUCCESS)
    streaks = outages(ended)
    return Health(
        run_count=len(ended),
        success_count=successes,
        failure_count=len(ended) - successes,
        success_rate=successes / len(ended) if ended else None,
        avg_duration_ms=_mean(durations),
        p50_duration_ms=percentile(durations, 50),
        p95_duration_ms=percentile(durations, 95),
        p95_lateness_ms=percentile(lateness, 95),
        mttr_ms=_mean([streak.ended - streak.began for streak in streaks if streak.ended is not None]),
        mtbf_ms=_mean([later.began - earlier.began for earlier, later in pairwise(streaks)]),
    )


def outages(runs: Iterable[Run]) -> list[Outage]:
    """The failure streaks, oldest first."""
    found: list[Outage] = []
    for began, status in sorted((run.started_at or 0, run.status) for run in runs):
        down = bool(found) and found[-1].ended is None
        if status is RunStatus.FAILURE and not down:
            found.append(Outage(began, None))
        elif status is RunStatus.SUCCESS and down:
            found[-1] = Outage(found[-1].began, began)
    return found


def percentile(ascending: Sequence[int], percent: int) -> int | None:
    """By nearest rank; None of nothing."""
    if not ascending:
        return None
    rank = -(-len(ascending) * percent // 100)
    return ascending[max(rank, 1) - 1]


def _mean(values: Sequence[int]) -> int | None:
    return round(sum(values) / len(values)) if values else None
