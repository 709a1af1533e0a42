"""The actions on jobs."""

from rubato.domain.access import Caller, Scope
from rubato.interface import drafts
from rubato.interface.action import Action, action
from rubato.interface.actions.paging import next_cursor, patch_of, position
from rubato.interface.inputs.fields import JobInput
from rubato.interface.inputs.jobs import ArchiveJobInput, CreateJobInput, JobPatch, ListJobsInput
from rubato.interface.outputs.jobs import JobDetails, JobView
from rubato.interface.views import jobs as views
from rubato.interface.wire import Listing
from rubato.ports import World
from rubato.usecases import create_job as creating
from rubato.usecases import list_jobs as listing_jobs
from rubato.usecases import update_job as updating_job
from rubato.usecases.get_job import get_job as read_job

# Of a patch that names one of these, the endpoints follow the job, also when it says what the job has already.
_LEADING = frozenset({"status", "planner", "isSynthetic"})


def create_job(world: World, caller: Caller, given: CreateJobInput) -> JobView:
    """createJob."""
    return views.job_view(creating.create_job(world, caller, drafts.job_draft(given)), world.limits.planning)


def get_job(world: World, caller: Caller, given: JobInput) -> JobDetails:
    """getJob."""
    return views.job_details(read_job(world, caller, given.job_id), world.limits.planning)


def list_jobs(world: World, caller: Caller, given: ListJobsInput) -> Listing[JobView]:
    """listJobs."""
    page = listing_jobs.list_jobs(
        world,
        caller,
        status=given.status,
        tag=given.tag,
        is_synthetic=given.is_synthetic,
        limit=given.limit,
        after=position(given),
    )
    items = [views.job_view(job, world.limits.planning) for job in page.items]
    return Listing[JobView](items=items, next_cursor=next_cursor(given, page.next))


def update_job(world: World, caller: Caller, given: JobPatch, if_version: int | None = None) -> JobView:
    """updateJob."""
    patch = patch_of(given, "job_id", "reason")
    job = updating_job.update_job(
        world,
        caller,
        given.job_id,
        lambda job: drafts.patched_job(job, dict(patch)),
        describe=views.described,
        if_version=if_version,
        reason=given.reason,
        names_lead=not _LEADING.isdisjoint(patch),
    )
    return views.job_view(job, world.limits.planning)


def archive_job(world: World, caller: Caller, given: ArchiveJobInput) -> JobView:
    """archiveJob."""
    job = updating_job.archive_job(world, caller, given.job_id, given.reason)
    return views.job_view(job, world.limits.planning)


ACTIONS: tuple[Action, ...] = (
    action(
        "createJob",
        "POST /jobs",
        Scope.JOBS_WRITE,
        "Create a job: a named group of endpoints.",
        takes=CreateJobInput,
        gives=JobView,
        run=create_job,
        status=201,
        creates=True,
        tenant_wide=True,
        when="First step of new monitoring; then addEndpointToJob. Look with listJobs whether one exists.",
    ),
    action(
        "getJob",
        "GET /jobs/{jobId}",
        Scope.JOBS_READ,
        "Read a job and how its endpoints are doing.",
        takes=JobInput,
        gives=JobDetails,
        run=get_job,
        read_only=True,
        idempotent=True,
        versioned=True,
        when="To see health and failing endpoints at a glance, or a job's defaults and version.",
    ),
    action(
        "listJobs",
        "GET /jobs",
        Scope.JOBS_READ,
        "List jobs, newest first.",
        takes=ListJobsInput,
        gives=Listing[JobView],
        run=list_jobs,
        read_only=True,
        idempotent=True,
        when="To find a jobId by name or tag.",
    ),
    action(
        "updateJob",
        "PATCH /jobs/{jobId}",
        Scope.JOBS_WRITE,
        "Change, pause, resume or restore a job.",
        takes=JobPatch,
        gives=JobView,
        run=update_job,
        idempotent=True,
        versioned=True,
        when="A lasting change. status paused holds all endpoints; for one use pauseOrResumeEndpoint.",
    ),
    action(
        "archiveJob",
        "DELETE /jobs/{jobId}",
        Scope.JOBS_WRITE,
        "Stop a job for good; its history is kept, and setting its status to active restores it.",
        takes=ArchiveJobInput,
        gives=JobView,
        run=archive_job,
        destructive=True,
        deletes=True,
        idempotent=True,
        when="Only when asked to remove it; to hold it for a while use updateJob with status paused.",
    ),
)
