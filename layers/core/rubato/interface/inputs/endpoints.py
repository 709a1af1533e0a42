"""What the actions on endpoints take."""

from typing import Any, Literal

from pydantic import Field

from rubato.domain.endpoint import MissedRuns, Tier
from rubato.domain.standing import Standing
from rubato.interface.inputs.fields import (
    YEAR_MS,
    BaselineInput,
    ClampInput,
    EndpointId,
    EndpointInput,
    JobId,
    Milliseconds,
    Name,
    PageInput,
    Reason,
    RetryInput,
)
from rubato.interface.wire import Wire


class RequestInput(Wire):
    """The HTTP request that a run makes."""

    url: str = Field(min_length=1, max_length=2048, description="http or https; must lead to a public address.")
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = Field(default="GET", description="HTTP method.")
    headers: dict[str, str] = Field(default={}, max_length=50, description="Headers to send, by name.")
    body: Any = Field(default=None, description="Text, or any JSON value; not with GET or HEAD.")
    follow_redirects: bool = Field(default=True, description="Follow up to 5 redirects; each hop is checked again.")


class EndpointFields(Wire):
    """An endpoint as configured."""

    name: Name = Field(description="Unique in the job; free again after deletion.")
    description: str | None = Field(default=None, max_length=2000, description="What it is for.")
    request: RequestInput = Field(description="The HTTP request that a run makes.")
    baseline: BaselineInput = Field(description="The rhythm to which everything falls back.")
    clamp: ClampInput = Field(default_factory=ClampInput, description="Bounds that no hint may cross.")
    timeout_ms: int = Field(
        default=30_000,
        ge=1000,
        le=600_000,
        description="For a whole attempt, from resolving the name to the last byte.",
    )
    max_response_bytes: int = Field(
        default=65_536, ge=1, le=262_144, description="Longer bodies are cut and marked truncated."
    )
    retry: RetryInput = Field(default_factory=RetryInput, description="Further attempts within a run.")
    success_codes: list[str] = Field(
        default=["200-299"], min_length=1, max_length=50, description="Status codes and ranges that count as success."
    )
    missed_runs: MissedRuns = Field(
        default=MissedRuns.RUN_ONCE, description="After an outage or pause: run the latest missed slot once, or skip."
    )
    max_lateness_ms: Milliseconds | None = Field(default=None, description="A slot later than this does not run.")
    jitter_ms: int = Field(default=0, ge=0, le=YEAR_MS, description="Spread runs by up to this after their slot.")
    auto_pause_after: int = Field(
        default=0, ge=0, le=1_000_000, description="Pause after so many consecutive failed runs; 0 never."
    )
    tier: Tier = Field(default=Tier.NONE, description="Its part in the job: a label for people, rules and planners.")
    depends_on: list[Name] = Field(
        default=[],
        max_length=20,
        description="A slot is skipped unless the latest scheduled run of each of these endpoints succeeded.",
    )
    metadata: dict[str, Any] = Field(default={}, description="Your own data, up to 4 KB as JSON.")


class AddEndpointInput(EndpointFields):
    """Input of addEndpointToJob. What is left out comes from the job's defaults."""

    job_id: JobId
    baseline: BaselineInput | None = Field(  # type: ignore[assignment]
        default=None, description="The rhythm to which everything falls back; required unless the job has a default."
    )


class EndpointPatch(Wire):
    """Input of updateEndpointConfig: JSON Merge Patch; null clears, objects merge, baseline and lists are replaced."""

    endpoint_id: EndpointId
    name: Name | None = Field(default=None, description="Unique in the job.")
    description: str | None = Field(default=None, description="What it is for.")
    request: dict[str, Any] | None = Field(default=None, description="Parts of the request to change.")
    baseline: BaselineInput | None = Field(default=None, description="The new rhythm; its grid starts now.")
    clamp: dict[str, Any] | None = Field(default=None, description="Parts of the clamp to change.")
    timeout_ms: int | None = Field(default=None, description="Timeout of a whole attempt.")
    max_response_bytes: int | None = Field(default=None, description="Longer bodies are cut.")
    retry: dict[str, Any] | None = Field(default=None, description="Parts of the retries to change.")
    success_codes: list[str] | None = Field(default=None, description="Status codes and ranges; replaced whole.")
    missed_runs: MissedRuns | None = Field(default=None, description="run_once or skip.")
    max_lateness_ms: int | None = Field(default=None, description="A slot later than this does not run.")
    jitter_ms: int | None = Field(default=None, description="Spread runs by up to this.")
    auto_pause_after: int | None = Field(default=None, description="Pause after so many failed runs.")
    tier: Tier | None = Field(default=None, description="Its part in the job.")
    depends_on: list[Name] | None = Field(default=None, description="Names of endpoints; replaced whole.")
    metadata: dict[str, Any] | None = Field(default=None, description="Your own data; merged.")


class DeleteEndpointInput(EndpointInput):
    """Input of deleteEndpoint."""

    reason: Reason


class ListEndpointsInput(PageInput):
    """Input of listJobEndpoints."""

    job_id: JobId
    tier: Tier | None = Field(default=None, description="Only endpoints of this tier.")
    state: Standing | None = Field(default=None, description="Only endpoints that stand so now.")
