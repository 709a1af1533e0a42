"""What the actions that change a tempo take."""

from typing import Annotated, Self

from pydantic import Field, WithJsonSchema, model_validator

from rubato.interface.inputs.alternatives import exactly_one
from rubato.interface.inputs.fields import YEAR_MS, EndpointInput, Milliseconds, Reason, TimeText
from rubato.interface.wire import PAUSE_SCHEMA

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

    model_config = exactly_one("runAt", "runInMs")

    run_at: TimeText | None = Field(default=None, description="When to run once, ISO 8601 with its offset.")
    run_in_ms: int | None = Field(default=None, ge=0, le=YEAR_MS, description="Run once after so many milliseconds.")
    ttl_minutes: TtlMinutes
    reason: Reason

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.run_at is None) == (self.run_in_ms is None):
            raise ValueError("give exactly one of runAt and runInMs")
        return self


class PauseInput(EndpointInput):
    """Input of pauseOrResumeEndpoint."""

    pause_until: Annotated[str | None, WithJsonSchema(PAUSE_SCHEMA)] = Field(
        description='A time (ISO 8601 with its offset), "indefinite", or null to resume.'
    )
    reason: Reason
