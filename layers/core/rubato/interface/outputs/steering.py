"""What the actions that change a tempo answer."""

from typing import Annotated

from pydantic import Field, WithJsonSchema

from rubato.domain.endpoint import Source
from rubato.domain.hints import ActorKind, HintKind
from rubato.interface.wire import PAUSE_SCHEMA, Output, Time


class HintView(Output):
    """A hint."""

    hint_id: str = Field(description="The hint's id.")
    kind: HintKind = Field(description="interval or oneshot.")
    author: str = Field(description="Who gave it.")
    author_kind: ActorKind = Field(description="human, agent, service, rule or planner.")
    reason: str | None = Field(description="Why.")
    interval_ms: int | None = Field(description="The hinted interval.")
    run_at: Time | None = Field(description="The time asked for, of a one-shot.")
    created_at: Time = Field(description="When it was given.")
    expires_at: Time = Field(description="When it is gone.")


class HintApplied(Output):
    """A hint was taken."""

    hint: HintView = Field(description="The hint.")
    next_run_at: Time | None = Field(description="When the endpoint runs next.")
    source: Source | None = Field(description="Why then.")


class PauseView(Output):
    """How the endpoint rests."""

    paused_until: Annotated[str | None, WithJsonSchema(PAUSE_SCHEMA)] = Field(
        description="A time, indefinite, or null when not paused."
    )
    next_run_at: Time | None = Field(description="When the endpoint runs next; while paused, when the pause ends.")


class HintsCleared(Output):
    """Hints were cleared."""

    cleared_count: int = Field(description="How many live hints that ended.")
    next_run_at: Time | None = Field(description="When the endpoint runs next.")


class FailuresReset(Output):
    """Failures were forgotten."""

    failure_count: int = Field(description="Consecutive failed runs: 0 now.")
    next_run_at: Time | None = Field(description="When the endpoint runs next.")


class Triggered(Output):
    """A run-now was accepted."""

    run_id: str = Field(description="The run's id.")
