"""What the actions answer. Every time is ISO 8601 in UTC, every duration in milliseconds."""

from typing import Any

from pydantic import Field

from rubato.domain.endpoint import MissedRuns, RunStatus, Source, Tier
from rubato.domain.exchange import ErrorKind
from rubato.domain.jobs import JobStatus
from rubato.domain.standing import Standing
from rubato.interface.inputs import ClampInput, DefaultsInput
from rubato.interface.wire import Output, Time


class JobView(Output):
    """A job."""

    job_id: str = Field(description="The job's id.")
    name: str = Field(description="What people call it.")
    description: str | None = Field(description="What it is for.")
    status: JobStatus = Field(description="Only an active job's endpoints run.")
    tags: list[str] = Field(description="Labels to filter by.")
    owner: str | None = Field(description="Who answers for it.")
    defaults: DefaultsInput = Field(description="What new endpoints start from.")
    is_synthetic: bool = Field(description="Monitors Rubato itself.")
    version: int = Field(description="Grows with every change; the ETag.")
    created_at: Time = Field(description="When it was created.")
    updated_at: Time = Field(description="When it was changed last.")


class JobDetails(JobView):
    """A job and what its endpoints add up to."""

    endpoint_count: int = Field(description="How many endpoints it has.")
    failing_count: int = Field(description="How many of them failed in their latest run.")
    last_run_at: Time | None = Field(description="When one of them ran last.")
    health: str = Field(description="unknown, healthy, degraded or failing.")


class RequestView(Output):
    """The configured request; values of headers that may be secret are ***."""

    url: str = Field(description="The target.")
    method: str = Field(description="HTTP method.")
    headers: dict[str, str] = Field(description="Headers to send, by name.")
    body: Any = Field(description="Text or JSON value.")
    follow_redirects: bool = Field(description="Whether redirects are followed.")


class HintView(Output):
    """A live hint."""

    hint_id: str = Field(description="The hint's id.")
    kind: str = Field(description="interval or oneshot.")
    author: str = Field(description="Who gave it.")
    author_kind: str = Field(description="human, agent, service, rule or planner.")
    reason: str | None = Field(description="Why.")
    interval_ms: int | None = Field(description="The hinted interval.")
    run_at: Time | None = Field(description="The time asked for, of a one-shot.")
    created_at: Time = Field(description="When it was given.")
    expires_at: Time = Field(description="When it is gone.")


class CurrentRun(Output):
    """The run in flight."""

    run_id: str = Field(description="The run's id.")
    started_at: Time | None = Field(description="When the call began; null while it waits for a worker.")
    attempt: int = Field(description="Which attempt, from 1.")


class LastRunView(Output):
    """The latest finished run."""

    run_id: str = Field(description="The run's id.")
    status: RunStatus = Field(description="How it ended.")
    started_at: Time = Field(description="When it began.")
    finished_at: Time = Field(description="When it ended.")


class HintApplied(Output):
    """A hint was taken."""

    hint: HintView = Field(description="The hint.")
    next_run_at: Time | None = Field(description="When the endpoint runs next.")
    source: Source | None = Field(description="Why then.")


class PauseView(Output):
    """How the endpoint rests."""

    paused_until: str | None = Field(description="A time, indefinite, or null when not paused.")
    next_run_at: Time | None = Field(description="When the endpoint runs next; while paused, when the pause ends.")


class HintsCleared(Output):
    """Hints were cleared."""

    cleared_count: int = Field(description="How many live hints that ended.")
    next_run_at: Time | None = Field(description="When the endpoint runs next.")


class FailuresReset(Output):
    """Failures were forgotten."""

    failure_count: int = Field(description="Consecutive failed runs: 0 now.")
    next_run_at: Time | None = Field(description="When the endpoint runs next.")


