"""List a tenant's jobs."""

from rubato.domain.access import Caller
from rubato.domain.jobs import Job, JobStatus
from rubato.ports import Page, World
from rubato.usecases.lookup import bound_jobs


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
        rest = [job for job in bound_jobs(world, caller) if after is None or job.job_id < after]
        mine = [job for job in rest if status in (None, job.status) and _matches(job, tag, is_synthetic)]
        return Page(tuple(mine[:limit]), mine[limit - 1].job_id if len(mine) > limit else None)
    found: list[Job] = []
    while len(found) < limit:
        page = world.jobs.list(caller.tenant_id, status, limit - len(found), after)
        found.extend(job for job in page.items if _matches(job, tag, is_synthetic))
        after = page.next
        if after is None:
            break
    return Page(tuple(found), after)


def _matches(job: Job, tag: str | None, is_synthetic: bool | None) -> bool:
    if tag is not None and tag not in job.tags:
        return False
    return is_synthetic is None or job.is_synthetic == is_synthetic
