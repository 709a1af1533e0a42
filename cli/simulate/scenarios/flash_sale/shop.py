"""The fake shop: answers by the phase table, and reacts to recoveries.

The table's recovery does not come by itself: it begins at its minute, or seven minutes after checkout workers were
scaled, whichever is later, and never without that. In the variant in which scaling fails the request for more workers
is answered with 503; the trouble then goes on, and from minute 26 checkout is down.

In the worst of it two looks fail, and each only once: the first at the orders from minute 16 on, and the first at the
traffic from minute 17 on.
"""

from collections.abc import Callable
from typing import Any

from cli.simulate.play.scenario import MINUTE, Answer, Visit
from cli.simulate.scenarios.flash_sale.phases import CRITICAL, NORMAL, RECOVERY, Phase, phase_of

ANALYSIS = "/pages/analysis"
WORKERS_TAKE_MIN = 7
# The minute from which on one look fails, by path.
FAILS_FROM = {"/orders": 16, "/traffic": 17}
# Above this the analyzer names a page as slow.
SLOW_PAGE_MS = 3_000


class Shop:
    """Implements scenario.Targets."""

    def __init__(self, *, scaling_fails: bool = False) -> None:
        self._scaling_fails = scaling_fails
        self._scaled_at: float | None = None
        self._fails_from = dict(FAILS_FROM)
        self._answers: dict[str, Callable[[Phase, float], Answer]] = {
            "/traffic": _traffic,
            "/orders": self._orders,
            "/inventory": _inventory,
            ANALYSIS: _analysis,
            "/database/trace": _trace,
            "/cache/warm-up": _warm_up,
            "/checkout/scale": self._scale,
            "/slack/operations": _told,
            "/slack/support": _told,
            "/oncall/page": _told,
        }

    def answer(self, visit: Visit) -> Answer:
        """By the path; 404 for one that the shop does not have."""
        found = self._answers.get(visit.path)
        minute = visit.at / MINUTE
        if visit.path in self._fails_from and minute >= self._fails_from[visit.path]:
            del self._fails_from[visit.path]
            return Answer(status=503, takes_ms=2_000, body={"error": "the shop is too busy to tell"})
        return found(self.phase(minute), minute) if found else Answer(status=404, body={"error": "no such path"})

    def phase(self, minute: float) -> Phase:
        """Where the shop stands, what was done for it included."""
        phase = phase_of(minute)
        if phase.since < RECOVERY.since:
            return phase
        if self._scaled_at is None:
            return CRITICAL
        begins = max(RECOVERY.since, self._scaled_at + WORKERS_TAKE_MIN)
        if minute < begins:
            return CRITICAL
        return phase if minute >= begins + NORMAL.since - RECOVERY.since else RECOVERY

    def _orders(self, phase: Phase, minute: float) -> Answer:
        down = self._scaling_fails and minute >= NORMAL.since
        return Answer(
            takes_ms=180,
            body={
                "ordersPerMin": phase.orders,
                "dbQueryMs": phase.db_ms,
                "backlog": phase.backlog,
                "backlogTrend": phase.trend,
                "checkout": "down" if down else "up",
            },
        )

    def _scale(self, _phase: Phase, minute: float) -> Answer:
        if self._scaling_fails:
            return Answer(status=503, takes_ms=900, body={"error": "no capacity in this zone"})
        self._scaled_at = minute if self._scaled_at is None else self._scaled_at
        return Answer(takes_ms=900, body={"workers": 24, "readyInMin": WORKERS_TAKE_MIN})


def _traffic(phase: Phase, _minute: float) -> Answer:
    return Answer(takes_ms=120, body={"visitorsPerMin": phase.visitors, "pageMs": phase.page_ms})


def _inventory(phase: Phase, _minute: float) -> Answer:
    return Answer(takes_ms=240, body={"lagSeconds": phase.lag_s})


def _analysis(phase: Phase, _minute: float) -> Answer:
    pages: list[dict[str, Any]] = [
        {"path": "/product/lamp", "ms": phase.page_ms + 150},
        {"path": "/product/chair", "ms": phase.page_ms + 50},
    ]
    return Answer(takes_ms=700, body={"slowProductPages": [page for page in pages if page["ms"] > SLOW_PAGE_MS]})


def _trace(phase: Phase, _minute: float) -> Answer:
    return Answer(takes_ms=1_200, body={"slowest": "SELECT stock FOR UPDATE", "ms": phase.db_ms})


def _warm_up(_phase: Phase, _minute: float) -> Answer:
    return Answer(takes_ms=600, body={"warmed": ["/product/lamp", "/product/chair"]})


def _told(_phase: Phase, _minute: float) -> Answer:
    return Answer(takes_ms=90, body={"ok": True})
