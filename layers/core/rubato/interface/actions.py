"""What each action does: from a caller and a validated input to an answer. Doors add nothing to this."""

from typing import Any

from rubato.domain.access import Caller
from rubato.domain.instant import from_iso
from rubato.interface import drafts, views
from rubato.interface.cursors import decode_cursor, encode_cursor
from rubato.interface.inputs import (
    AddEndpointInput,
    ArchiveJobInput,
    CreateJobInput,
    DeleteEndpointInput,
    EndpointInput,
    EndpointPatch,
    IntervalHintInput,
    JobInput,
    JobPatch,
    ListEndpointsInput,
    ListJobsInput,
    ListRunsInput,
    OneShotInput,
    PageInput,
    PauseInput,
    ReasonedInput,
    RunInput,
)
from rubato.interface.outputs import (
    EndpointView,
    FailuresReset,
    HintApplied,
    HintsCleared,
    JobDetails,
    JobView,
    PauseView,
    RunDetails,
    RunView,
    Triggered,
)
from rubato.interface.wire import Listing, Wire
from rubato.ports import RunFilter, World
from rubato.usecases import (
    add_endpoint as adding,
)
from rubato.usecases import create_job as creating
from rubato.usecases import list_endpoints as listing_endpoints
from rubato.usecases import list_jobs as listing_jobs
from rubato.usecases import read_runs, steer_endpoint, trigger_run
from rubato.usecases import update_endpoint as updating_endpoint
from rubato.usecases import update_job as updating_job
from rubato.usecases.get_job import get_job as read_job
from rubato.usecases.lookup import find_endpoint, find_job


def create_job(world: World, caller: Caller, given: CreateJobInput) -> JobView:
    """createJob."""
    return views.job_view(creating.create_job(world, caller, drafts.job_draft(given)))


def get_job(world: World, caller: Caller, given: JobInput) -> JobDetails:
    """getJob."""
    return views.job_details(read_job(world, caller, given.job_id))


def list_jobs(world: World, caller: Caller, given: ListJobsInput) -> Listing[JobView]:
    """listJobs."""
    page = listing_jobs.list_jobs(
        world,
        caller,
        status=given.status,
        tag=given.tag,
        is_synthetic=given.is_synthetic,
        limit=given.limit,
        after=_position(given),
    )
    return Listing[JobView](items=[views.job_view(job) for job in page.items], next_cursor=_cursor(given, page.next))


def update_job(world: World, caller: Caller, given: JobPatch, if_version: int | None = None) -> JobView:
    """updateJob."""
    patch = _patch(given, "job_id", "reason")
    job = updating_job.update_job(
        world,
        caller,
        given.job_id,
        lambda job: drafts.patched_job(job, dict(patch)),
        if_version=if_version,
        reason=given.reason,
    )
    return views.job_view(job)


def archive_job(world: World, caller: Caller, given: ArchiveJobInput) -> JobView:
    """archiveJob."""
    return views.job_view(updating_job.archive_job(world, caller, given.job_id, given.reason))


def add_endpoint(world: World, caller: Caller, given: AddEndpointInput) -> EndpointView:
    """addEndpointToJob."""
    job = find_job(world, caller, given.job_id)
    draft = drafts.endpoint_draft(drafts.with_defaults(given, job))
    return views.endpoint_view(adding.add_endpoint(world, caller, job, draft), world.clock.now())


def update_endpoint(world: World, caller: Caller, given: EndpointPatch, if_version: int | None = None) -> EndpointView:
    """updateEndpointConfig."""
    patch = _patch(given, "endpoint_id")
    endpoint = updating_endpoint.update_endpoint(
        world,
        caller,
        given.endpoint_id,
        lambda config: drafts.patched_endpoint(config, dict(patch)),
        views.config_fields,
        if_version,
    )
    return views.endpoint_view(endpoint, world.clock.now())


def delete_endpoint(world: World, caller: Caller, given: DeleteEndpointInput) -> None:
    """deleteEndpoint."""
    updating_endpoint.delete_endpoint(world, caller, given.endpoint_id, given.reason)


