"""The one list of actions. Routes, schemas and tools are drawn from it; nothing is callable that is not here."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rubato.domain.access import Scope
from rubato.interface import actions, inputs, outputs
from rubato.interface.wire import Listing, Output, Wire


@dataclass(frozen=True, kw_only=True)
class Action:
    """One thing a caller can do. `path` names its parameters as the input does: `/jobs/{jobId}`."""

    name: str
    method: str
    path: str
    summary: str
    scope: Scope
    takes: type[Wire]
    gives: type[Output] | None
    run: Callable[..., Output | None]
    status: int = 200
    read_only: bool = False
    destructive: bool = False
    idempotent: bool = False
    versioned: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The path as an expression with one group for each parameter."""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path))

    @cached_property
    def needs_body(self) -> bool:
        """Whether a request without a body can't be valid."""
        fields = self.takes.model_fields.items()
        return any(field.is_required() for name, field in fields if f"{{{field.alias or name}}}" not in self.path)


def _action(name: str, route: str, scope: Scope, summary: str, **rest: Any) -> Action:
    method, path = route.split(" ")
    return Action(name=name, method=method, path=path, scope=scope, summary=summary, **rest)


CATALOG: tuple[Action, ...] = (
    _action(
        "createJob",
        "POST /jobs",
        Scope.JOBS_WRITE,
        "Create a job: a named group of endpoints.",
        takes=inputs.CreateJobInput,
        gives=outputs.JobView,
        run=actions.create_job,
        status=201,
    ),
    _action(
        "getJob",
        "GET /jobs/{jobId}",
        Scope.JOBS_READ,
        "Read a job and how its endpoints are doing.",
        takes=inputs.JobInput,
        gives=outputs.JobDetails,
        run=actions.get_job,
        read_only=True,
        idempotent=True,
        versioned=True,
    ),
    _action(
        "listJobs",
        "GET /jobs",
        Scope.JOBS_READ,
        "List jobs, newest first.",
        takes=inputs.ListJobsInput,
        gives=Listing[outputs.JobView],
        run=actions.list_jobs,
        read_only=True,
        idempotent=True,
    ),
    _action(
        "updateJob",
        "PATCH /jobs/{jobId}",
        Scope.JOBS_WRITE,
        "Change, pause, resume or restore a job.",
        takes=inputs.JobPatch,
        gives=outputs.JobView,
        run=actions.update_job,
        idempotent=True,
        versioned=True,
    ),
    _action(
        "archiveJob",
        "DELETE /jobs/{jobId}",
        Scope.JOBS_WRITE,
        "Stop a job for good; its history is kept, and setting its status to active restores it.",
        takes=inputs.ArchiveJobInput,
        gives=outputs.JobView,
        run=actions.archive_job,
        destructive=True,
        idempotent=True,
    ),
    _action(
        "addEndpointToJob",
        "POST /jobs/{jobId}/endpoints",
        Scope.ENDPOINTS_WRITE,
        "Add an endpoint: an HTTP request and its baseline rhythm.",
        takes=inputs.AddEndpointInput,
        gives=outputs.EndpointView,
        run=actions.add_endpoint,
        status=201,
    ),
    _action(
        "updateEndpointConfig",
        "PATCH /endpoints/{endpointId}",
        Scope.ENDPOINTS_WRITE,
        "Change an endpoint's configuration.",
        takes=inputs.EndpointPatch,
        gives=outputs.EndpointView,
        run=actions.update_endpoint,
        idempotent=True,
        versioned=True,
    ),
    _action(
        "deleteEndpoint",
        "DELETE /endpoints/{endpointId}",
        Scope.ENDPOINTS_WRITE,
        "Delete an endpoint; its runs stay readable until their retention ends.",
        takes=inputs.DeleteEndpointInput,
        gives=None,
        run=actions.delete_endpoint,
        status=204,
        destructive=True,
        idempotent=True,
    ),
    _action(
        "listJobEndpoints",
        "GET /jobs/{jobId}/endpoints",
        Scope.ENDPOINTS_READ,
        "List a job's endpoints with their state and next run, by name.",
        takes=inputs.ListEndpointsInput,
        gives=Listing[outputs.EndpointView],
        run=actions.list_endpoints,
        read_only=True,
        idempotent=True,
    ),
    _action(
        "getEndpoint",
        "GET /endpoints/{endpointId}",
        Scope.ENDPOINTS_READ,
        "Read an endpoint: configuration, live hints, next run and why then.",
        takes=inputs.EndpointInput,
        gives=outputs.EndpointView,
        run=actions.get_endpoint,
        read_only=True,
        idempotent=True,
        versioned=True,
    ),
    _action(
        "triggerRun",
        "POST /endpoints/{endpointId}/run",
        Scope.SCHEDULE_WRITE,
        "Run an endpoint now, outside its schedule, even while it is paused.",
        takes=inputs.EndpointInput,
        gives=outputs.Triggered,
        run=actions.run_now,
        status=202,
    ),
    _action(
        "applyIntervalHint",
        "POST /endpoints/{endpointId}/hints/interval",
        Scope.SCHEDULE_WRITE,
        "Change an endpoint's interval for a while; the baseline returns by itself.",
        takes=inputs.IntervalHintInput,
        gives=outputs.HintApplied,
        run=actions.apply_interval_hint,
        status=201,
    ),
    _action(
        "scheduleOneShotRun",
        "POST /endpoints/{endpointId}/hints/one-shot",
        Scope.SCHEDULE_WRITE,
        "Run an endpoint once at a time, or after a delay, beside its rhythm.",
        takes=inputs.OneShotInput,
        gives=outputs.HintApplied,
        run=actions.schedule_one_shot,
        status=201,
    ),
    _action(
        "pauseOrResumeEndpoint",
        "POST /endpoints/{endpointId}/pause",
        Scope.SCHEDULE_WRITE,
        "Pause an endpoint until a time or indefinitely, or resume it.",
        takes=inputs.PauseInput,
        gives=outputs.PauseView,
        run=actions.pause_or_resume,
        idempotent=True,
    ),
    _action(
        "clearAdaptiveHints",
        "DELETE /endpoints/{endpointId}/hints",
        Scope.SCHEDULE_WRITE,
        "End all hints of an endpoint: back to the baseline at once.",
        takes=inputs.ReasonedInput,
        gives=outputs.HintsCleared,
        run=actions.clear_hints,
        destructive=True,
        idempotent=True,
    ),
    _action(
        "resetFailureCount",
        "POST /endpoints/{endpointId}/reset-failures",
        Scope.SCHEDULE_WRITE,
        "Forget consecutive failures, and with them the backoff.",
        takes=inputs.ReasonedInput,
        gives=outputs.FailuresReset,
        run=actions.reset_failures,
        idempotent=True,
    ),
    _action(
        "listRuns",
        "GET /runs",
        Scope.RUNS_READ,
        "List runs, newest first, by job, endpoint, status, cause or time.",
        takes=inputs.ListRunsInput,
        gives=Listing[outputs.RunView],
        run=actions.list_runs,
        read_only=True,
        idempotent=True,
    ),
    _action(
        "getRunDetails",
        "GET /runs/{runId}",
        Scope.RUNS_READ,
        "Read a run: why it ran then, its attempts, the request as sent and the response.",
        takes=inputs.RunInput,
        gives=outputs.RunDetails,
        run=actions.get_run,
        read_only=True,
        idempotent=True,
    ),
)
