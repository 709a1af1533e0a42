"""Fields and inputs that several actions share."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from rubato.domain.agents import MAX_NAME
from rubato.interface.inputs import cron
from rubato.interface.inputs.alternatives import exactly_one
from rubato.interface.wire import TIME_SCHEMA, Wire

MAX_METADATA_BYTES = 4096
MAX_BODY_BYTES = 65_536
MAX_HEADER_BYTES = 16_384
YEAR_MS = 366 * 86_400_000


# What is neither a control or format character nor a separator nor for private use, spelled so that every dialect of
# expressions reads it alike.
VISIBLE = (
    r"[^\u0000-\u0020\u007f-\u00a0\u00ad\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000"
    r"\ue000-\uf8ff\ufeff\ufff0-\uffff]"
)
_PRINTABLE = rf"^{VISIBLE}+( +{VISIBLE}+)*$"


def _printable(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("must be printable, without line breaks and without space at either end")
    return text


def _text(max_length: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "minLength": 1, "maxLength": max_length, "pattern": _PRINTABLE})


Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_printable), _text(255)]
AgentName = Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(_printable), _text(MAX_NAME)]
Tag = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_printable), _text(64)]

TimeText = Annotated[str, WithJsonSchema(TIME_SCHEMA)]
"""ISO 8601 with its offset; use cases read it with `from_iso`."""


def _flag(given: Any) -> Any:
    if isinstance(given, str) and given not in ("true", "false"):
        raise ValueError("must be true or false")
    return given


Flag = Annotated[bool, BeforeValidator(_flag)]
"""A boolean in a query."""


_ZONE = {
    "type": "string",
    "maxLength": 64,
    "format": "iana-time-zone",
    "pattern": "^(UTC|[A-Za-z_]+(/[-A-Za-z0-9_+]+)+)$",
}
CronText = Annotated[str, Field(max_length=255), WithJsonSchema(cron.SCHEMA)]
ZoneText = Annotated[str, Field(max_length=64), WithJsonSchema(_ZONE)]

Reason = Annotated[str | None, Field(default=None, max_length=1000, description="Why; kept in the audit trail.")]
JobId = Annotated[str, Field(description="The job's id.")]
EndpointId = Annotated[str, Field(description="The endpoint's id.")]
RunId = Annotated[str, Field(description="The run's id.")]
Milliseconds = Annotated[int, Field(ge=1, le=YEAR_MS)]


class BaselineInput(Wire):
    """Exactly one of intervalMs, cron, manual and after."""

    model_config = exactly_one("intervalMs", "cron", "manual", "after", along={"timezone": "cron"})

    interval_ms: Milliseconds | None = Field(default=None, description="Run every so many milliseconds, without drift.")
    cron: CronText | None = Field(default=None, description="Five-field cron expression, or a nickname.")
    timezone: ZoneText | None = Field(default=None, description="IANA zone of the cron expression (UTC).")
    manual: Literal[True] | None = Field(default=None, description="Dormant: runs only on a one-shot or a run-now.")
    after: list[Name] | None = Field(
        default=None,
        min_length=1,
        max_length=20,
        description="Run as soon as each of these endpoints of the job has finished a scheduled run with success.",
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in (self.interval_ms, self.cron, self.manual, self.after)) != 1:
            raise ValueError("give exactly one of intervalMs, cron, manual and after")
        if self.timezone is not None and self.cron is None:
            raise ValueError("timezone goes with cron")
        return self


class ClampInput(Wire):
    """Bounds on the gap between runs."""

    min_interval_ms: Milliseconds | None = Field(default=None, description="Never sooner after the last run.")
    max_interval_ms: Milliseconds | None = Field(default=None, description="Never later after the last run.")


class RetryInput(Wire):
    """How often, and how soon again, a run calls its target before it fails."""

    max_attempts: int = Field(default=1, ge=1, le=10, description="Attempts in all; 1 never tries again.")
    backoff_ms: int = Field(
        default=1_000, ge=0, le=900_000, description="The first wait is up to this; each further one up to double."
    )
    max_backoff_ms: int = Field(default=60_000, ge=0, le=900_000, description="No wait is longer, but for Retry-After.")


class RetryPatch(Wire):
    """Parts of the retries; null goes back to the default."""

    max_attempts: int | None = Field(default=None, ge=1, le=10, description="Attempts in all.")
    backoff_ms: int | None = Field(default=None, ge=0, le=900_000, description="The first wait is up to this.")
    max_backoff_ms: int | None = Field(default=None, ge=0, le=900_000, description="No wait is longer.")


class PageInput(Wire):
    """Which page of a list."""

    limit: int = Field(default=50, ge=1, le=200, description="How many items at most.")
    cursor: str | None = Field(default=None, max_length=2048, description="nextCursor of the page before.")


class NoInput(Wire):
    """Input of actions that take nothing."""


class JobInput(Wire):
    """Input that names a job."""

    job_id: JobId


class EndpointInput(Wire):
    """Input that names an endpoint."""

    endpoint_id: EndpointId


class ReasonedInput(EndpointInput):
    """Input of clearAdaptiveHints and resetFailureCount."""

    reason: Reason
