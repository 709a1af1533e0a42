"""What people see, over every store: pages of many jobs' runs, the trail of a deleted endpoint, a window in sum."""

from dataclasses import replace
from typing import Any

import pytest

from rubato.domain import ids
from rubato.domain.endpoint import RunStatus
from rubato.domain.instant import HOUR, SECOND
from rubato.domain.schedule import IntervalBaseline
from rubato.ports import RunFilter
from rubato.usecases import summarize_health as summarizing
from rubato.usecases.list_events import list_events
from rubato.usecases.read_runs import get_run, list_runs
from rubato.usecases.steer_endpoint import hint_one_shot, resume_endpoint
from rubato.usecases.summarize_health import summarize_health
from rubato.usecases.trigger_run import trigger_run
from rubato.usecases.update_endpoint import delete_endpoint
from tests.unit.histories import a_run, record
from tests.worlds import ANNE, Stage, a_job, an_endpoint


def walked(world: Any, limit: int, wanted: RunFilter) -> list[str]:
    """The ids of all runs of all jobs, page by page."""
    found: list[str] = []
    after: str | None = None
    while True:
        page = list_runs(world, ANNE, wanted=wanted, limit=limit, after=after)
        found += [run.run_id for run in page.items]
        if page.next is None:
            return found
        after = page.next


@pytest.mark.parametrize("wanted", [RunFilter(), RunFilter(status=RunStatus.FAILURE)], ids=["all", "failures"])
def test_the_runs_of_all_jobs_are_walked_once_each_newest_first(world: Any, wanted: RunFilter) -> None:
    made = []
    for number in range(3):
        endpoint = an_endpoint(world, IntervalBaseline(HOUR), a_job(world, name=str(number)))
        made += record(world, endpoint, *range(number, 12, number + 1))
        made += record(world, endpoint, *range(20, 24), status=RunStatus.FAILURE)
        if number == 1:
            world.clock.instant += 15 * SECOND
            started = trigger_run(world, ANNE, endpoint.id)
    expected = [run.run_id for run in made if wanted.status in (None, run.status)]
    expected += [started] if wanted.status is None else []
    assert walked(world, 4, wanted) == sorted(expected, key=ids.run_order, reverse=True)


def test_a_run_keeps_the_one_shot_that_it_used_up(world: Any) -> None:
    endpoint = an_endpoint(world, IntervalBaseline(HOUR))
    _, hint = hint_one_shot(
        world, ANNE, endpoint.id, run_at=None, run_in_ms=5000, ttl_minutes=None, reason="check the ✓"
    )
    Stage(world).play_seconds(10)
    run = list_runs(world, ANNE, wanted=RunFilter(), endpoint_id=endpoint.id).items[0]
    assert run.hint_id == hint.hint_id and run.hint is None
    assert get_run(world, ANNE, run.run_id).hint == hint
    assert world.endpoints.load(endpoint.id).hints == ()


def test_the_trail_of_a_deleted_endpoint_is_read_to_its_beginning(world: Any) -> None:
    endpoint = an_endpoint(world)
    for number in range(2):
        world.clock.instant += 1
        resume_endpoint(world, ANNE, endpoint.id, reason=str(number))
    world.clock.instant += 1
    delete_endpoint(world, ANNE, endpoint.id, "moved")
    first = list_events(world, ANNE, endpoint.id, limit=3, after=None)
    assert [event.reason for event in first.items] == ["moved", "1", "0"]
    rest = list_events(world, ANNE, endpoint.id, limit=3, after=first.next)
    assert [event.action for event in rest.items] == ["addEndpointToJob"] and rest.next is None


def test_a_window_is_summed_over_its_pages(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summarizing, "_PAGE", 3)
    endpoint = an_endpoint(world)
    record(world, endpoint, *range(1, 8))
    world.runs.record(replace(a_run(endpoint, 8, RunStatus.FAILURE), error_message="status 500"))
    report = summarize_health(world, ANNE, endpoint.id, HOUR)
    assert (report.health.run_count, report.health.failure_count, report.truncated) == (8, 1, False)
    monkeypatch.setattr(summarizing, "MAX_RUNS", 7)
    cut = summarize_health(world, ANNE, endpoint.id, HOUR)
    assert (cut.health.run_count, cut.health.failure_count, cut.truncated) == (7, 1, True)
