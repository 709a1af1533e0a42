"""List a tenant's jobs."""

from rubato.domain.access import Caller
from rubato.domain.jobs import Job, JobStatus
from rubato.ports import Page, World


def list_jobs(
    world: World,
    caller: Caller,
    *,
    status: JobStatus | None = None,
    tag: str | None = None,
    is_synthetic: bool | None = None,
    limit: int = 50,
    after: str | None = None,
) -> Page[Job]:
    """Newest first. A page holds `limit` matches unless the end was reached."""
    if caller.budget.job_ids is not None:
        mine = _covered(world, caller, status, after)
        return _page([job for job in mine if _matches(job, tag, is_synthetic)], limit)
    found: list[Job] = []
    while len(found) < limit:
        page = world.jobs.list(caller.tenant_id, status, limit - len(found), after)
        found.extend(job for job in page.items if _matches(job, tag, is_synthetic))
        after = page.next
        if after is None:
            break
    return Page(tuple(found), after)


def _covered(world: World, caller: Caller, status: JobStatus | None, after: str | None) -> list[Job]:
    """The few jobs that the key may see: reading them beats a search among all of the tenant's."""
    ids = sorted(caller.budget.job_ids or (), reverse=True)
    read = (world.jobs.get(job_id) for job_id in ids if after is None or job_id < after)
    found = [job for job in read if job is not None and job.tenant_id == caller.tenant_id]
    return [job for job in found if status is None or job.status is status]


def _page(jobs: list[Job], limit: int) -> Page[Job]:
    return Page(tuple(jobs[:limit]), jobs[limit - 1].job_id if len(jobs) > limit else None)


def _matches(job: Job, tag: str | None, is_synthetic: bool | None) -> bool:
    if tag is not None and tag not in job.tags:
        return False
    return is_synthetic is None or job.is_synthetic == is_synthetic
