"""What summarizeEndpointHealth answers."""

from pydantic import Field

from rubato.domain.endpoint import RunStatus, Source
from rubato.interface.wire import Output, Time


class HealthLastRun(Output):
    """The latest finished run."""

    run_id: str = Field(description="The run's id.")
    status: RunStatus = Field(description="How it ended.")
    started_at: Time = Field(description="When it began.")


class CadenceView(Output):
    """The rhythm that rules now, before clamps, one-shots and pauses."""

    interval_ms: int | None = Field(description="Every so many milliseconds, backoff included; null otherwise.")
    cron: str | None = Field(description="The cron expression; null otherwise.")
    timezone: str | None = Field(description="The zone of the cron expression; null otherwise.")
    after: list[str] | None = Field(description="The endpoints that it runs after; null otherwise.")
    source: Source = Field(description="Why this one rules.")
    until: Time | None = Field(description="When the hint behind it expires; null for the baseline.")


class HealthView(Output):
    """An endpoint's runs within a window, manual ones included, in sum."""

    endpoint_id: str = Field(description="The endpoint's id.")
    window_hours: int = Field(description="The window that was asked for.")
    since: Time = Field(description="Where the window begins; the oldest run that was read when it was truncated.")
    truncated: bool = Field(
        description="Whether the window holds more runs than are read: the figures tell of the newest 10000 or less."
    )
    run_count: int = Field(description="Runs that have ended.")
    success_count: int = Field(description="Those that ended well.")
    failure_count: int = Field(description="Those that failed.")
    success_rate: float | None = Field(description="successCount / runCount, 0 to 1; null without runs.")
    avg_duration_ms: int | None = Field(description="Mean duration; null without runs.")
    p50_duration_ms: int | None = Field(description="Half of the runs took no longer (nearest rank).")
    p95_duration_ms: int | None = Field(description="95 of 100 runs took no longer (nearest rank).")
    p95_lateness_ms: int | None = Field(description="95 of 100 runs began no later after they were due (nearest rank).")
    failure_streak: int = Field(description="Consecutive failed runs up to now; manual runs do not count here.")
    mttr_ms: int | None = Field(
        description="Mean time from the start of a streak's first failed run to the start of the success that ended "
        "it; null when no streak ended in the window."
    )
    mtbf_ms: int | None = Field(
        description="Mean time between the starts of failure streaks; null with less than two in the window."
    )
    skipped_count: int = Field(description="Slots passed over by overlap or policy since the endpoint was created.")
    missed_count: int = Field(description="Slots that passed in an outage since the endpoint was created.")
    last_run: HealthLastRun | None = Field(description="The latest finished run, in the window or not.")
    cadence: CadenceView | None = Field(description="The rhythm that rules now; null when dormant.")
