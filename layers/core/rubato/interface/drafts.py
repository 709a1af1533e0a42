"""From inputs to domain values, and JSON Merge Patch between them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rubato.domain.cron import check_zone
from rubato.domain.endpoint import Clamp, EndpointConfig, Retry, TargetRequest
from rubato.domain.errors import FieldError, Invalid
from rubato.domain.exchange import Headers
from rubato.domain.jobs import Job, JobStatus, NotificationRules, PlannerSettings
from rubato.domain.rules import Rule, read_rules
from rubato.domain.schedule import read_baseline
from rubato.interface.inputs.endpoints import AddEndpointInput, EndpointFields, RequestInput
from rubato.interface.inputs.fields import MAX_BODY_BYTES, MAX_HEADER_BYTES, MAX_METADATA_BYTES, ClampInput
from rubato.interface.inputs.jobs import DefaultsInput, JobFields, NotificationsInput, PlannerInput
from rubato.interface.inputs.rules import RuleInput
from rubato.interface.views import endpoints as views
from rubato.interface.views import jobs as job_views
from rubato.interface.wire import read_json

_REPLACED_WHOLE = ("baseline",)


def merge_patch(target: Any, patch: Any) -> Any:
    """JSON Merge Patch (RFC 7396): null removes, objects merge, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def job_draft(fields: JobFields) -> Job:
    """A job without identity: that is given when it is stored. Raises Invalid for impossible defaults."""
    _check_defaults(fields.defaults)
    return Job(
        job_id="",
        tenant_id="",
        name=fields.name,
        created_at=0,
        updated_at=0,
        description=fields.description,
        tags=tuple(fields.tags),
        owner=fields.owner,
        defaults=fields.defaults.model_dump(mode="json", by_alias=True, exclude_none=True),
        is_synthetic=fields.is_synthetic,
        planner=_planner(fields.planner),
        notifications=_notifications(fields.notifications),
        rules=rules_draft(fields.rules),
        timezone=_zone(fields.timezone),
    )


def rules_draft(given: Sequence[RuleInput]) -> tuple[Rule, ...]:
    """Raises Invalid for names that come twice and for what is no duration or time."""
    return read_rules([each.model_dump(mode="json", by_alias=True, exclude_unset=True) for each in given])


def _zone(given: str | None) -> str:
    if given is not None:
        check_zone(given, "timezone")
    return given or "UTC"


def _notifications(given: NotificationsInput) -> NotificationRules:
    return NotificationRules(
        after_failures=given.after_failures or 0, on_recovery=given.on_recovery, on_auto_pause=given.on_auto_pause
    )


def _planner(given: PlannerInput) -> PlannerSettings:
    return PlannerSettings(enabled=given.enabled, guidance=given.guidance or None, dry_run=given.dry_run)


def _check_defaults(defaults: DefaultsInput) -> None:
    low, high = (defaults.clamp.min_interval_ms, defaults.clamp.max_interval_ms) if defaults.clamp else (None, None)
    if low is not None and high is not None and low > high:
        raise Invalid.field("defaults.clamp.minIntervalMs", f"{low} is above maxIntervalMs {high}")
    try:
        if defaults.baseline is not None:
            read_baseline(defaults.baseline.model_dump(by_alias=True))
    except Invalid as refused:
        raise Invalid(*(FieldError(f"defaults.{each.path}", each.message) for each in refused.errors)) from None


def patched_job(job: Job, patch: dict[str, Any]) -> Job:
    """The job after a merge patch in the public spelling; raises Invalid."""
    status = patch.pop("status", None)
    current = job_views.config_fields(job)
    if (patch.get("defaults") or {}).get("baseline") is not None:
        current["defaults"].pop("baseline", None)
    draft = job_draft(read_json(JobFields, json.dumps(merge_patch(current, patch))))
    return replace(
        job,
        name=draft.name,
        description=draft.description,
        tags=draft.tags,
        owner=draft.owner,
        defaults=draft.defaults,
        is_synthetic=draft.is_synthetic,
        notifications=draft.notifications,
        planner=draft.planner,
        rules=draft.rules,
        timezone=draft.timezone,
        status=JobStatus(status) if status is not None else job.status,
    )


