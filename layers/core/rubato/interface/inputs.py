"""What the actions take. Shapes and ranges are checked here, rules across fields in rubato.domain.checks."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from rubato.domain.endpoint import MissedRuns, RunStatus, Source, Tier
from rubato.domain.jobs import JobStatus
from rubato.domain.standing import Standing
from rubato.interface.wire import Wire

MAX_METADATA_BYTES = 4096
MAX_BODY_BYTES = 65_536
_YEAR_MS = 366 * 86_400_000


def _printable(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("must be printable, without line breaks and without space at either end")
    return text


Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_printable)]
Tag = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_printable)]
Reason = Annotated[str | None, Field(default=None, max_length=1000, description="Why; kept in the audit trail.")]
JobId = Annotated[str, Field(description="The job's id.")]
EndpointId = Annotated[str, Field(description="The endpoint's id.")]
RunId = Annotated[str, Field(description="The run's id.")]
Milliseconds = Annotated[int, Field(ge=1, le=_YEAR_MS)]


class BaselineInput(Wire):
    """Exactly one of intervalMs, cron and manual."""

    interval_ms: Milliseconds | None = Field(default=None, description="Run every so many milliseconds, without drift.")
    cron: str | None = Field(default=None, max_length=255, description="Five-field cron expression, or a nickname.")
    timezone: str | None = Field(default=None, max_length=64, description="IANA zone of the cron expression (UTC).")
    manual: Literal[True] | None = Field(default=None, description="Dormant: runs only on a one-shot or a run-now.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in (self.interval_ms, self.cron, self.manual)) != 1:
            raise ValueError("give exactly one of intervalMs, cron and manual")
        if self.timezone is not None and self.cron is None:
            raise ValueError("timezone goes with cron")
        return self


class ClampInput(Wire):
    """Bounds on the gap between runs."""

    min_interval_ms: Milliseconds | None = Field(default=None, description="Never sooner after the last run.")
    max_interval_ms: Milliseconds | None = Field(default=None, description="Never later after the last run.")


class RequestInput(Wire):
    """The HTTP request that a run makes."""

    url: str = Field(min_length=1, max_length=2048, description="http or https; must lead to a public address.")
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = Field(default="GET", description="HTTP method.")
    headers: dict[str, str] = Field(default={}, max_length=50, description="Headers to send, by name.")
    body: Any = Field(default=None, description="Text, or any JSON value; not with GET or HEAD.")
    follow_redirects: bool = Field(default=True, description="Follow up to 5 redirects; each hop is checked again.")


class DefaultsInput(Wire):
    """What new endpoints of a job start from."""

    baseline: BaselineInput | None = Field(default=None, description="Rhythm of endpoints that name none.")
    clamp: ClampInput | None = Field(default=None, description="Clamp of endpoints that name none.")
    timeout_ms: int | None = Field(
        default=None, ge=1000, le=600_000, description="Timeout of endpoints that name none."
    )


class JobFields(Wire):
    """A job as configured."""

    name: Name = Field(description="What people call it.")
    description: str | None = Field(default=None, max_length=1000, description="What it is for.")
    tags: list[Tag] = Field(default=[], max_length=20, description="Labels to filter by.")
    owner: str | None = Field(default=None, max_length=255, description="Who answers for it.")
    defaults: DefaultsInput = Field(default_factory=DefaultsInput, description="What new endpoints start from.")
    is_synthetic: bool = Field(default=False, description="Monitors Rubato itself; left out of users' figures.")


class CreateJobInput(JobFields):
    """Input of createJob."""


class JobPatch(Wire):
    """Input of updateJob: JSON Merge Patch; null clears."""

    job_id: JobId
    name: Name | None = Field(default=None, description="What people call it.")
    description: str | None = Field(default=None, max_length=1000, description="What it is for.")
    tags: list[Tag] | None = Field(default=None, max_length=20, description="Labels; replaced whole.")
    owner: str | None = Field(default=None, max_length=255, description="Who answers for it.")
    defaults: dict[str, Any] | None = Field(default=None, description="What new endpoints start from; merged.")
    is_synthetic: bool | None = Field(default=None, description="Monitors Rubato itself.")
    status: Literal["active", "paused"] | None = Field(
        default=None, description="paused holds every endpoint; active resumes them and restores an archived job."
    )
    reason: Reason


class JobInput(Wire):
    """Input that names a job."""

    job_id: JobId


class ArchiveJobInput(JobInput):
    """Input of archiveJob."""

    reason: Reason


class PageInput(Wire):
    """Which page of a list."""

    limit: int = Field(default=50, ge=1, le=200, description="How many items at most.")
    cursor: str | None = Field(default=None, max_length=2048, description="nextCursor of the page before.")


class ListJobsInput(PageInput):
    """Input of listJobs."""

    status: JobStatus | None = Field(default=None, description="Only jobs that stand so.")
    tag: str | None = Field(default=None, max_length=64, description="Only jobs with this tag.")
    is_synthetic: bool | None = Field(default=None, description="Only synthetic jobs, or only the others.")


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
    success_codes: list[str] = Field(
        default=["200-299"], min_length=1, max_length=50, description="Status codes and ranges that count as success."
    )
    missed_runs: MissedRuns = Field(
        default=MissedRuns.RUN_ONCE, description="After an outage or pause: run the latest missed slot once, or skip."
    )
    max_lateness_ms: Milliseconds | None = Field(default=None, description="A slot later than this does not run.")
    jitter_ms: int = Field(default=0, ge=0, le=_YEAR_MS, description="Spread runs by up to this after their slot.")
    auto_pause_after: int = Field(
        default=0, ge=0, le=1_000_000, description="Pause after so many consecutive failed runs; 0 never."
    )
    tier: Tier = Field(default=Tier.NONE, description="Its part in the job: a label for people, rules and planners.")
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
    success_codes: list[str] | None = Field(default=None, description="Status codes and ranges; replaced whole.")
    missed_runs: MissedRuns | None = Field(default=None, description="run_once or skip.")
    max_lateness_ms: int | None = Field(default=None, description="A slot later than this does not run.")
    jitter_ms: int | None = Field(default=None, description="Spread runs by up to this.")
    auto_pause_after: int | None = Field(default=None, description="Pause after so many failed runs.")
    tier: Tier | None = Field(default=None, description="Its part in the job.")
    metadata: dict[str, Any] | None = Field(default=None, description="Your own data; merged.")


class EndpointInput(Wire):
    """Input that names an endpoint."""

    endpoint_id: EndpointId


class DeleteEndpointInput(EndpointInput):
    """Input of deleteEndpoint."""

    reason: Reason


TtlMinutes = Annotated[
    int | None, Field(default=None, ge=1, le=10_080, description="Minutes until it is gone, 1 to 10080.")
]


class IntervalHintInput(EndpointInput):
    """Input of applyIntervalHint."""

    interval_ms: Milliseconds = Field(description="The interval while the hint lives; within the endpoint's clamps.")
    ttl_minutes: TtlMinutes
    reason: Reason


class OneShotInput(EndpointInput):
    """Input of scheduleOneShotRun: exactly one of runAt and runInMs."""

    run_at: str | None = Field(default=None, description="When to run once, ISO 8601 with its offset.")
    run_in_ms: int | None = Field(default=None, ge=0, le=_YEAR_MS, description="Run once after so many milliseconds.")
    ttl_minutes: TtlMinutes
    reason: Reason

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.run_at is None) == (self.run_in_ms is None):
            raise ValueError("give exactly one of runAt and runInMs")
        return self


class PauseInput(EndpointInput):
    """Input of pauseOrResumeEndpoint."""

    pause_until: str | None = Field(description='A time (ISO 8601 with its offset), "indefinite", or null to resume.')
    reason: Reason


class ReasonedInput(EndpointInput):
    """Input of clearAdaptiveHints and resetFailureCount."""

    reason: Reason


class ListEndpointsInput(PageInput):
    """Input of listJobEndpoints."""

    job_id: JobId
    tier: Tier | None = Field(default=None, description="Only endpoints of this tier.")
    state: Standing | None = Field(default=None, description="Only endpoints that stand so now.")


class ListRunsInput(PageInput):
    """Input of listRuns."""

    job_id: str | None = Field(default=None, max_length=255, description="Only runs of this job.")
    endpoint_id: str | None = Field(default=None, max_length=255, description="Only runs of this endpoint.")
    status: RunStatus | None = Field(default=None, description="Only runs that stand so.")
    source: Source | None = Field(default=None, description="Only runs with this cause.")
    since: str | None = Field(default=None, description="Only slots at or after this time.")
    until: str | None = Field(default=None, description="Only slots before this time.")


class RunInput(Wire):
    """Input of getRunDetails."""

    run_id: RunId
