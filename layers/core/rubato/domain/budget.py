"""What a key may do at most, beyond its scopes: how many changes in an hour, in which jobs, and may it delete. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rubato.domain.errors import Invalid, LimitReached
from rubato.domain.instant import HOUR, SECOND, to_iso

MAX_JOBS = 20
MAX_CHANGES_PER_HOUR = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """`changes_per_hour` counts by the clock's hour, UTC; None is any number, and `job_ids` None is every job.

    A job that is not among `job_ids` looks to the key as if it did not exist.
    """

    changes_per_hour: int | None = None
    job_ids: frozenset[str] | None = None
    may_delete: bool = True

    def check(self) -> None:
        """Raise Invalid for bounds that are none, or too many jobs to carry along with each request."""
        if self.changes_per_hour is not None and not 1 <= self.changes_per_hour <= MAX_CHANGES_PER_HOUR:
            raise Invalid.field("budget.changesPerHour", f"takes 1 to {MAX_CHANGES_PER_HOUR}; leave it out for any")
        if self.job_ids is not None and not 1 <= len(self.job_ids) <= MAX_JOBS:
            raise Invalid.field("budget.jobIds", f"takes 1 to {MAX_JOBS} jobs; leave it out for all")

    def covers(self, job_id: str) -> bool:
        """Whether the key may see and touch the job."""
        return self.job_ids is None or job_id in self.job_ids

    def to_plain(self) -> dict[str, Any]:
        """As it is told, stored and handed on."""
        jobs = sorted(self.job_ids) if self.job_ids is not None else None
        return {"changesPerHour": self.changes_per_hour, "jobIds": jobs, "mayDelete": self.may_delete}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any] | None) -> "Budget":
        """The budget that `to_plain` told; None is one without any limit."""
        if plain is None:
            return UNLIMITED
        jobs = plain["jobIds"]
        return cls(
            changes_per_hour=plain["changesPerHour"],
            job_ids=frozenset(jobs) if jobs is not None else None,
            may_delete=plain["mayDelete"],
        )


UNLIMITED = Budget()


def hour_of(instant_ms: int) -> str:
    """The UTC hour as in 2025-01-01T09."""
    return to_iso(instant_ms)[:13]


def no_changes_left(limit: int, now: int) -> LimitReached:
    """No change is left in this hour."""
    until = (now // HOUR + 1) * HOUR
    message = f"this key's budget of {limit} changes an hour is used up until {to_iso(until)}; reading is not limited"
    return LimitReached(message, (until - now + SECOND - 1) // SECOND)
