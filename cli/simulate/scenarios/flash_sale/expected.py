"""What the design's tables of the flash sale say, as values: rhythms, cooldowns, reactions, sums."""

from dataclasses import dataclass

from cli.simulate.play.scenario import MINUTE

SECOND = 1_000
HEALTH = ("traffic_monitor", "order_processor_health", "inventory_sync_check")
COOLDOWNS = {
    "cache_warm_up": 15 * MINUTE,
    "scale_checkout_workers": 20 * MINUTE,
    "slack_operations": 10 * MINUTE,
    "slack_customer_support": 15 * MINUTE,
    "emergency_oncall_page": 120 * MINUTE,
}
# Proposed once for a cause, with no cooldown in the design.
ONE_SHOTS = ("database_query_trace", *COOLDOWNS)
FASTEST_MS = 30 * SECOND


@dataclass(frozen=True, slots=True)
class Reaction:
    """At the minute `since` a phase begins that `observer` sees; `affected` then runs every `interval_ms`.

    None: it sleeps. `before_ms` is its interval until then, None for one that slept.
    """

    phase: str
    since: int
    observer: str
    affected: str
    before_ms: int | None
    interval_ms: int | None


TIGHTENED = (
    Reaction("surge", 5, "traffic_monitor", "traffic_monitor", 5 * MINUTE, 30 * SECOND),
    Reaction("strain", 9, "traffic_monitor", "slow_page_analyzer", None, 2 * MINUTE),
    Reaction("strain", 9, "order_processor_health", "order_processor_health", 3 * MINUTE, 45 * SECOND),
    Reaction("strain", 9, "inventory_sync_check", "inventory_sync_check", 10 * MINUTE, 2 * MINUTE),
)
EASED = (
    Reaction("recovery", 21, "traffic_monitor", "slow_page_analyzer", 2 * MINUTE, None),
    Reaction("normal", 26, "traffic_monitor", "traffic_monitor", 30 * SECOND, 3 * MINUTE),
    Reaction("normal", 26, "order_processor_health", "order_processor_health", 45 * SECOND, 3 * MINUTE),
    Reaction("normal", 26, "inventory_sync_check", "inventory_sync_check", 2 * MINUTE, 10 * MINUTE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What the design states of a number of runs, and the least and most that its own timeline has room for."""

    what: str
    tiers: tuple[str, ...]
    low: int
    high: int
    room: tuple[int, int]


def slots_in(minutes: float, every_ms: int) -> int:
    """How many slots of a rhythm fit."""
    return int(minutes * MINUTE // every_ms)


# Trouble is there to be seen from a minute on until minute 26, but at the latest one baseline after either.
_TIGHT = ((5, 5 * MINUTE, 30 * SECOND), (9, 3 * MINUTE, 45 * SECOND), (9, 10 * MINUTE, 2 * MINUTE))
_OVER, _END, _EASED_MS = 26, 40, 3 * MINUTE
# The last hints are those of minute 26, and live for ten minutes.
_HINTS_OVER = _OVER + 10
# Each of the three stretches (before, in and after the trouble) may begin with a slot of its own.
_FIRST_SLOTS = 3
_STRAIN, _CRITICAL, _RECOVERY = 9, 13, 21
_TRACES = 1


def _fewest(since: int, baseline: int, tight: int) -> int:
    return (
        slots_in(_OVER - since - baseline / MINUTE, tight)
        + slots_in(since, baseline)
        + slots_in(_END - _HINTS_OVER, baseline)
    )


def _most(since: int, baseline: int, tight: int) -> int:
    fastest = min(baseline, _EASED_MS)
    before, after = slots_in(since, baseline), slots_in(_END - _OVER, fastest)
    return before + slots_in(_OVER - since, tight) + after + _FIRST_SLOTS


HEALTH_CHECKS = (sum(_fewest(*each) for each in _TIGHT), sum(_most(*each) for each in _TIGHT))
# A run each two minutes from any moment of minutes 9-12 until 21, and the trace.
INVESTIGATIONS = (
    slots_in(_RECOVERY - _CRITICAL, 2 * MINUTE) + 1 + _TRACES,
    slots_in(_RECOVERY - _STRAIN, 2 * MINUTE) + 1 + _TRACES,
)
RECOVERIES, ALERTS = (2, 3), (2, 3)


def _room(end: int) -> int:
    """For runs in all: 0 for the least, 1 for the most."""
    return sum(each[end] for each in (HEALTH_CHECKS, INVESTIGATIONS, RECOVERIES, ALERTS))


SUMS = (
    Sum(what="investigation runs", tiers=("investigation",), low=3, high=5, room=INVESTIGATIONS),
    Sum(what="recovery attempts", tiers=("recovery",), low=2, high=3, room=RECOVERIES),
    Sum(what="alerts", tiers=("alert",), low=2, high=3, room=ALERTS),
    Sum(
        what="runs in all",
        tiers=("health", "investigation", "recovery", "alert"),
        low=150,
        high=200,
        room=(_room(0), _room(1)),
    ),
)
