"""Rules as people write them, and what previewRules takes."""

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, WithJsonSchema, model_validator

from rubato.domain.duration import PATTERN
from rubato.domain.expressions import MAX_LENGTH
from rubato.domain.rules import MAX_ACTIONS, Fire
from rubato.interface.inputs.alternatives import exactly_one
from rubato.interface.inputs.fields import YEAR_MS, JobInput, Milliseconds, Name, Tag, TimeText
from rubato.interface.inputs.steering import TtlMinutes
from rubato.interface.wire import PAUSE_SCHEMA, Wire

_MAX_MINUTES = 366 * 24 * 60
_CONDITION = {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH, "format": "jmespath"}

DurationText = Annotated[str, Field(pattern=PATTERN)]
_Endpoint = Annotated[Name, Field(description="Name of an endpoint of the job.")]


class ProposeIntervalInput(Wire):
    """Run the endpoint at another interval for a while."""

    endpoint: _Endpoint
    interval_ms: Milliseconds = Field(description="The interval meanwhile; within the endpoint's clamps.")
    ttl_minutes: TtlMinutes


class ProposeNextTimeInput(Wire):
    """Run the endpoint once: exactly one of runAt and runInMs."""

    model_config = exactly_one("runAt", "runInMs")

    endpoint: _Endpoint
    run_at: TimeText | None = Field(default=None, description="When, ISO 8601 with its offset.")
    run_in_ms: int | None = Field(default=None, ge=0, le=YEAR_MS, description="So many milliseconds after the firing.")
    ttl_minutes: TtlMinutes

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.run_at is None) == (self.run_in_ms is None):
            raise ValueError("give exactly one of runAt and runInMs")
        return self


class PauseUntilInput(Wire):
    """Pause the endpoint, or resume it: exactly one of until and forMinutes."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["until"]}, {"required": ["forMinutes"]}]})

    endpoint: _Endpoint
    until: Annotated[str | None, WithJsonSchema(PAUSE_SCHEMA)] = Field(
        default=None, description='A time (ISO 8601 with its offset), "indefinite", or null to resume.'
    )
    for_minutes: int = Field(  # type: ignore[assignment]  # read only where it was given
        default=None, ge=1, le=_MAX_MINUTES, description="Pause for so many minutes from the firing."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_fields_set & {"until", "for_minutes"}) != 1:
            raise ValueError('give exactly one of until (a time, "indefinite", or null to resume) and forMinutes')
        return self


class ClearHintsInput(Wire):
    """Take away the hints that this rule gave the endpoint."""

    endpoint: _Endpoint


class RuleActionInput(Wire):
    """Exactly one of proposeInterval, proposeNextTime, pauseUntil and clearHints."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    propose_interval: ProposeIntervalInput = Field(  # type: ignore[assignment]  # read only where it was given
        default=None, description="Another interval for a while."
    )
    propose_next_time: ProposeNextTimeInput = Field(  # type: ignore[assignment]
        default=None, description="One run, now or later."
    )
    pause_until: PauseUntilInput = Field(default=None, description="A pause, or its end.")  # type: ignore[assignment]
    clear_hints: ClearHintsInput = Field(  # type: ignore[assignment]
        default=None, description="The end of this rule's own hints."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("give exactly one of proposeInterval, proposeNextTime, pauseUntil and clearHints")
        return self


class RuleInput(Wire):
    """When a condition over the latest answers comes true, change the tempo."""

    name: Tag = Field(description="Unique in the job; what the rule knows of itself belongs to it.")
    when: Annotated[str, WithJsonSchema(_CONDITION)] = Field(
        min_length=1,
        description="JMESPath over endpoints.NAME.{status, statusCode, body, durationMs, failureStreak, failureCount, "
        "lastRunAt, ageSeconds, runsLastHour (at most 200), cadenceMs, source, paused}, rules.NAME.{firedCount, "
        "lastFiredAgo, heldSeconds}, job, now, minuteOfDay and weekday (1 Monday to 7). What is missing is null, "
        "and null is false.",
    )
    for_: DurationText = Field(default="0s", alias="for", description="How long it must have held, such as 90s.")
    cooldown: DurationText = Field(
        default="0s", description="Not again within; after it again while true. 0s: once each time it turns true."
    )
    fire: Fire = Field(default=Fire.EDGE, description="edge: when it turns true and after each cooldown; or once ever.")
    then: list[RuleActionInput] = Field(default=[], max_length=MAX_ACTIONS, description="What to do when it fires.")
    otherwise: list[RuleActionInput] = Field(
        default=[], max_length=MAX_ACTIONS, description="What to do when a condition that held falls false."
    )


class PreviewRulesInput(JobInput):
    """Input of previewRules."""

    document: dict[str, Any] | None = Field(
        default=None,
        description="Taken in place of what is there now; parts that it leaves out are those of now.",
    )
