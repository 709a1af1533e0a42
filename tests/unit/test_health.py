"""What a window of runs adds up to: exact figures for exact runs."""

import pytest

from rubato.domain import ids
from rubato.domain.endpoint import RunStatus, Source
from rubato.domain.health import percentile, summarize
from rubato.domain.instant import MINUTE, SECOND
from rubato.domain.runs import Run
from tests.worlds import MIDNIGHT

ENDPOINT = "ep_" + "0" * 26


def a_run(
    minute: int, status: RunStatus, *, took_ms: int = 100, late_ms: int = 0, source: Source = Source.BASELINE_INTERVAL
) -> Run:
    slot = MIDNIGHT + minute * MINUTE
    begun = slot + late_ms
    return Run(
        run_id=ids.run_id(ENDPOINT, slot, source.value),
        tenant_id="acme",
        job_id="job_1",
        endpoint_id=ENDPOINT,
        slot=slot,
        due_at=slot,
        source=source,
        status=status,
        started_at=begun,
        finished_at=None if status is RunStatus.RUNNING else begun + took_ms,
    )


def history(letters: str) -> list[Run]:
    """One run a minute: o ended well, x failed."""
    return [a_run(i, RunStatus.SUCCESS if each == "o" else RunStatus.FAILURE) for i, each in enumerate(letters)]


def test_without_runs_every_figure_is_unknown_and_nothing_is_divided_by_zero() -> None:
    health = summarize([])
    assert (health.run_count, health.success_count, health.failure_count) == (0, 0, 0)
    assert health.success_rate is None and health.avg_duration_ms is None
    assert (health.p50_duration_ms, health.p95_duration_ms, health.p95_lateness_ms) == (None, None, None)
    assert (health.mttr_ms, health.mtbf_ms) == (None, None)


def test_successes_and_failures_are_counted_whatever_caused_the_run() -> None:
    runs = [*history("oox"), a_run(9, RunStatus.SUCCESS, source=Source.MANUAL)]
    health = summarize(runs)
    assert (health.run_count, health.success_count, health.failure_count) == (4, 3, 1)
    assert health.success_rate == 0.75


def test_a_run_in_flight_is_not_counted() -> None:
    assert summarize([a_run(0, RunStatus.SUCCESS), a_run(1, RunStatus.RUNNING)]).run_count == 1


def test_durations_and_lateness_are_told_by_nearest_rank() -> None:
    runs = [a_run(n, RunStatus.SUCCESS, took_ms=n * 10, late_ms=n) for n in range(1, 101)]
    health = summarize(reversed(runs))
    assert (health.p50_duration_ms, health.p95_duration_ms, health.p95_lateness_ms) == (500, 950, 95)
    assert health.avg_duration_ms == 505


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([7], 50, 7), ([7], 95, 7), ([1, 2], 50, 1), ([1, 2], 95, 2), ([1, 2, 3], 50, 2), (range(1, 21), 95, 19)],
)
def test_a_percentile_is_always_a_measured_value(values: list[int], percent: int, expected: int) -> None:
    assert percentile(list(values), percent) == expected


@pytest.mark.parametrize(
    ("letters", "repair_minutes", "between_minutes"),
    [
        ("oooo", None, None),
        ("ooxo", 1, None),
        ("oxxo", 2, None),
        ("oxox", 1, 2),
        ("oxxoox", 2, 4),
        ("xoxxo", 1.5, 2),
        ("xxxx", None, None),
        ("oooxx", None, None),
        ("xoxoooxo", 1, 3),
    ],
)
def test_time_to_repair_and_time_between_failures_follow_from_the_streaks(
    letters: str, repair_minutes: float | None, between_minutes: float | None
) -> None:
    health = summarize(reversed(history(letters)))
    assert health.mttr_ms == (None if repair_minutes is None else repair_minutes * MINUTE)
    assert health.mtbf_ms == (None if between_minutes is None else between_minutes * MINUTE)


def test_a_late_start_counts_in_the_time_to_repair() -> None:
    runs = [a_run(0, RunStatus.FAILURE), a_run(1, RunStatus.SUCCESS, late_ms=5 * SECOND)]
    assert summarize(runs).mttr_ms == MINUTE + 5 * SECOND
