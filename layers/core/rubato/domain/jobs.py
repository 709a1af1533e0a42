"""A job: the named group to which endpoints belong."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from rubato.domain.rules import Rule


class JobStatus(StrEnum):
    """Only an active job's endpoints run."""

    ACTIVE = "active"
    PAUSED = "paused"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRules:
    """Of which turns of its endpoints a job's people hear.

    `after_failures`: when that many runs in a row have failed; 0 never. A recovery is told when at least as many had.
    An automatic pause is told unless somebody declines.
    """

    after_failures: int = 0
    on_recovery: bool = False
    on_auto_pause: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerSettings:
    """Whether a model may steer the job's endpoints. `guidance` is the owner's word on how.

    In a `dry_run` it is recorded what the model would have done, and nothing happens.
    """

    enabled: bool = False
    guidance: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Times in ms since the epoch. `defaults` holds, in the API's own spelling, what new endpoints start from.

    `timezone` is an IANA zone: by its clock rules tell minute and weekday. `is_synthetic`: it monitors Rubato itself,
    and its runs stay out of the figures and quotas of those who use it.
    """

    job_id: str
    tenant_id: str
    name: str
    created_at: int
    updated_at: int
    status: JobStatus = JobStatus.ACTIVE
    version: int = 1
    description: str | None = None
    tags: tuple[str, ...] = ()
    owner: str | None = None
    defaults: dict[str, Any] = field(default_factory=dict)
    is_synthetic: bool = False
    notifications: NotificationRules = NotificationRules()
    rules: tuple[Rule, ...] = ()
    timezone: str = "UTC"
    planner: PlannerSettings = PlannerSettings()

    @property
    def leads(self) -> tuple[bool, ...]:
        """What its endpoints follow: when this changes, each of them has to hear of it."""
        return self.holds, self.is_ruled, self.is_watched, self.is_synthetic

    @property
    def is_watched(self) -> bool:
        """Whether the planner looks at the job's endpoints."""
        return self.planner.enabled and not self.holds

    @property
    def holds(self) -> bool:
        """Whether the job keeps its endpoints from running."""
        return self.status is not JobStatus.ACTIVE

    @property
    def is_ruled(self) -> bool:
        """Whether its rules want to hear of runs."""
        return bool(self.rules)