def list_endpoints(world: World, caller: Caller, given: ListEndpointsInput) -> Listing[EndpointView]:
    """listJobEndpoints."""
    page = listing_endpoints.list_endpoints(
        world,
        caller,
        given.job_id,
        tier=given.tier,
        state=given.state,
        limit=given.limit,
        after=_position(given),
    )
    now = world.clock.now()
    items = [views.endpoint_view(endpoint, now) for endpoint in page.items]
    return Listing[EndpointView](items=items, next_cursor=_cursor(given, page.next))


def get_endpoint(world: World, caller: Caller, given: EndpointInput) -> EndpointView:
    """getEndpoint."""
    return views.endpoint_view(find_endpoint(world, caller, given.endpoint_id), world.clock.now())


def run_now(world: World, caller: Caller, given: EndpointInput) -> Triggered:
    """triggerRun."""
    return Triggered(run_id=trigger_run.trigger_run(world, caller, given.endpoint_id))


def apply_interval_hint(world: World, caller: Caller, given: IntervalHintInput) -> HintApplied:
    """applyIntervalHint."""
    endpoint, hint = steer_endpoint.hint_interval(
        world,
        caller,
        given.endpoint_id,
        interval_ms=given.interval_ms,
        ttl_minutes=given.ttl_minutes,
        reason=given.reason,
    )
    return views.hint_applied(endpoint, hint, world.clock.now())


def schedule_one_shot(world: World, caller: Caller, given: OneShotInput) -> HintApplied:
    """scheduleOneShotRun."""
    endpoint, hint = steer_endpoint.hint_one_shot(
        world,
        caller,
        given.endpoint_id,
        run_at=from_iso(given.run_at, "runAt") if given.run_at is not None else None,
        run_in_ms=given.run_in_ms,
        ttl_minutes=given.ttl_minutes,
        reason=given.reason,
    )
    return views.hint_applied(endpoint, hint, world.clock.now())


def pause_or_resume(world: World, caller: Caller, given: PauseInput) -> PauseView:
    """pauseOrResumeEndpoint."""
    if given.pause_until is None:
        endpoint = steer_endpoint.resume_endpoint(world, caller, given.endpoint_id, reason=given.reason)
    else:
        until = None if given.pause_until == "indefinite" else from_iso(given.pause_until, "pauseUntil")
        endpoint = steer_endpoint.pause_endpoint(world, caller, given.endpoint_id, until=until, reason=given.reason)
    return views.pause_view(endpoint, world.clock.now())


def clear_hints(world: World, caller: Caller, given: ReasonedInput) -> HintsCleared:
    """clearAdaptiveHints."""
    endpoint, count = steer_endpoint.clear_hints(world, caller, given.endpoint_id, reason=given.reason)
    return HintsCleared(cleared_count=count, next_run_at=views.next_run_at(endpoint, world.clock.now()))


def reset_failures(world: World, caller: Caller, given: ReasonedInput) -> FailuresReset:
    """resetFailureCount."""
    endpoint = steer_endpoint.reset_failures(world, caller, given.endpoint_id, reason=given.reason)
    following = views.next_run_at(endpoint, world.clock.now())
    return FailuresReset(failure_count=endpoint.state.failures, next_run_at=following)


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
        after=_position(given),
    )
    return Listing[RunView](items=[views.run_view(run) for run in page.items], next_cursor=_cursor(given, page.next))


def get_run(world: World, caller: Caller, given: RunInput) -> RunDetails:
    """getRunDetails."""
    return views.run_details(read_runs.get_run(world, caller, given.run_id))


def _patch(given: Wire, *beside: str) -> dict[str, Any]:
    return given.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=set(beside))


def _listed(given: PageInput) -> dict[str, Any]:
    kind = type(given).__name__
    return {"list": kind, **given.model_dump(mode="json", exclude={"cursor", "limit"}, exclude_none=True)}


def _position(given: PageInput) -> str | None:
    return decode_cursor(given.cursor, _listed(given))


def _cursor(given: PageInput, position: str | None) -> str | None:
    return encode_cursor(position, _listed(given))
