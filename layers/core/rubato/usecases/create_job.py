"""Create a job."""

from dataclasses import replace

from rubato.domain import ids
from rubato.domain.access import Caller
from rubato.domain.jobs import Job
from rubato.ports import World
from rubato.usecases.ask_rules import ask_rules
from rubato.usecases.check_rules import check_rules
from rubato.usecases.record_event import event_by


def create_job(world: World, caller: Caller, draft: Job) -> Job:
    """Store `draft` as a new job of the caller's tenant; its id, tenant and times are set here. Raises Invalid."""
    check_rules(world, replace(draft, rules=()), draft)
    now = world.clock.now()
    job = replace(
        draft,
        job_id=ids.job_id(now, world.entropy.bytes(10)),
        tenant_id=caller.tenant_id,
        created_at=now,
        updated_at=now,
    )
    world.jobs.create(job, event_by(world, caller, job.job_id, "createJob", after={"name": job.name}))
    if job.is_ruled:
        ask_rules(world, job.job_id)
    return job
