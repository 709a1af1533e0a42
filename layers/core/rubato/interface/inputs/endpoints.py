"""What the actions on endpoints take."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from rubato.domain.endpoint import MissedRuns, PlannerPower, Tier
from rubato.domain.standing import Standing
from rubato.interface.inputs.alternatives import bodiless
from rubato.interface.inputs.fields import (
    VISIBLE,
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
    RetryPatch,
)
from rubato.interface.wire import Wire

_HEADER_VALUE = {
    "type": "string",
    "pattern": r"^([\u0021-\u007e\u00a0-\u00ff]([\t\u0020-\u007e\u00a0-\u00ff]*[\u0021-\u007e\u00a0-\u00ff])?)?$",
}
_HEADER_NAME = {"format": "header-name", "pattern": "^[-!#$%&'*+.^_`|~0-9A-Za-z]+$"}
_HEADERS = {"type": "object", "maxProperties": 50, "propertyNames": _HEADER_NAME}
_HOST = r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?"
_URL = {
    "type": "string",
    "minLength": 1,
    "maxLength": 2048,
    "format": "uri",
    "pattern": rf"^[Hh][Tt][Tt][Pp][Ss]?://{_HOST}([/?#]({VISIBLE[:-1]}\\])*)?$",
}
_CODE = {"type": "string", "format": "status-code-range", "pattern": "^[1-5][0-9]{2}(-[1-5][0-9]{2})?$"}
_EXAMPLE: dict[str, Any] = {
    "name": "front page",
    "request": {"url": "https://example.com/"},
    "baseline": {"intervalMs": 60_000},
}

Url = Annotated[str, Field(min_length=1, max_length=2048), WithJsonSchema(_URL)]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
HeaderValues = Annotated[dict[str, str], WithJsonSchema({**_HEADERS, "additionalProperties": _HEADER_VALUE})]
HeaderChanges = Annotated[
    dict[str, str | None],
    WithJsonSchema({**_HEADERS, "additionalProperties": {"anyOf": [_HEADER_VALUE, {"type": "null"}]}}),
]
SuccessCodes = Annotated[list[Annotated[str, WithJsonSchema(_CODE)]], Field(min_length=1, max_length=50)]
TimeoutMs = Annotated[int, Field(ge=1000, le=600_000)]
ResponseBytes = Annotated[int, Field(ge=1, le=262_144)]
JitterMs = Annotated[int, Field(ge=0, le=YEAR_MS)]
RunCount = Annotated[int, Field(ge=0, le=1_000_000)]


class RequestInput(Wire):
    """The HTTP request that a run makes."""

    model_config = ConfigDict(json_schema_extra=bodiless("GET", "HEAD"))

    url: Url = Field(description="http or https; must lead to a public address.")
    method: Method = Field(default="GET", description="HTTP method.")
    headers: HeaderValues = Field(default={}, max_length=50, description="Headers to send, by name.")
    body: Any = Field(
        default=None,
        description="Text, or any JSON value; not with GET or HEAD. {{secret:NAME}} in its texts, in header values and"
        " in the query of the URL stands for a secret of the job.",
    )
    follow_redirects: bool = Field(default=True, description="Follow up to 5 redirects; each hop is checked again.")


class EndpointFields(Wire):
    """An endpoint as configured."""

    name: Name = Field(description="Unique in the job; free again after deletion.")
    description: str | None = Field(default=None, max_length=2000, description="What it is for.")
    request: RequestInput = Field(description="The HTTP request that a run makes.")
    baseline: BaselineInput = Field(description="The rhythm to which everything falls back.")
    clamp: ClampInput = Field(default_factory=ClampInput, description="Bounds that no hint may cross.")
    timeout_ms: TimeoutMs = Field(
        default=30_000, description="For a whole attempt, from resolving the name to the last byte."
    )
    max_response_bytes: ResponseBytes = Field(default=65_536, description="Longer bodies are cut and marked truncated.")
    retry: RetryInput = Field(default_factory=RetryInput, description="Further attempts within a run.")
    success_codes: SuccessCodes = Field(
        default=["200-299"], description="Status codes and ranges that count as success."
    )
    missed_runs: MissedRuns = Field(
        default=MissedRuns.RUN_ONCE, description="After an outage or pause: run the latest missed slot once, or skip."
    )
    max_lateness_ms: Milliseconds | None = Field(default=None, description="A slot later than this does not run.")
    jitter_ms: JitterMs = Field(default=0, description="Spread runs by up to this after their slot.")
    auto_pause_after: RunCount = Field(default=0, description="Pause after so many consecutive failed runs; 0 never.")
    tier: Tier = Field(default=Tier.NONE, description="Its part in the job: a label for people, rules and planners.")
    planner: PlannerPower | None = Field(
        default=None,
        description="may_resume lets rules and the planner end or change a pause that a person or autoPauseAfter made.",
    )
    depends_on: list[Name] = Field(
        default=[],
        max_length=20,
        description="A slot is skipped unless the latest scheduled run of each of these endpoints succeeded.",
    )
    metadata: dict[str, Any] = Field(default={}, description="Your own data, up to 4 KB as JSON.")


class AddEndpointInput(EndpointFields):
    """Input of addEndpointToJob. What is left out comes from the job's defaults."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    job_id: JobId
    baseline: BaselineInput | None = Field(  # type: ignore[assignment]
        default=None, description="The rhythm to which everything falls back; required unless the job has a default."
    )


