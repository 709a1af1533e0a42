"""The audit trail: who or what changed what, from what, to what, why and when."""

from dataclasses import dataclass
from typing import Any

from rubato.domain.access import Door
from rubato.domain.agents import Delegation
from rubato.domain.hints import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change of `subject` (a job's or endpoint's id). `before` and `after` hold only what changed.

    `delegation` says through which registered agent, and on whose behalf; `door` the way that the actor came in, None
    for Rubato's own rules, planner and quotas.
    """

    event_id: str
    subject: str
    tenant_id: str
    at: int
    actor: Actor
    action: str
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str | None = None
    delegation: Delegation | None = None
    door: Door | None = None
