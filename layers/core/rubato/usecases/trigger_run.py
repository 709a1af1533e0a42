"""Run an endpoint now, outside its schedule."""

from rubato.domain import lease
from rubato.domain.access import Caller
from rubato.domain.endpoint import Endpoint
from rubato.domain.errors import Conflict, NotFound
from rubato.domain.jobs import JobStatus
from rubato.ports import World
from rubato.usecases.enforce_quota import take_run_now
from rubato.usecases.lookup import find_endpoint, owns
from rubato.usecases.record_event import event_by
from rubato.usecases.replan import Changed, replan


def trigger_run(world: World, caller: Caller, endpoint_id: str) -> str:
    """Send a run-now and give its run id. Raises NotFound, and Conflict that names a run in flight."""

    job = world.jobs.get(find_endpoint(world, caller, endpoint_id).config.job_id)
    if job is not None and job.status is JobStatus.ARCHIVED:
        raise Conflict(f"job {job.job_id} is archived; set its status to active first")

    taken = False

    def change(endpoint: Endpoint, now: int) -> Changed:
        if not owns(caller, endpoint) or endpoint.is_deleted:
            raise NotFound("endpoint", endpoint_id)
        current = endpoint.state.claim
        if current is not None and endpoint.state.is_running:
            raise Conflict(f"run {current.run_id} is in flight; wait for its end")
        nonlocal taken
        if not taken:
            take_run_now(world, caller, endpoint)
            taken = True
        event = event_by(world, caller, endpoint_id, "triggerRun")
        return Changed(lease.trigger(endpoint, now), (event,))

    claimed = replan(world, endpoint_id, change).state.claim
    assert claimed is not None
    return claimed.run_id