class EndpointView(Output):
    """An endpoint: configuration and state."""

    endpoint_id: str = Field(description="The endpoint's id.")
    job_id: str = Field(description="The job's id.")
    name: str = Field(description="Unique in the job.")
    description: str | None = Field(description="What it is for.")
    request: RequestView = Field(description="The HTTP request that a run makes.")
    baseline: dict[str, Any] = Field(description="The rhythm to which everything falls back.")
    clamp: ClampInput = Field(description="Bounds on the gap between runs.")
    timeout_ms: int = Field(description="For a whole attempt.")
    max_response_bytes: int = Field(description="Longer bodies are cut.")
    success_codes: list[str] = Field(description="Status codes and ranges that count as success.")
    missed_runs: MissedRuns = Field(description="What becomes of slots that passed in an outage.")
    max_lateness_ms: int | None = Field(description="A slot later than this does not run.")
    jitter_ms: int = Field(description="Spread of runs after their slot.")
    auto_pause_after: int = Field(description="Pause after so many consecutive failed runs; 0 never.")
    tier: Tier = Field(description="Its part in the job.")
    metadata: dict[str, Any] = Field(description="Your own data.")
    state: Standing = Field(description="active, paused, dormant or running.")
    next_run_at: Time | None = Field(description="When it runs next; while paused, when the pause ends.")
    source: Source | None = Field(description="Why then.")
    why_not_running: str | None = Field(description="Why no run is planned, and the remedy.")
    paused_until: str | None = Field(description="A time, indefinite, or null when not paused.")
    current_run: CurrentRun | None = Field(description="The run in flight.")
    last_run: LastRunView | None = Field(description="The latest finished run.")
    failure_count: int = Field(description="Consecutive failed runs.")
    skipped_count: int = Field(description="Slots passed over by overlap or policy.")
    missed_count: int = Field(description="Slots that passed in an outage.")
    hints: list[HintView] = Field(description="Live hints.")
    version: int = Field(description="Grows with every change of the configuration; the ETag.")
    created_at: Time = Field(description="When it was created.")
    updated_at: Time = Field(description="When it was changed last.")


class RunView(Output):
    """A run."""

    run_id: str = Field(description="The run's id.")
    job_id: str = Field(description="The job's id.")
    endpoint_id: str = Field(description="The endpoint's id.")
    slot: Time = Field(description="Its nominal time.")
    due_at: Time = Field(description="Slot plus jitter.")
    started_at: Time | None = Field(description="When the first call began.")
    lateness_ms: int | None = Field(description="startedAt - dueAt.")
    finished_at: Time | None = Field(description="When it ended; null while running.")
    duration_ms: int | None = Field(description="From the first call to the end.")
    status: RunStatus = Field(description="running, success or failure.")
    error_kind: ErrorKind | None = Field(description="Why it failed.")
    error_message: str | None = Field(description="The same in words.")
    status_code: int | None = Field(description="The target's answer.")
    source: Source = Field(description="Why it ran when it did.")
    hint_id: str | None = Field(description="The hint that caused it.")


class AttemptView(Output):
    """One call of the target."""

    attempt: int = Field(description="From 1.")
    started_at: Time = Field(description="When it began.")
    duration_ms: int | None = Field(description="How long it took; null for a lost one.")
    status_code: int | None = Field(description="The target's answer.")
    error_kind: ErrorKind | None = Field(description="Why it failed.")
    error_message: str | None = Field(description="The same in words.")


class SentView(Output):
    """The request as sent, secrets masked."""

    method: str = Field(description="HTTP method.")
    url: str = Field(description="The target.")
    headers: dict[str, str] = Field(description="By name; repeated ones joined by a comma.")
    body: str | None = Field(description="As text.")


class ReceivedView(Output):
    """The response as received."""

    status_code: int = Field(description="HTTP status.")
    headers: dict[str, str] = Field(description="By name, secrets masked; repeated ones joined by a comma.")
    body: str = Field(description="As text, cut at maxResponseBytes.")
    truncated: bool = Field(description="Whether there was more.")


class RunDetails(RunView):
    """A run with its attempts and the exchange."""

    attempts: list[AttemptView] = Field(description="Every call, lost ones included.")
    request: SentView | None = Field(description="As sent; null while running.")
    response: ReceivedView | None = Field(description="As received; null without an answer.")


class Triggered(Output):
    """A run-now was accepted."""

    run_id: str = Field(description="The run's id.")
