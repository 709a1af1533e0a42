"""From domain values to answers."""

from typing import Any

from rubato.domain import governor
from rubato.domain.endpoint import Endpoint, EndpointConfig, TargetRequest
from rubato.domain.exchange import Headers
from rubato.domain.hints import Hint, HintKind
from rubato.domain.instant import to_iso
from rubato.domain.jobs import Job
from rubato.domain.runs import Attempt, Run
from rubato.domain.schedule import spell_baseline
from rubato.domain.standing import standing, why_not_running
from rubato.domain.targets import mask_headers
from rubato.interface.inputs import ClampInput, DefaultsInput
from rubato.interface.outputs import (
    AttemptView,
    CurrentRun,
    EndpointView,
    HintApplied,
    HintView,
    JobDetails,
    JobView,
    LastRunView,
    PauseView,
    ReceivedView,
    RequestView,
    RunDetails,
    RunView,
    SentView,
)
from rubato.usecases.get_job import JobSummary


def job_view(job: Job) -> JobView:
    """A job."""
    return JobView(**_job_fields(job))


def job_details(summary: JobSummary) -> JobDetails:
    """A job with its sums."""
    return JobDetails(
        **_job_fields(summary.job),
        endpoint_count=summary.endpoint_count,
        failing_count=summary.failing_count,
        last_run_at=summary.last_run_at,
        health=summary.health,
    )


def config_fields(config: EndpointConfig) -> dict[str, Any]:
    """What the owner configured, in the public spelling, headers masked: for answers and for the audit trail."""
    return {
        "name": config.name,
        "description": config.description,
        "request": request_view(config.request).to_json(),
        "baseline": spell_baseline(config.baseline),
        "clamp": {"minIntervalMs": config.clamp.min_interval_ms, "maxIntervalMs": config.clamp.max_interval_ms},
        "timeoutMs": config.timeout_ms,
        "maxResponseBytes": config.max_response_bytes,
        "successCodes": list(config.success_codes),
        "missedRuns": config.missed_runs.value,
        "maxLatenessMs": config.max_lateness_ms,
        "jitterMs": config.jitter_ms,
        "autoPauseAfter": config.auto_pause_after,
        "tier": config.tier.value,
        "metadata": config.metadata,
    }


def endpoint_view(endpoint: Endpoint, now: int) -> EndpointView:
    """An endpoint as it stands at `now`."""
    config, state = endpoint.config, endpoint.state
    following, source = _next(endpoint, now)
    return EndpointView(
        endpoint_id=endpoint.id,
        job_id=config.job_id,
        name=config.name,
        description=config.description,
        request=request_view(config.request),
        baseline=spell_baseline(config.baseline),
        clamp=ClampInput(min_interval_ms=config.clamp.min_interval_ms, max_interval_ms=config.clamp.max_interval_ms),
        timeout_ms=config.timeout_ms,
        max_response_bytes=config.max_response_bytes,
        success_codes=list(config.success_codes),
        missed_runs=config.missed_runs,
        max_lateness_ms=config.max_lateness_ms,
        jitter_ms=config.jitter_ms,
        auto_pause_after=config.auto_pause_after,
        tier=config.tier,
        metadata=config.metadata,
        state=standing(endpoint, now),
        next_run_at=following,
        source=source,
        why_not_running=why_not_running(endpoint, now),
        paused_until=_paused_until(endpoint, now),
        current_run=_current_run(endpoint),
        last_run=_last_run(endpoint),
        failure_count=state.failures,
        skipped_count=state.skipped,
        missed_count=state.missed,
        hints=[hint_view(hint) for hint in endpoint.hints if hint.is_live(now)],
        version=config.version,
        created_at=config.created_at,
        updated_at=config.updated_at,
    )


def request_view(request: TargetRequest) -> RequestView:
    """The configured request, secrets masked."""
    return RequestView(
        url=request.url,
        method=request.method,
        headers=_by_name(mask_headers(request.headers)),
        body=request.body,
        follow_redirects=request.follow_redirects,
    )


