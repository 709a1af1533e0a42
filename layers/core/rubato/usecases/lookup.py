"""Finding what a caller names, in the caller's own tenant and jobs only: foreign and unknown look the same."""

from rubato.domain.access import Caller
from rubato.domain.endpoint import Endpoint
from rubato.domain.errors import NotFound
from rubato.domain.jobs import Job
from rubato.ports import World


def find_job(world: World, caller: Caller, job_id: str) -> Job:
    """The caller's job; raises NotFound."""
    job = world.jobs.get(job_id)
    if job is None or job.tenant_id != caller.tenant_id or not caller.budget.covers(job_id):
        raise NotFound("job", job_id)
    return job


def find_endpoint(world: World, caller: Caller, endpoint_id: str, *, deleted_too: bool = False) -> Endpoint:
    """The caller's endpoint; raises NotFound. `deleted_too` finds tombstones, for reading history."""
    endpoint = world.endpoints.load(endpoint_id)
    if endpoint is None or not owns(caller, endpoint) or (endpoint.is_deleted and not deleted_too):
        raise NotFound("endpoint", endpoint_id)
    return endpoint


def bound_jobs(world: World, caller: Caller) -> list[Job]:
    """The few jobs that a bound key may see, newest first: reading them beats a search among all of the tenant's."""
    read = (world.jobs.get(job_id) for job_id in sorted(caller.budget.job_ids or (), reverse=True))
    return [job for job in read if job is not None and job.tenant_id == caller.tenant_id]


def owns(caller: Caller, endpoint: Endpoint) -> bool:
    """Whether the endpoint is in the caller's tenant, and in a job that the caller may see."""
    config = endpoint.config
    return config.tenant_id == caller.tenant_id and caller.budget.covers(config.job_id)
