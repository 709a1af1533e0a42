"""What the actions on runs answer."""

from typing import ClassVar

from pydantic import Field

from rubato.domain.endpoint import RunStatus, Source
from rubato.domain.exchange import ErrorKind
from rubato.interface.outputs.steering import HintView
from rubato.interface.wire import Output, Time


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

    cut_for_models: ClassVar[tuple[tuple[str, str], ...]] = (("request", "body"), ("response", "body"))

    hint: HintView | None = Field(description="The hint that caused it, as it was then; null without one.")
    attempts: list[AttemptView] = Field(description="Every call, lost ones included.")
    request: SentView | None = Field(description="As sent; null while running.")
    response: ReceivedView | None = Field(description="As received; null without an answer.")
