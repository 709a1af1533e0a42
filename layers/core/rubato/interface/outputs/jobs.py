"""What the actions on jobs answer."""

from typing import Annotated

from pydantic import Field, WithJsonSchema

from rubato.domain.jobs import JobStatus
from rubato.interface.inputs.jobs import DefaultsInput, NotificationsInput
from rubato.interface.outputs.rules import RuleTrouble, RuleView, RuleWarning
from rubato.interface.wire import Output, Time

_HEALTH = {"type": "string", "enum": ["unknown", "healthy", "degraded", "failing"]}


_PLANNER = {"type": "string", "enum": ["off", "on", "rules_only"]}


class PlannerView(Output):
    """Whether a model steers the job's endpoints."""

    enabled: bool = Field(description="Whether the job asks for it.")
    guidance: str | None = Field(description="The owner's words to the model.")
    dry_run: bool = Field(description="Whether what the model would have done is only recorded.")
    status: Annotated[str, WithJsonSchema(_PLANNER)] = Field(
        description="off: not asked for; on; rules_only: asked for, but this deployment has no model or no schedule."
    )


class JobView(Output):
    """A job."""

    job_id: str = Field(description="The job's id.")
    name: str = Field(description="What people call it.")
    description: str | None = Field(description="What it is for.")
    status: JobStatus = Field(description="Only an active job's endpoints run.")
    tags: list[str] = Field(description="Labels to filter by.")
    owner: str | None = Field(description="Who answers for it.")
    defaults: DefaultsInput = Field(description="What new endpoints start from.")
    is_synthetic: bool = Field(description="Monitors Rubato itself.")
    notifications: NotificationsInput = Field(description="Of which turns of its endpoints people are told.")
    planner: PlannerView = Field(description="Whether a model steers its endpoints.")
    rules: list[RuleView] = Field(description="What the job does by itself when its endpoints' answers say so.")
    timezone: str = Field(description="The zone by whose clock rules tell minuteOfDay and weekday.")
    version: int = Field(description="Grows with every change; the ETag.")
    created_at: Time = Field(description="When it was created.")
    updated_at: Time = Field(description="When it was changed last.")


class JobDetails(JobView):
    """A job and what its endpoints add up to."""

    endpoint_count: int = Field(description="How many endpoints it has.")
    failing_count: int = Field(description="How many of them failed in their latest run.")
    last_run_at: Time | None = Field(description="When one of them ran last.")
    health: Annotated[str, WithJsonSchema(_HEALTH)] = Field(
        description="failing: every endpoint failed in its latest run; degraded: some did; unknown: nothing ran yet."
    )
    rule_warnings: list[RuleWarning] = Field(
        description="What is odd about rules, such as endpoints that the job lacks."
    )
    rule_errors: list[RuleTrouble] = Field(
        description="Rules whose condition has no value, and the latest actions of rules that were refused."
    )
