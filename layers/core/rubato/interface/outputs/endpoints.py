"""What the actions on endpoints answer."""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from rubato.domain.endpoint import MissedRuns, PlannerPower, RunStatus, Source, Tier
from rubato.domain.signing import SignedBy
from rubato.domain.standing import Standing
from rubato.interface.inputs.fields import ClampInput, RetryInput
from rubato.interface.outputs.steering import HintView
from rubato.interface.wire import PAUSE_SCHEMA, Output, Time

_BASELINE = {
    "type": "object",
    "oneOf": [
        {"required": ["intervalMs"], "properties": {"intervalMs": {"type": "integer"}}},
        {"required": ["cron", "timezone"], "properties": {"cron": {"type": "string"}, "timezone": {"type": "string"}}},
        {"required": ["manual"], "properties": {"manual": {"const": True}}},
        {"required": ["after"], "properties": {"after": {"type": "array", "items": {"type": "string"}}}},
    ],
}


class RequestView(Output):
    """The configured request; values of headers that may be secret are ***."""

    url: str = Field(description="The target.")
    method: str = Field(description="HTTP method.")
    headers: dict[str, str] = Field(description="Headers to send, by name.")
    body: Any = Field(description="Text or JSON value.")
    follow_redirects: bool = Field(description="Whether redirects are followed.")


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


class SkipView(Output):
    """A slot that was passed over."""

    slot: Time = Field(description="Its nominal time.")
    reason: str = Field(description="Why it did not run.")


class EndpointView(Output):
    """An endpoint: configuration and state."""

    endpoint_id: str = Field(description="The endpoint's id.")
    job_id: str = Field(description="The job's id.")
    name: str = Field(description="Unique in the job.")
    description: str | None = Field(description="What it is for.")
    request: RequestView = Field(description="The HTTP request that a run makes.")
    baseline: Annotated[dict[str, Any], WithJsonSchema(_BASELINE)] = Field(
        description="The rhythm to which everything falls back."
    )
    clamp: ClampInput = Field(description="Bounds on the gap between runs.")
    timeout_ms: int = Field(description="For a whole attempt.")
    max_response_bytes: int = Field(description="Longer bodies are cut.")
    retry: RetryInput = Field(description="Further attempts within a run.")
    success_codes: list[str] = Field(description="Status codes and ranges that count as success.")
    missed_runs: MissedRuns = Field(description="What becomes of slots that passed in an outage.")
    max_lateness_ms: int | None = Field(description="A slot later than this does not run.")
    jitter_ms: int = Field(description="Spread of runs after their slot.")
    auto_pause_after: int = Field(description="Pause after so many consecutive failed runs; 0 never.")
    tier: Tier = Field(description="Its part in the job.")
    planner: PlannerPower | None = Field(description="What rules and the planner may do at others' pauses.")
    depends_on: list[str] = Field(description="Endpoints whose latest scheduled runs must all have succeeded.")
    metadata: dict[str, Any] = Field(description="Your own data.")
    state: Standing = Field(description="active, paused, dormant or running.")
    next_run_at: Time | None = Field(description="When it runs next; while paused, when the pause ends.")
    source: Source | None = Field(description="Why then.")
    why_not_running: str | None = Field(
        description="Why it stands still, and the remedy; null when a run is planned or in flight."
    )
    paused_until: Annotated[str | None, WithJsonSchema(PAUSE_SCHEMA)] = Field(
        description="A time, indefinite, or null when not paused."
    )
    current_run: CurrentRun | None = Field(description="The run in flight.")
    last_run: LastRunView | None = Field(description="The latest finished run.")
    failure_count: int = Field(description="Consecutive failed runs.")
    skipped_count: int = Field(description="Slots passed over by overlap or policy.")
    last_skip: SkipView | None = Field(description="The latest slot that a closed gate passed over, and why.")
    missed_count: int = Field(description="Slots that passed in an outage.")
    signed_by: SignedBy | None = Field(description="Whose keys sign its requests: endpoint or tenant; null unsigned.")
    hints: list[HintView] = Field(description="Live hints.")
    version: int = Field(description="Grows with every change of the configuration; the ETag.")
    created_at: Time = Field(description="When it was created.")
    updated_at: Time = Field(description="When it was changed last.")
