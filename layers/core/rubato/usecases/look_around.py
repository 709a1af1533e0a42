"""Gather what a model is told of an endpoint before it begins: little, and no bodies."""

from rubato.domain.analysis import Analysis
from rubato.domain.briefing import MAX_SIBLINGS, WINDOWS_H, Situation
from rubato.domain.endpoint import Endpoint
from rubato.domain.instant import HOUR
from rubato.domain.jobs import Job
from rubato.ports import RunFilter, World

# An endpoint of one second has 86,400 runs in a day. The newest say enough of the shorter windows.
_MAX_RUNS = 1_000


def look_around(world: World, job: Job, endpoint: Endpoint, earlier: tuple[Analysis, ...]) -> Situation:
    """The endpoint among its siblings, with its runs of the longest window."""
    page = world.endpoints.of_job(job.job_id, MAX_SIBLINGS + 1, None)
    siblings = [each for each in world.endpoints.load_many(page.items) if each.id != endpoint.id]
    since = world.clock.now() - max(WINDOWS_H) * HOUR
    runs = world.runs.of_endpoint(endpoint.id, RunFilter(since=since), _MAX_RUNS, None)
    return Situation(
        job=job,
        endpoint=endpoint,
        siblings=siblings[:MAX_SIBLINGS],
        runs=runs.items,
        earlier=earlier,
        more_siblings=page.next is not None,
        more_runs=runs.next is not None,
    )
