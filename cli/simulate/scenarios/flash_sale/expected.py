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


@dataclass(frozen=True, slots=True, kw_only=True)
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
    Reaction(phase="surge", since=5, observer="traffic_monitor", affected="traffic_monitor", before_ms=5 * MINUTE, interval_ms=30 * SECOND),
    Reaction(phase="strain", since=9, observer="traffic_monitor", affected="slow_page_analyzer", before_ms=None, interval_ms=2 * MINUTE),
    Reaction(phase="strain", since=9, observer="order_processor_health", affected="order_processor_health", before_ms=3 * MINUTE, interval_ms=45 * SECOND),
    Reaction(phase="strain", since=9, observer="inventory_sync_check", affected="inventory_sync_check", before_ms=10 * MINUTE, interval_ms=2 * MINUTE),
)
EASED = (
    Reaction(phase="recovery", since=21, observer="traffic_monitor", affected="slow_page_analyzer", before_ms=2 * MINUTE, interval_ms=None),
    Reaction(phase="normal", since=26, observer="traffic_monitor", affected="traffic_monitor", before_ms=30 * SECOND, interval_ms=3 * MINUTE),
    Reaction(phase="normal", since=26, observer="order_processor_health", affected="order_processor_health", before_ms=45 * SECOND, interval_ms=3 * MINUTE),
    Reaction(phase="normal", since=26, observer="inventory_sync_check", affected="inventory_sync_check", before_ms=2 * MINUTE, interval_ms=10 * MINUTE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What the design states of a number of runs, and the most that its own timeline has room for."""

    what: str
    tiers: tuple[str, ...]
    low: int
    high: int
    room: tuple[int, int]


def slots_in(minutes: float, every_ms: int) -> int:
    """How many slots of a rhythm fit."""
    return int(minutes * MINUTE // every_ms)


# The trouble lasts from minute 5 to 26, pages are slow from 9 to 21. Even if each check noticed at once, more would not fit.
_CALM = 40 - (26 - 5)
MOST_HEALTH = sum(
    slots_in(26 - 5, tight) + 1 + slots_in(_CALM, baseline) + 1
    for tight, baseline in ((30 * SECOND, 3 * MINUTE), (45 * SECOND, 3 * MINUTE), (2 * MINUTE, 10 * MINUTE))
)
# Of a rhythm of two minutes over twelve, with a first run at any moment of minutes 9-12, and the trace.
INVESTIGATIONS = (slots_in(21 - 13, 2 * MINUTE) + 1 + 1, slots_in(21 - 9, 2 * MINUTE) + 1 + 1)

SUMS = (
    Sum(what="investigation runs", tiers=("investigation",), low=3, high=5, room=INVESTIGATIONS),
    Sum(what="recovery attempts", tiers=("recovery",), low=2, high=3, room=(2, 3)),
    Sum(what="alerts", tiers=("alert",), low=2, high=3, room=(2, 3)),
    Sum(
        what="runs in all",
        tiers=("health", "investigation", "recovery", "alert"),
        low=150,
        high=200,
        room=(0, MOST_HEALTH + INVESTIGATIONS[1] + 3 + 3),
    ),
)
