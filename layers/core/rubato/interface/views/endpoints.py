"""From endpoints to answers."""

from typing import Any

from rubato.domain.endpoint import Endpoint, EndpointConfig, Retry, Skip, TargetRequest
from rubato.domain.schedule import spell_baseline
from rubato.domain.standing import standing, why_not_running
from rubato.domain.targets import mask_headers
from rubato.interface.outputs.endpoints import CurrentRun, EndpointView, LastRunView, RequestView, SkipView
from rubato.interface.views.headers import by_name
from rubato.interface.views.steering import hint_view, paused_until_text, upcoming


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
        "retry": spell_retry(config.retry),
        "successCodes": list(config.success_codes),
        "missedRuns": config.missed_runs.value,
        "maxLatenessMs": config.max_lateness_ms,
        "jitterMs": config.jitter_ms,
        "autoPauseAfter": config.auto_pause_after,
        "tier": config.tier.value,
        "planner": config.planner.value if config.planner is not None else None,
        "dependsOn": list(config.depends_on),
        "metadata": config.metadata,
    }


def endpoint_view(endpoint: Endpoint, now: int) -> EndpointView:
    """An endpoint as it stands at `now`."""
    config, state = endpoint.config, endpoint.state
    following, source = upcoming(endpoint, now)
    as_stands: dict[str, Any] = {
        "endpoint_id": endpoint.id,
        "job_id": config.job_id,
        "state": standing(endpoint, now),
        "next_run_at": following,
        "source": source,
        "why_not_running": why_not_running(endpoint, now),
        "paused_until": paused_until_text(endpoint, now),
        "current_run": _current_run(endpoint),
        "last_run": _last_run(endpoint),
        "failure_count": state.failures,
        "skipped_count": state.skipped,
        "missed_count": state.missed,
        "last_skip": _last_skip(state.last_skip),
        "signed_by": state.signed_by,
        "hints": [hint_view(hint) for hint in endpoint.hints if hint.is_live(now)],
        "version": config.version,
        "created_at": config.created_at,
        "updated_at": config.updated_at,
    }
    return EndpointView.model_validate({**config_fields(config), **as_stands})


def request_view(request: TargetRequest) -> RequestView:
    """The configured request, secrets masked."""
    return RequestView(
        url=request.url,
        method=request.method,
        headers=by_name(mask_headers(request.headers)),
        body=request.body,
        follow_redirects=request.follow_redirects,
    )


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


def spell_retry(retry: Retry) -> dict[str, int]:
    """As the API spells it."""
    return {
        "maxAttempts": retry.max_attempts,
        "backoffMs": retry.backoff_ms,
        "maxBackoffMs": retry.max_backoff_ms,
    }


def _last_skip(skip: Skip | None) -> SkipView | None:
    return SkipView(slot=skip.slot, reason=skip.reason) if skip else None
