"""What the actions on usage answer."""

from typing import Annotated

from pydantic import Field, WithJsonSchema

from rubato.interface.wire import Output, Time

_PLANNER = {"type": "string", "enum": ["on", "rules_only", "quota_exhausted"]}


class LimitsView(Output):
    """The quotas of a tenant; null is none."""

    max_endpoints: int | None = Field(description="Endpoints at a time.")
    max_runs_per_day: int | None = Field(description="Runs in a day (UTC); those beyond it wait for the next one.")
    planner_tokens_per_day: int | None = Field(
        description="Model tokens in a day (UTC); beyond them jobs have their rules only until the next one."
    )


class PlannerUsage(Output):
    """Whether the planner works for this tenant."""

    model: str | None = Field(description="Provider and model of this deployment; null without one.")
    status: Annotated[str, WithJsonSchema(_PLANNER)] = Field(
        description="on; rules_only: no model or no schedule; quota_exhausted: rules only until the counts begin anew."
    )


class UsageView(Output):
    """What a tenant uses."""

    endpoints: int = Field(description="Endpoints now, without deleted ones and those of synthetic jobs.")
    runs_today: int = Field(
        description="Runs that began today (UTC) but for synthetic jobs. It only grows: deleting gives none back."
    )
    planner_tokens_today: int = Field(
        description="Model tokens that the planner used today (UTC), with those reserved by calls under way."
    )
    planner: PlannerUsage = Field(description="Whether the planner works.")
    limits: LimitsView = Field(description="The quotas.")
    resets_at: Time = Field(description="When the counts of the day begin anew.")
