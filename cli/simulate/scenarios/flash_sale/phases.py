"""The phase table of the flash sale. Stepwise: a phase's figures hold from its first minute until the next phase's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phase:
    """Figures of the shop from the minute `since` on.

    Visitors and orders per minute, times in ms. Invented, for the design names none: `lag_s`, how far the stock lags
    behind the orders; `backlog`, orders that wait for a worker; `trend`, what the backlog does.
    """

    name: str
    since: int
    visitors: int
    page_ms: int
    orders: int
    db_ms: int
    lag_s: int
    backlog: int
    trend: str


BASELINE, SURGE, STRAIN, CRITICAL, RECOVERY, NORMAL = PHASES = (
    Phase("baseline", 0, 1000, 800, 40, 120, lag_s=5, backlog=0, trend="steady"),
    Phase("surge", 5, 5000, 1800, 180, 280, lag_s=40, backlog=20, trend="growing"),
    Phase("strain", 9, 5500, 3200, 160, 850, lag_s=150, backlog=140, trend="growing"),
    Phase("critical", 13, 6000, 4500, 120, 1200, lag_s=300, backlog=400, trend="growing"),
    Phase("recovery begins", 21, 5200, 2800, 175, 650, lag_s=120, backlog=110, trend="shrinking"),
    Phase("back to normal", 26, 1500, 1100, 50, 180, lag_s=8, backlog=0, trend="steady"),
)


def phase_of(minute: float) -> Phase:
    """The phase of the table at that minute; the first one before it begins."""
    return next((phase for phase in reversed(PHASES) if phase.since <= minute), BASELINE)