class RequestPatch(Wire):
    """Parts of the request; null clears, headers merge by name."""

    url: Url = Field(  # type: ignore[assignment]  # here and below: read only where it was given
        default=None, description="http or https; must lead to a public address; not to be cleared."
    )
    method: Method | None = Field(default=None, description="HTTP method.")
    headers: HeaderChanges | None = Field(default=None, description="Headers by name; null removes one.")
    body: Any = Field(default=None, description="Text, or any JSON value; not with GET or HEAD.")
    follow_redirects: bool | None = Field(default=None, description="Follow up to 5 redirects.")


class EndpointPatch(Wire):
    """Input of updateEndpointConfig: JSON Merge Patch; null clears, objects merge, baseline and lists are replaced."""

    endpoint_id: EndpointId
    name: Name = Field(  # type: ignore[assignment]
        default=None, description="Unique in the job; not to be cleared."
    )
    description: str | None = Field(default=None, max_length=2000, description="What it is for.")
    request: RequestPatch = Field(  # type: ignore[assignment]
        default=None, description="Parts of the request to change."
    )
    baseline: BaselineInput = Field(  # type: ignore[assignment]
        default=None, description="The new rhythm, replaced whole; its grid starts now."
    )
    clamp: ClampInput | None = Field(default=None, description="Parts of the clamp to change.")
    timeout_ms: TimeoutMs | None = Field(default=None, description="Timeout of a whole attempt.")
    max_response_bytes: ResponseBytes | None = Field(default=None, description="Longer bodies are cut.")
    retry: RetryPatch | None = Field(default=None, description="Parts of the retries to change.")
    success_codes: SuccessCodes | None = Field(default=None, description="Status codes and ranges; replaced whole.")
    missed_runs: MissedRuns | None = Field(default=None, description="run_once or skip.")
    max_lateness_ms: Milliseconds | None = Field(default=None, description="A slot later than this does not run.")
    jitter_ms: JitterMs | None = Field(default=None, description="Spread runs by up to this.")
    auto_pause_after: RunCount | None = Field(default=None, description="Pause after so many failed runs.")
    tier: Tier | None = Field(default=None, description="Its part in the job.")
    planner: PlannerPower | None = Field(default=None, description="What rules and the planner may do; null: less.")
    depends_on: list[Name] | None = Field(
        default=None, max_length=20, description="Names of endpoints; replaced whole."
    )
    metadata: dict[str, Any] | None = Field(default=None, description="Your own data; merged.")


class DeleteEndpointInput(EndpointInput):
    """Input of deleteEndpoint."""

    reason: Reason


class ListEndpointsInput(PageInput):
    """Input of listJobEndpoints."""

    job_id: JobId
    tier: Tier | None = Field(default=None, description="Only endpoints of this tier.")
    state: Standing | None = Field(default=None, description="Only endpoints that stand so now.")
