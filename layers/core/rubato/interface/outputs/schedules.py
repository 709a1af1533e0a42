"""What previewSchedule answers."""

from pydantic import Field

from rubato.interface.wire import Output, Time


class PreviewedRun(Output):
    """When a run would be due."""

    at: Time = Field(description="In UTC.")
    local: str = Field(description="The same instant by the clock of the zone, with its offset.")


class SchedulePreview(Output):
    """The runs that a baseline and a clamp would give while every run succeeds."""

    timezone: str = Field(description="The zone of the cron expression; UTC otherwise.")
    items: list[PreviewedRun] = Field(description="Oldest first; none of a baseline that names no times.")
