"""The endpoints of a job follow its status, and whether it has rules or a planner or is synthetic, whatever dies."""

from rubato.domain import edits
from rubato.domain.endpoint import Endpoint
from rubato.domain.instant import SECOND
from rubato.domain.jobs import Job
from rubato.domain.messages import JobMessage
from rubato.ports import World
from rubato.usecases.get_job import endpoint_ids
from rubato.usecases.pool import Pool
from rubato.usecases.replan import Changed, replan
from rubato.usecases.send_messages import send_messages

_PARALLEL = 8
# Longer than the API function may run: by then it has followed, or died.
_SECOND_LOOK_MS = 45 * SECOND


def promise_to_follow(world: World, job_id: str) -> None:
    """Put a second look on the queue before the first begins, so that a worker that dies half-way is made good."""
    message = JobMessage(job_id=job_id, due=world.clock.now() + _SECOND_LOOK_MS)
    send_messages(world, [message], "second look at a job not sent", jobId=job_id)


def take_second_look(world: World, message: JobMessage) -> str:
    """What the dispatcher does with such a message. Writes nothing where all is well."""
    job = world.jobs.get(message.job_id)
    if job is not None:
        follow_job(world, job)
    return "followed"


def follow_job(world: World, job: Job) -> None:
    """Make every endpoint of the job follow; goes on until nobody changed meanwhile what they follow."""
    while True:
        _follow(world, job)
        latest = world.jobs.get(job.job_id)
        if latest is None or not has_to_follow(job, latest):
            return
        job = latest


def has_to_follow(before: Job, after: Job) -> bool:
    """Whether the change of the job is one that its endpoints follow."""
    return before.leads != after.leads


def _follow(world: World, job: Job) -> None:
    def follow(endpoint: Endpoint, now: int) -> Changed:
        return Changed(edits.following(endpoint, job, now))

    with Pool(_PARALLEL) as pool:
        list(pool.map(lambda endpoint_id: replan(world, endpoint_id, follow), endpoint_ids(world, job.job_id)))
