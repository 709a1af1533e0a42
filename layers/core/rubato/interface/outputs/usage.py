"""What the actions on usage answer."""

from pydantic import Field

from rubato.interface.wire import Output, Time


class LimitsView(Output):
    """The quotas of a tenant; null is none."""

    max_endpoints: int | None = Field(description="Endpoints at a time.")
    max_runs_per_day: int | None = Field(description="Runs in a day (UTC); those beyond it wait for the next one.")


class UsageView(Output):
    """What a tenant uses."""

    endpoints: int = Field(description="Endpoints now, deleted ones left out.")
    runs_today: int = Field(description="Runs that began today (UTC). It only grows: deleting gives no runs back.")
    planner_tokens_today: int = Field(description="Model tokens that the planner used today (UTC).")
    limits: LimitsView = Field(description="The quotas.")
    resets_at: Time = Field(description="When the counts of the day begin anew.")
