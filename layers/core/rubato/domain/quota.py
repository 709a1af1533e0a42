"""What a tenant may use: endpoints at a time, runs in a day (UTC). Pure."""

from dataclasses import dataclass

from rubato.domain.endpoint import Endpoint, Pause
from rubato.domain.errors import LimitReached
from rubato.domain.hints import Actor, ActorKind
from rubato.domain.instant import DAY, HOUR, SECOND, to_iso

QUOTA = Actor(id="quota", kind=ActorKind.SYSTEM)
# Beside a tenant's quota: seven endpoints, each minute. Anybody may call a job synthetic, so it must not be much.
MAX_SYNTHETIC_RUNS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a tenant has now, and has used up today. The count of runs only grows within a day.

    `planner_tokens_today` counts the model's tokens, in and out, with those reserved by calls under way.
    """

    endpoints: int = 0
    runs_today: int = 0
    planner_tokens_today: int = 0


def day_of(instant_ms: int) -> str:
    """The UTC day as in 2025-01-01."""
    return to_iso(instant_ms)[:10]


def next_day(instant_ms: int) -> int:
    """The next midnight, UTC, in ms."""
    return (instant_ms // DAY + 1) * DAY


def runs_allowed(limit: int, is_synthetic: bool) -> int:
    """How many runs a day a quota of `limit` allows; 0 is any number. Synthetic ones have a share of their own."""
    return min(limit, MAX_SYNTHETIC_RUNS) if is_synthetic else limit


def wait_for_next_day(endpoint: Endpoint, limit: int, now: int) -> Endpoint:
    """The claimed run is over the quota: at rest until midnight, when what waited runs once. Settle next."""
    reason = f"the quota of {_runs(limit, endpoint.state.synthetic)} a day is used up"
    pause = Pause(since=now, by=QUOTA, until=next_day(now), reason=reason)
    return endpoint.with_state(claim=None, pause=pause)


def lifted(endpoint: Endpoint) -> Endpoint:
    """Awake again if it was the quota that put it to rest. Settle next."""
    pause = endpoint.state.pause
    return endpoint.with_state(pause=None) if pause is not None and pause.by == QUOTA else endpoint


def no_runs_left(limit: int, now: int, is_synthetic: bool = False) -> LimitReached:
    """No run is left today."""
    until, allowed = next_day(now), _runs(limit, is_synthetic)
    message = f"the quota of {allowed} a day is used up until {to_iso(until)}; raise MaxRunsPerTenantPerDay"
    return LimitReached(message, (until - now + SECOND - 1) // SECOND)


def too_many_endpoints(limit: int) -> LimitReached:
    """No further endpoint fits."""
    message = f"the tenant has {limit} endpoints, its quota; delete one, or raise MaxEndpointsPerTenant"
    return LimitReached(message, HOUR // SECOND)


def _runs(limit: int, is_synthetic: bool) -> str:
    allowed = runs_allowed(limit, is_synthetic)
    return f"{allowed} synthetic runs" if is_synthetic else f"{allowed} runs"
