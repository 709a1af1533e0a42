"""Virtual time: a clock that jumps, messages at their due times, and what recurs, all in order and in one thread."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from rubato.adapters.sqs import delay_s, dump_message, load_message
from rubato.domain.instant import SECOND
from rubato.domain.messages import Message


class VirtualClock:
    """Implements ports.Clock: moves when somebody sleeps or a target takes its time."""

    def __init__(self, now: int) -> None:
        self.instant = now

    def now(self) -> int:
        """Where it stands."""
        return self.instant

    def sleep_until(self, instant_ms: int) -> None:
        """Jumps."""
        self.instant = max(self.instant, instant_ms)


class VirtualQueue:
    """Implements ports.RunQueue: each message becomes visible as SQS would have it, in the order of time and sending.

    Messages travel in the words of SQS, so that nothing survives here which would be lost there.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, str]] = []
        self._sent = 0

    def send(self, messages: Sequence[Message], now: int) -> list[Message]:
        """All of them."""
        for message in messages:
            self._sent += 1
            heappush(self._waiting, (now + delay_s(message.due, now) * SECOND, self._sent, dump_message(message)))
        return []

    def next_at(self) -> int | None:
        """When the next one becomes visible."""
        return self._waiting[0][0] if self._waiting else None

    def take(self) -> Message:
        """The next one."""
        return load_message(heappop(self._waiting)[2])


@dataclass
class Recurring:
    """Something that happens every `every_ms`, next `at`."""

    at: int
    every_ms: int
    act: Callable[[], object]


class Loop:
    """Plays recurring acts and messages, each at its moment.

    Every act and message begins at its own moment, as if it had a worker of its own: the clock goes back for it when
    the one before took longer. What that one wrote is there already, some milliseconds early; nothing hangs on that.
    """

    def __init__(
        self, clock: VirtualClock, queue: VirtualQueue, handle: Callable[[Message], object], *recurring: Recurring
    ) -> None:
        self.clock = clock
        self._queue, self._handle, self._recurring = queue, handle, recurring

    def play(self, until: int) -> None:
        """All that begins up to and including `until` (ms since the epoch)."""
        while (moment := self._next_moment()) <= until:
            self.clock.instant = moment
            self._act(moment)
        self.clock.instant = until

    def _act(self, moment: int) -> None:
        for each in self._recurring:
            if each.at <= moment:
                each.at += each.every_ms
                each.act()
                return
        self._handle(self._queue.take())

    def _next_moment(self) -> int:
        moments = [each.at for each in self._recurring]
        waiting = self._queue.next_at()
        return min(moments if waiting is None else [*moments, waiting])
