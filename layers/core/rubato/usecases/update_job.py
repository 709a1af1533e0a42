"""Change, pause, resume, archive and restore a job."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rubato.domain.access import Caller
from rubato.domain.errors import Conflict, StaleVersion, WriteRaced
from rubato.domain.jobs import Job, JobStatus
from rubato.ports import World
from rubato.usecases.ask_rules import ask_rules
from rubato.usecases.check_rules import check_rules
from rubato.usecases.follow_job import follow_job, has_to_follow, promise_to_follow
from rubato.usecases.lookup import find_job
from rubato.usecases.record_event import difference, event_by
from rubato.usecases.replan import MAX_TRIES
from rubato.usecases.rest_rules import rest_rules

Edit = Callable[[Job], Job]
Describe = Callable[[Job], dict[str, Any]]


def update_job(  # noqa: PLR0913 - as many as a request has
    world: World,
    caller: Caller,
    job_id: str,
    edit: Edit,
    *,
    describe: Describe | None = None,
    action: str = "updateJob",
    if_version: int | None = None,
    reason: str | None = None,
    names_lead: bool = False,
) -> Job:
    """Apply `edit` under a conditional write and, when its status or its planner changed, tell every endpoint.

    Also when the caller names what it has already: then an endpoint that did not follow last time does now. Rules that
    are new look at once; those of a job that is resumed wait for its next run. `describe` gives what the trail is to
    tell of a job, of which it keeps what changed; by default name and status. Raises NotFound, Invalid for rules,
    StaleVersion when `if_version` is not the stored one, Conflict under endless races.
    """
    told = describe or _told
    for _ in range(MAX_TRIES):
        before = find_job(world, caller, job_id)
        if if_version is not None and before.version != if_version:
            raise StaleVersion(f"job {job_id} is at version {before.version}; read it again")
        after = replace(edit(before), updated_at=world.clock.now())
        check_rules(world, before, after)
        old, new = difference(told(before), told(after))
        event = event_by(world, caller, job_id, action, before=old, after=new, reason=reason)
        is_followed = names_lead or has_to_follow(before, after)
        _promise(world, before, after, is_followed)
        try:
            saved = world.jobs.save(before, after, event)
        except WriteRaced:
            continue
        _keep_promise(world, before, saved, is_followed)
        return saved
    raise Conflict(f"job {job_id} is being changed by too many writers; try again")


def archive_job(world: World, caller: Caller, job_id: str, reason: str | None = None) -> Job:
    """Stop all endpoints of the job and keep its history."""
    return update_job(
        world, caller, job_id, lambda job: replace(job, status=JobStatus.ARCHIVED), action="archiveJob", reason=reason
    )


def _promise(world: World, before: Job, after: Job, is_followed: bool) -> None:
    """What must happen though this process dies once the job is saved."""
    if is_followed:
        promise_to_follow(world, after.job_id)
    if before.holds and not after.holds:
        rest_rules(world, after.job_id)


def _keep_promise(world: World, before: Job, saved: Job, is_followed: bool) -> None:
    if is_followed:
        follow_job(world, saved)
    if before.rules != saved.rules:
        ask_rules(world, saved.job_id)


def _told(job: Job) -> dict[str, Any]:
    return {"name": job.name, "status": job.status.value}
