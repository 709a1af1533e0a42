"""What listAnalyses answers."""

from pydantic import Field

from rubato.domain.analysis import Outcome
from rubato.domain.conversation import ModelFault
from rubato.interface.wire import Output, Time


class ToolUseView(Output):
    """A call of a tool by the model."""

    name: str = Field(description="The tool, as the model named it.")
    arguments: str = Field(description="Its arguments as JSON text, cut.")
    result: str = Field(description="What the model was told, cut. What stands in it may come from a target.")
    is_error: bool = Field(description="Whether the call was refused.")


class AnalysisView(Output):
    """A look of the planner's model at an endpoint."""

    analysis_id: str = Field(description="The analysis's id.")
    endpoint_id: str = Field(description="The endpoint's id.")
    job_id: str = Field(description="The job's id.")
    model: str = Field(description="Provider and model.")
    dry_run: bool = Field(description="Whether its actions were only tried on paper.")
    started_at: Time = Field(description="When it began.")
    finished_at: Time | None = Field(description="When it ended; null while it runs, and for ever if its worker died.")
    duration_ms: int | None = Field(description="From the one to the other.")
    outcome: Outcome = Field(
        description=(
            "submitted, or why not: no_submit, steps_exhausted, tokens_exhausted, timeout, model_error, "
            "quota_exhausted, failed; running while it runs."
        )
    )
    error: str | None = Field(description="The same in words.")
    fault: ModelFault | None = Field(description="Why the model gave no answer.")
    reasoning: str | None = Field(description="The model's own words; not to be trusted more than a target's.")
    confidence: float | None = Field(description="0 to 1, as the model says.")
    next_analysis_in_ms: int | None = Field(description="When the model wants to look again, from the end on.")
    tool_calls: list[ToolUseView] = Field(description="In their order.")
    ignored_calls: int = Field(description="Calls that came beyond the bounds, and were not carried out.")
    input_tokens: int = Field(description="As the provider counts them.")
    output_tokens: int = Field(description="As the provider counts them.")
    cost: float | None = Field(description="An estimate in dollars; null where the deployment names no prices.")
