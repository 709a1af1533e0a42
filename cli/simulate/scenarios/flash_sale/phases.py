"""The phase table of the flash sale. Stepwise: a phase's figures hold from its first minute until the next phase's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
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
    Phase(
        name="baseline", since=0, visitors=1000, page_ms=800, orders=40, db_ms=120, lag_s=5, backlog=0, trend="steady"
    ),
    Phase(
        name="surge", since=5, visitors=5000, page_ms=1800, orders=180, db_ms=280, lag_s=40, backlog=20, trend="growing"
    ),
    Phase(
        name="strain", since=9, visitors=5500, page_ms=3200, orders=160, db_ms=850, lag_s=150, backlog=140, trend="growing"
    ),
    Phase(
        name="critical", since=13, visitors=6000, page_ms=4500, orders=120, db_ms=1200, lag_s=300, backlog=400,
        trend="growing",
    ),
    Phase(
        name="recovery begins", since=21, visitors=5200, page_ms=2800, orders=175, db_ms=650, lag_s=120, backlog=110,
        trend="shrinking",
    ),
    Phase(
        name="back to normal", since=26, visitors=1500, page_ms=1100, orders=50, db_ms=180, lag_s=8, backlog=0,
        trend="steady",
    ),
)


def phase_of(minute: float) -> Phase:
    """The phase of the table at that minute; the first one before it begins."""
    return next((phase for phase in reversed(PHASES) if phase.since <= minute), BASELINE)