def with_defaults(given: AddEndpointInput, job: Job) -> EndpointFields:
    """What was given, over the job's defaults; raises Invalid when no baseline results."""
    plain = given.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"job_id"})
    fields = {key: value for key, value in plain.items() if value is not None}
    defaults = {key: value for key, value in job.defaults.items() if key not in _REPLACED_WHOLE or key not in fields}
    merged = merge_patch(defaults, fields)
    if "baseline" not in merged:
        raise Invalid.field("baseline", "is required: give one, or set defaults.baseline on the job")
    return read_json(EndpointFields, json.dumps(merged))


def endpoint_draft(fields: EndpointFields) -> EndpointConfig:
    """A configuration without identity: that is given when it is stored. Raises Invalid."""
    _check_size("metadata", fields.metadata, MAX_METADATA_BYTES)
    return EndpointConfig(
        endpoint_id="",
        tenant_id="",
        job_id="",
        created_at=0,
        updated_at=0,
        name=fields.name,
        description=fields.description,
        request=_request(fields.request),
        baseline=read_baseline(fields.baseline.model_dump(by_alias=True)),
        clamp=_clamp(fields.clamp),
        timeout_ms=fields.timeout_ms,
        max_response_bytes=fields.max_response_bytes,
        retry=Retry(
            max_attempts=fields.retry.max_attempts,
            backoff_ms=fields.retry.backoff_ms,
            max_backoff_ms=fields.retry.max_backoff_ms,
        ),
        success_codes=tuple(fields.success_codes),
        missed_runs=fields.missed_runs,
        max_lateness_ms=fields.max_lateness_ms,
        jitter_ms=fields.jitter_ms,
        auto_pause_after=fields.auto_pause_after,
        tier=fields.tier,
        planner=fields.planner,
        depends_on=tuple(fields.depends_on),
        metadata=fields.metadata,
    )


def patched_endpoint(config: EndpointConfig, patch: dict[str, Any]) -> EndpointConfig:
    """The configuration after a merge patch in the public spelling; raises Invalid."""
    current = views.config_fields(config)
    # The stored header values, not the masked ones, are what a patch merges into.
    current["request"]["headers"] = _respelled(config.request.headers, (patch.get("request") or {}).get("headers"))
    for field in _REPLACED_WHOLE:
        if patch.get(field) is not None:
            current.pop(field)
    draft = endpoint_draft(read_json(EndpointFields, json.dumps(merge_patch(current, patch))))
    return replace(
        draft,
        endpoint_id=config.endpoint_id,
        tenant_id=config.tenant_id,
        job_id=config.job_id,
        created_at=config.created_at,
        updated_at=config.updated_at,
        version=config.version,
    )


def _respelled(stored: Headers, patch: Any) -> dict[str, str]:
    """Stored headers by name, in the patch's spelling where it names them: header names know no case."""
    given = {name.lower(): name for name in patch} if isinstance(patch, dict) else {}
    return {given.get(name.lower(), name): value for name, value in stored}


def _clamp(given: ClampInput) -> Clamp:
    return Clamp(min_interval_ms=given.min_interval_ms, max_interval_ms=given.max_interval_ms)


def _request(given: RequestInput) -> TargetRequest:
    _check_size("request.body", given.body, MAX_BODY_BYTES)
    _check_size("request.headers", given.headers, MAX_HEADER_BYTES)
    return TargetRequest(
        url=given.url,
        method=given.method,
        headers=tuple(given.headers.items()),
        body=given.body,
        follow_redirects=given.follow_redirects,
    )


def _check_size(path: str, value: Any, limit: int) -> None:
    try:
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except ValueError:
        raise Invalid.field(path, "holds a number that JSON can't write") from None
    if size > limit:
        raise Invalid.field(path, f"is {size} bytes as JSON; at most {limit} are allowed")
