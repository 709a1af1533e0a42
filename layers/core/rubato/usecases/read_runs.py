"""List and read runs. A run in flight stands in its endpoint's claim, a finished one in the history."""

from collections.abc import Callable
from functools import partial

from rubato.domain import ids
from rubato.domain.access import Caller
from rubato.domain.endpoint import Endpoint, EndpointState, RunStatus
from rubato.domain.errors import NotFound
from rubato.domain.hints import find_hint
from rubato.domain.runs import Run
from rubato.ports import Page, RunFilter, World
from rubato.usecases.get_job import endpoint_ids
from rubato.usecases.lookup import bound_jobs, find_endpoint, find_job, owns
from rubato.usecases.merge_runs import Read, merge_runs
from rubato.usecases.pages import every
from rubato.usecases.pool import Pool

History = Callable[[str, RunFilter, int, str | None], Page[Run]]

_PAGE = 200
_PARALLEL = 8


def get_run(world: World, caller: Caller, run_id: str) -> Run:
    """The run in full, finished or in flight; raises NotFound."""
    endpoint_id = ids.endpoint_of_run(run_id)
    run = world.runs.get(run_id) if endpoint_id else None
    if endpoint_id is not None and (run is None or run.is_late):
        endpoint = world.endpoints.load(endpoint_id)
        running = in_flight(endpoint) if endpoint is not None and owns(caller, endpoint) else None
        run = running if running is not None and running.run_id == run_id else run
    if run is None or run.run_id != run_id or not _owns(caller, run):
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
    """Newest slot first: of an endpoint, of a job, or of all the caller's jobs but synthetic ones.

    Raises NotFound for foreign ids.

    A run in flight has its place by its slot and keeps it when it ends, so that no page repeats or loses it.
    """
    running, history = _lists(world, caller, wanted, job_id, endpoint_id)
    reads: list[Read] = [] if wanted.status is RunStatus.RUNNING else history
    if wanted.status in (None, RunStatus.RUNNING):
        reads = [partial(_among, [run for run in running() if _matches(run, wanted)]), *reads]
    return merge_runs(reads, limit, after)


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
        started_at=claim.tried[0].started_at if claim.tried else claim.started_at,
        attempt=claim.attempt,
        hint_id=claim.plan.hint_id,
        hint=find_hint(endpoint.hints, claim.plan.hint_id),
        attempts=claim.tried,
    )


def _lists(
    world: World, caller: Caller, wanted: RunFilter, job_id: str | None, endpoint_id: str | None
) -> tuple[Callable[[], list[Run]], list[Read]]:
    """What gives the runs in flight, and the lists of those that have ended."""
    runs = world.runs
    if endpoint_id is not None:
        endpoint = find_endpoint(world, caller, endpoint_id, deleted_too=True)
        if job_id is not None and endpoint.config.job_id != job_id:
            raise NotFound("endpoint", endpoint_id)
        running = in_flight(endpoint)
        return lambda: [running] if running else [], [partial(_of, runs.of_endpoint, endpoint_id, wanted)]
    jobs = [find_job(world, caller, job_id).job_id] if job_id is not None else _users_jobs(world, caller)
    return lambda: _running_of(world, jobs), [partial(_of, runs.of_job, job, wanted) for job in jobs]


def _of(history: History, owner: str, wanted: RunFilter, after: str | None, size: int) -> Page[Run]:
    return history(owner, wanted, size, after)


def _among(running: list[Run], after: str | None, _size: int) -> Page[Run]:
    return Page(tuple(run for run in running if after is None or ids.run_order(run.run_id) < after))


def _owns(caller: Caller, run: Run) -> bool:
    return run.tenant_id == caller.tenant_id and caller.budget.covers(run.job_id)


def _users_jobs(world: World, caller: Caller) -> list[str]:
    is_bound = caller.budget.job_ids is not None
    mine = every(lambda after: world.jobs.list(caller.tenant_id, None, _PAGE, after))
    return [job.job_id for job in (bound_jobs(world, caller) if is_bound else mine) if not job.is_synthetic]


def _running_of(world: World, jobs: list[str]) -> list[Run]:
    with Pool(_PARALLEL) as pool:
        members = [each for ids_of_one in pool.map(lambda job: endpoint_ids(world, job), jobs) for each in ids_of_one]
    states: dict[str, EndpointState] = world.endpoints.states(members)
    busy = [endpoint_id for endpoint_id, state in states.items() if state.is_running]
    return [run for endpoint in world.endpoints.load_many(busy) if (run := in_flight(endpoint))]


def _matches(run: Run, wanted: RunFilter) -> bool:
    if wanted.source is not None and run.source is not wanted.source:
        return False
    return (wanted.since is None or run.slot >= wanted.since) and (wanted.until is None or run.slot < wanted.until)
