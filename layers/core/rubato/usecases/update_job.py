"""Change, pause, resume, archive and restore a job."""

from collections.abc import Callable
from dataclasses import replace

from rubato.domain.access import Caller
from rubato.domain.errors import Conflict, StaleVersion, WriteRaced
from rubato.domain.jobs import Job, JobStatus
from rubato.ports import World
from rubato.usecases.ask_rules import ask_rules
from rubato.usecases.check_rules import check_rules
from rubato.usecases.follow_job import follow_job, has_to_follow, promise_to_follow
from rubato.usecases.lookup import find_job
from rubato.usecases.record_event import event_by
from rubato.usecases.replan import MAX_TRIES
from rubato.usecases.rest_rules import rest_rules


def update_job(  # noqa: PLR0913 - as many as a request has
    world: World,
    caller: Caller,
    job_id: str,
    edit: Callable[[Job], Job],
    *,
    action: str = "updateJob",
    if_version: int | None = None,
    reason: str | None = None,
    names_lead: bool = False,
) -> Job:
    """Apply `edit` under a conditional write and, when its status or its planner changed, tell every endpoint.

    Also when the caller names what it has already: then an endpoint that did not follow last time does now. Rules that
    are new look at once; those of a job that is resumed wait for its next run. Raises NotFound, Invalid for rules,
    StaleVersion when `if_version` is not the stored one, Conflict under endless races.
    """
    for _ in range(MAX_TRIES):
        before = find_job(world, caller, job_id)
        if if_version is not None and before.version != if_version:
            raise StaleVersion(f"job {job_id} is at version {before.version}; read it again")
        after = replace(edit(before), updated_at=world.clock.now())
        event = event_by(world, caller, job_id, action, before=_told(before), after=_told(after), reason=reason)
        check_rules(world, before, after)
        is_followed = names_lead or has_to_follow(before, after)
        if is_followed:
            promise_to_follow(world, job_id)
        if before.holds and not after.holds:
            rest_rules(world, job_id)
        try:
            saved = world.jobs.save(before, after, event)
        except WriteRaced:
            continue
        if is_followed:
            follow_job(world, saved)
        if before.rules != saved.rules:
            ask_rules(world, job_id)
        return saved
    raise Conflict(f"job {job_id} is being changed by too many writers; try again")


def archive_job(world: World, caller: Caller, job_id: str, reason: str | None = None) -> Job:
    """Stop all endpoints of the job and keep its history."""
    return update_job(
        world, caller, job_id, lambda job: replace(job, status=JobStatus.ARCHIVED), action="archiveJob", reason=reason
    )


def _told(job: Job) -> dict[str, str]:
    return {"name": job.name, "status": job.status.value}
