"""The event loop: what happens, in the order of simulated time. Nothing here reads a real clock."""

import heapq
from collections.abc import Callable
from itertools import count

Event = Callable[[], None]


class Loop:
    """Events at simulated instants, in ms. Those of one instant happen in the order in which they were asked for."""

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Event]] = []
        self._order = count()

    def at(self, instant: float, event: Event) -> None:
        """Have it happen; what lies in the past happens now."""
        heapq.heappush(self._events, (max(instant, self.now), next(self._order), event))

    def run_until(self, end: float) -> None:
        """Let everything happen that is due before `end`."""
        while self._events and self._events[0][0] < end:
            self.now, _, event = heapq.heappop(self._events)
            event()
