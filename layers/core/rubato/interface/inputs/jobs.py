"""What the actions on jobs take."""

from typing import Literal

from pydantic import Field

from rubato.domain.jobs import JobStatus
from rubato.domain.rules import MAX_RULES
from rubato.interface.inputs.fields import (
    BaselineInput,
    ClampInput,
    Flag,
    JobId,
    JobInput,
    Name,
    PageInput,
    Reason,
    RetryInput,
    RetryPatch,
    Tag,
    ZoneText,
)
from rubato.interface.inputs.rules import RuleInput
from rubato.interface.wire import Wire


class DefaultsInput(Wire):
    """What new endpoints of a job start from."""

    baseline: BaselineInput | None = Field(default=None, description="Rhythm of endpoints that name none.")
    clamp: ClampInput | None = Field(default=None, description="Clamp of endpoints that name none.")
    timeout_ms: int | None = Field(
        default=None, ge=1000, le=600_000, description="Timeout of endpoints that name none."
    )
    retry: RetryInput | None = Field(default=None, description="Retries of endpoints that name none.")


class DefaultsPatch(Wire):
    """Parts of a job's defaults; null clears, the baseline is replaced whole."""

    baseline: BaselineInput | None = Field(default=None, description="Rhythm of endpoints that name none.")
    clamp: ClampInput | None = Field(default=None, description="Clamp of endpoints that name none.")
    timeout_ms: int | None = Field(
        default=None, ge=1000, le=600_000, description="Timeout of endpoints that name none."
    )
    retry: RetryPatch | None = Field(default=None, description="Retries of endpoints that name none.")


class NotificationsInput(Wire):
    """Of which turns of the job's endpoints the deployment's SNS topic or EventBridge bus hears."""

    after_failures: int | None = Field(
        default=None, ge=0, le=100, description="Tell when so many runs in a row have failed; null or 0 never tells."
    )
    on_recovery: bool = Field(default=False, description="Tell of the first success after at least that many failures.")
    on_auto_pause: bool = Field(default=True, description="Tell when autoPauseAfter has paused an endpoint.")


class NotificationsPatch(Wire):
    """Parts of a job's notifications; null clears."""

    after_failures: int | None = Field(
        default=None, ge=0, le=100, description="Tell when so many runs in a row have failed; null or 0 never tells."
    )
    on_recovery: bool | None = Field(
        default=None, description="Tell of the first success after at least that many failures."
    )
    on_auto_pause: bool | None = Field(default=None, description="Tell when autoPauseAfter has paused an endpoint.")


class PlannerInput(Wire):
    """Whether a model may steer the job's endpoints, and how."""

    enabled: bool = Field(default=False, description="Have a model look at the endpoints and steer their tempo.")
    guidance: str | None = Field(default=None, max_length=4000, description="Your words to the model on how.")
    dry_run: bool = Field(default=False, description="Record what the model would have done, and do nothing.")


class PlannerPatch(Wire):
    """Parts of a job's planner; null goes back to the default."""

    enabled: bool | None = Field(default=None, description="Have a model look at the endpoints and steer their tempo.")
    guidance: str | None = Field(default=None, max_length=4000, description="Your words to the model on how.")
    dry_run: bool | None = Field(default=None, description="Record what the model would have done, and do nothing.")


class JobFields(Wire):
    """A job as configured."""

    name: Name = Field(description="What people call it.")
    description: str | None = Field(default=None, max_length=1000, description="What it is for.")
    tags: list[Tag] = Field(default=[], max_length=20, description="Labels to filter by.")
    owner: str | None = Field(default=None, max_length=255, description="Who answers for it.")
    defaults: DefaultsInput = Field(default_factory=DefaultsInput, description="What new endpoints start from.")
    is_synthetic: bool = Field(
        default=False,
        description="Monitors Rubato itself; its runs stay out of users' figures and have a small quota of their own.",
    )
    notifications: NotificationsInput = Field(
        default_factory=NotificationsInput, description="Of which turns of its endpoints people are told."
    )
    planner: PlannerInput = Field(
        default_factory=PlannerInput, description="Whether a model may steer its endpoints, and how."
    )
    rules: list[RuleInput] = Field(
        default=[], max_length=MAX_RULES, description="What the job does by itself when its endpoints' answers say so."
    )
    timezone: ZoneText | None = Field(
        default=None, description="IANA zone by whose clock rules tell minuteOfDay and weekday (UTC)."
    )


class CreateJobInput(JobFields):
    """Input of createJob."""


class JobPatch(Wire):
    """Input of updateJob: JSON Merge Patch; null clears."""

    job_id: JobId
    name: Name = Field(  # type: ignore[assignment]  # read only where it was given
        default=None, description="What people call it; not to be cleared."
    )
    description: str | None = Field(default=None, max_length=1000, description="What it is for.")
    tags: list[Tag] | None = Field(default=None, max_length=20, description="Labels; replaced whole.")
    owner: str | None = Field(default=None, max_length=255, description="Who answers for it.")
    defaults: DefaultsPatch | None = Field(default=None, description="What new endpoints start from; merged.")
    is_synthetic: bool | None = Field(default=None, description="Monitors Rubato itself.")
    notifications: NotificationsPatch | None = Field(default=None, description="Of what people are told; merged.")
    planner: PlannerPatch | None = Field(default=None, description="Whether a model may steer; merged.")
    rules: list[RuleInput] | None = Field(
        default=None, max_length=MAX_RULES, description="What the job does by itself; replaced whole."
    )
    timezone: ZoneText | None = Field(default=None, description="IANA zone by whose clock rules tell the time.")
    status: Literal["active", "paused"] | None = Field(
        default=None, description="paused holds every endpoint; active resumes them and restores an archived job."
    )
    reason: Reason


class ArchiveJobInput(JobInput):
    """Input of archiveJob."""

    reason: Reason


class ListJobsInput(PageInput):
    """Input of listJobs."""

    status: JobStatus | None = Field(default=None, description="Only jobs that stand so.")
    tag: str | None = Field(default=None, max_length=64, description="Only jobs with this tag.")
    is_synthetic: Flag | None = Field(default=None, description="Only synthetic jobs, or only the others.")
