"""List and read runs. A run in flight stands in its endpoint's claim, a finished one in the history."""

import heapq
from collections.abc import Iterable, Iterator

from rubato.domain import ids
from rubato.domain.access import Caller
from rubato.domain.endpoint import Endpoint, EndpointState, RunStatus
from rubato.domain.errors import NotFound
from rubato.domain.runs import Run
from rubato.ports import Page, RunFilter, Runs, World
from rubato.usecases.compile_run import lost_attempts
from rubato.usecases.get_job import endpoint_ids
from rubato.usecases.lookup import find_endpoint, find_job, owns

_PAGE = 100
_BEFORE_ALL = "~"  # sorts after every run, so it continues with the newest


def get_run(world: World, caller: Caller, run_id: str) -> Run:
    """The run in full, finished or in flight; raises NotFound."""
    endpoint_id = ids.endpoint_of_run(run_id)
    run = world.runs.get(run_id) if endpoint_id else None
    if run is None and endpoint_id is not None:
        endpoint = world.endpoints.load(endpoint_id)
        run = in_flight(endpoint) if endpoint is not None and owns(caller, endpoint) else None
    if run is None or run.run_id != run_id or run.tenant_id != caller.tenant_id:
        raise NotFound("run", run_id)
    return run


def list_runs(
    world: World,
    caller: Caller,
    *,
    wanted: RunFilter,
    job_id: str | None = None,
    endpoint_id: str | None = None,
    limit: int = 50,
    after: str | None = None,
) -> Page[Run]:
    """Newest slot first: of an endpoint, of a job, or of all the caller's jobs. Raises NotFound for foreign ids."""
    if endpoint_id is not None:
        endpoint = find_endpoint(world, caller, endpoint_id, deleted_too=True)
        if job_id is not None and endpoint.config.job_id != job_id:
            raise NotFound("endpoint", endpoint_id)
        return _with_running(
            [in_flight(endpoint)], world.runs.of_endpoint(endpoint_id, wanted, limit, after), wanted, limit, after
        )
    jobs = [find_job(world, caller, job_id).job_id] if job_id is not None else _all_jobs(world, caller)
    running = [run for each in jobs for run in _running_of(world, each)] if _may_be_running(wanted) else []
    return _with_running(running, _of_jobs(world.runs, jobs, wanted, limit, after), wanted, limit, after)


def in_flight(endpoint: Endpoint) -> Run | None:
    """The run in flight as a record, from the endpoint's claim; None when nothing is."""
    claim = endpoint.state.claim
    if claim is None or not endpoint.state.is_running:
        return None
    return Run(
        run_id=claim.run_id,
        tenant_id=endpoint.config.tenant_id,
        job_id=endpoint.config.job_id,
        endpoint_id=endpoint.id,
        slot=claim.plan.slot,
        due_at=claim.plan.due,
        source=claim.plan.source,
        status=RunStatus.RUNNING,
        started_at=claim.lost[0] if claim.lost else claim.started_at,
        attempt=claim.attempt,
        hint_id=claim.plan.hint_id,
        attempts=lost_attempts(claim.lost),
    )


def _of_jobs(runs: Runs, jobs: list[str], wanted: RunFilter, limit: int, after: str | None) -> Page[Run]:
    if wanted.status is RunStatus.RUNNING:
        return Page(())
    streams: Iterable[Iterator[Run]] = (_stream(runs, job, wanted, limit, after) for job in jobs)
    merged = heapq.merge(*streams, key=lambda run: ids.run_order(run.run_id), reverse=True)
    items = tuple(run for run, _ in zip(merged, range(limit), strict=False))
    return Page(items, ids.run_order(items[-1].run_id) if len(items) == limit else None)


def _stream(runs: Runs, job_id: str, wanted: RunFilter, limit: int, after: str | None) -> Iterator[Run]:
    while True:
        page = runs.of_job(job_id, wanted, min(limit, _PAGE), after)
        yield from page.items
        if page.next is None:
            return
        after = page.next


def _all_jobs(world: World, caller: Caller) -> list[str]:
    found: list[str] = []
    after: str | None = None
    while True:
        page = world.jobs.list(caller.tenant_id, None, 200, after)
        found.extend(job.job_id for job in page.items)
        if page.next is None:
            return found
        after = page.next


def _running_of(world: World, job_id: str) -> list[Run]:
    members = endpoint_ids(world, job_id)
    states: dict[str, EndpointState] = world.endpoints.states(members)
    busy = [endpoint_id for endpoint_id, state in states.items() if state.is_running]
    return [run for endpoint in world.endpoints.load_many(busy) if (run := in_flight(endpoint))]


def _may_be_running(wanted: RunFilter) -> bool:
    return wanted.status in (None, RunStatus.RUNNING)


def _with_running(
    running: Iterable[Run | None], finished: Page[Run], wanted: RunFilter, limit: int, after: str | None
) -> Page[Run]:
    """Runs in flight lead the first page; they are no part of the history that cursors walk."""
    if after is not None or not _may_be_running(wanted):
        return finished
    leading = [run for run in running if run is not None and _matches(run, wanted)]
    leading.sort(key=lambda run: run.slot, reverse=True)
    if wanted.status is RunStatus.RUNNING:
        return Page(tuple(leading[:limit]))
    known = {run.run_id for run in leading}
    ended = [run for run in finished.items if run.run_id not in known]
    shown = ended[: max(limit - len(leading), 0)]
    if len(shown) == len(ended):
        return Page((*leading[:limit], *shown), finished.next)
    return Page((*leading[:limit], *shown), ids.run_order(shown[-1].run_id) if shown else _BEFORE_ALL)


def _matches(run: Run, wanted: RunFilter) -> bool:
    if wanted.source is not None and run.source is not wanted.source:
        return False
    return (wanted.since is None or run.slot >= wanted.since) and (wanted.until is None or run.slot < wanted.until)
