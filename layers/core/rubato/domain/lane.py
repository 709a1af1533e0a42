"""Lanes of the queue, a bulkhead: calls that hang must not take the workers of those that do not, nor of rules.

The planner's lane has a function of its own behind it: no run waits for a model, and only there is the model's key.
"""

from enum import StrEnum

from rubato.domain.endpoint import EndpointState
from rubato.domain.instant import SECOND

SLOW_MS = 5 * SECOND


class Lane(StrEnum):
    """Each lane has a queue and workers of its own; runs take the first two."""

    FAST = "fast"
    SLOW = "slow"
    RULES = "rules"
    ANALYSES = "analyses"


def lane_of(state: EndpointState) -> Lane:
    """Which lane the claimed run takes: what the latest call was like, the next one will probably be like."""
    return Lane.SLOW if _was_slow(state) else Lane.FAST


def _was_slow(state: EndpointState) -> bool:
    if state.claim is not None and state.claim.tried:
        took = state.claim.tried[-1].duration_ms
        return took is None or took >= SLOW_MS  # nobody knows how long a lost one held its worker
    last = state.last_run
    return last is not None and last.finished_at - last.started_at >= SLOW_MS
