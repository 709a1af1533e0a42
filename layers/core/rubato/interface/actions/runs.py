"""The actions on runs."""

from rubato.domain.access import Caller, Scope
from rubato.domain.instant import from_iso
from rubato.interface.action import Action, action
from rubato.interface.actions.paging import next_cursor, position
from rubato.interface.inputs.runs import ListRunsInput, RunInput
from rubato.interface.outputs.runs import RunDetails, RunView
from rubato.interface.views import runs as views
from rubato.interface.wire import Listing
from rubato.ports import RunFilter, World
from rubato.usecases import read_runs


def list_runs(world: World, caller: Caller, given: ListRunsInput) -> Listing[RunView]:
    """listRuns."""
    wanted = RunFilter(
        status=given.status,
        source=given.source,
        since=from_iso(given.since, "since") if given.since is not None else None,
        until=from_iso(given.until, "until") if given.until is not None else None,
    )
    page = read_runs.list_runs(
        world,
        caller,
        wanted=wanted,
        job_id=given.job_id,
        endpoint_id=given.endpoint_id,
        limit=given.limit,
        after=position(given),
    )
    return Listing[RunView](
        items=[views.run_view(run) for run in page.items], next_cursor=next_cursor(given, page.next)
    )


def get_run(world: World, caller: Caller, given: RunInput) -> RunDetails:
    """getRunDetails."""
    return views.run_details(read_runs.get_run(world, caller, given.run_id))


ACTIONS: tuple[Action, ...] = (
    action(
        "listRuns",
        "GET /runs",
        Scope.RUNS_READ,
        "List runs, newest first, by job, endpoint, status, cause or time.",
        takes=ListRunsInput,
        gives=Listing[RunView],
        run=list_runs,
        read_only=True,
        idempotent=True,
    ),
    action(
        "getRunDetails",
        "GET /runs/{runId}",
        Scope.RUNS_READ,
        "Read a run: why it ran then, its attempts, the request as sent and the response.",
        takes=RunInput,
        gives=RunDetails,
        run=get_run,
        read_only=True,
        idempotent=True,
    ),
)