def hint_applied(endpoint: Endpoint, hint: Hint, now: int) -> HintApplied:
    """A hint and what it led to."""
    following, source = _next(endpoint, now)
    return HintApplied(hint=hint_view(hint), next_run_at=following, source=source)


def pause_view(endpoint: Endpoint, now: int) -> PauseView:
    """How the endpoint rests."""
    return PauseView(paused_until=_paused_until(endpoint, now), next_run_at=next_run_at(endpoint, now))


def next_run_at(endpoint: Endpoint, now: int) -> int | None:
    """When it runs next, in ms."""
    return _next(endpoint, now)[0]


def hint_view(hint: Hint) -> HintView:
    """A hint."""
    return HintView(
        hint_id=hint.hint_id,
        kind=hint.kind.value,
        author=hint.author.id,
        author_kind=hint.author.kind.value,
        reason=hint.reason,
        interval_ms=hint.interval_ms,
        run_at=hint.first_slot if hint.kind is HintKind.ONE_SHOT else None,
        created_at=hint.created_at,
        expires_at=hint.expires_at,
    )


def run_view(run: Run) -> RunView:
    """A run in a list."""
    return RunView(**_run_fields(run))


def run_details(run: Run) -> RunDetails:
    """A run in full."""
    sent, received = run.request, run.response
    return RunDetails(
        **_run_fields(run),
        attempts=[_attempt_view(attempt) for attempt in run.attempts],
        request=SentView(method=sent.method, url=sent.url, headers=_by_name(sent.headers), body=sent.body)
        if sent
        else None,
        response=ReceivedView(
            status_code=received.status_code,
            headers=_by_name(received.headers),
            body=received.body,
            truncated=received.truncated,
        )
        if received
        else None,
    )


def _job_fields(job: Job) -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        "name": job.name,
        "description": job.description,
        "status": job.status,
        "tags": list(job.tags),
        "owner": job.owner,
        "defaults": DefaultsInput.model_validate(job.defaults),
        "is_synthetic": job.is_synthetic,
        "version": job.version,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
    }


def _run_fields(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "job_id": run.job_id,
        "endpoint_id": run.endpoint_id,
        "slot": run.slot,
        "due_at": run.due_at,
        "started_at": run.started_at,
        "lateness_ms": run.lateness_ms,
        "finished_at": run.finished_at,
        "duration_ms": run.duration_ms,
        "status": run.status,
        "error_kind": run.error_kind,
        "error_message": run.error_message,
        "status_code": run.status_code,
        "source": run.source,
        "hint_id": run.hint_id,
    }


def _attempt_view(attempt: Attempt) -> AttemptView:
    return AttemptView(
        attempt=attempt.attempt,
        started_at=attempt.started_at,
        duration_ms=attempt.duration_ms,
        status_code=attempt.status_code,
        error_kind=attempt.error_kind,
        error_message=attempt.error_message,
    )


def _next(endpoint: Endpoint, now: int) -> tuple[int | None, Any]:
    """What is planned; while a run is in flight, what would be planned if it ended now."""
    state = endpoint.state
    if state.next is not None and not state.is_running:
        return state.next.due, state.next.source
    return governor.plan(now, endpoint) or (None, None)


def _paused_until(endpoint: Endpoint, now: int) -> str | None:
    state = endpoint.state
    if not state.is_paused(now):
        return None
    if state.held or state.pause is None or state.pause.until is None:
        return "indefinite"
    return to_iso(state.pause.until)


def _current_run(endpoint: Endpoint) -> CurrentRun | None:
    claim = endpoint.state.claim
    if claim is None or not endpoint.state.is_running:
        return None
    return CurrentRun(run_id=claim.run_id, started_at=claim.started_at, attempt=claim.attempt)


def _last_run(endpoint: Endpoint) -> LastRunView | None:
    last = endpoint.state.last_run
    if last is None:
        return None
    return LastRunView(run_id=last.run_id, status=last.status, started_at=last.started_at, finished_at=last.finished_at)


def _by_name(headers: Headers) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined
