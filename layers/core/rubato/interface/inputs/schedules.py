"""What previewSchedule takes."""

from pydantic import Field

from rubato.interface.inputs.fields import BaselineInput, ClampInput, TimeText
from rubato.interface.wire import Wire


class PreviewInput(Wire):
    """Input of previewSchedule."""

    baseline: BaselineInput = Field(description="The rhythm to look at.")
    clamp: ClampInput = Field(default_factory=ClampInput, description="Bounds on the gap between runs.")
    from_: TimeText | None = Field(
        default=None,
        alias="from",
        description="Taken for anchor and last run, ISO 8601 with its offset; may be past. Now by default.",
    )
    count: int = Field(default=10, ge=1, le=100, description="How many runs to show.")
