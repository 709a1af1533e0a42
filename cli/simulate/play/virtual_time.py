"""Virtual time: whatever sleeps is woken at its moment, in the order of time, and only one thing runs at once."""

import threading
from collections.abc import Callable, Sequence
from heapq import heappop, heappush

from rubato.adapters.sqs import delay_s, dump_message, load_message
from rubato.domain.instant import SECOND
from rubato.domain.messages import Message

Work = Callable[[], object]


class VirtualTime:
    """Implements ports.Clock: it is as late as the thing that happens next.

    Each piece of work has a thread of its own, so that it can sleep in the middle while others go on; a baton goes
    round, so that never two of them move. What happens is therefore the same in every play.
    """

    def __init__(self, now: int) -> None:
        self._now = now
        self._steps: list[tuple[int, int, bool, Work]] = []
        self._count = 0
        self._baton = threading.Semaphore(0)
        self._trouble: list[BaseException] = []

    def now(self) -> int:
        """Ms since the epoch."""
        return self._now

    def sleep_until(self, instant_ms: int) -> None:
        """Others go on meanwhile, if this is work that was scheduled; else the time just passes."""
        if instant_ms <= self._now:
            return
        if not isinstance(threading.current_thread(), _Worker):
            self._now = instant_ms
            return
        gate = threading.Semaphore(0)
        self._push(instant_ms, True, gate.release)
        self._baton.release()
        gate.acquire()

    def schedule(self, at: int, work: Work) -> None:
        """Begin it then, or now if that has passed. What is scheduled for one moment begins in that order."""
        self._push(max(at, self._now), False, _Worker(self._guarded(work)).start)

    def recur(self, at: int, every_ms: int, work: Work, *, is_idle: Callable[[], bool] = lambda: False) -> None:
        """Begin it then and in every so many ms, for ever; not when `is_idle` says that it would find nothing to do."""

        def again() -> None:
            self.recur(at + every_ms, every_ms, work, is_idle=is_idle)
            if is_idle():
                self._baton.release()
            else:
                _Worker(self._guarded(work)).start()

        self._push(max(at, self._now), False, again)

    def play(self, until: int) -> None:
        """All that begins up to and including `until` (ms since the epoch), to its end. Raises what it raises."""
        while self._steps and self._steps[0][0] <= until:
            self._step(*heappop(self._steps))
        while resumed := [step for step in self._steps if step[2]]:
            self._steps.remove(min(resumed))
            self._step(*min(resumed))

    def _step(self, at: int, _number: int, _resumes: bool, go: Work) -> None:
        self._now = at
        go()
        self._baton.acquire()
        if self._trouble:
            raise self._trouble[0]

    def _push(self, at: int, resumes: bool, go: Work) -> None:
        self._count += 1
        heappush(self._steps, (at, self._count, resumes, go))

    def _guarded(self, work: Work) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                self._trouble.append(error)
            finally:
                self._baton.release()

        return run


class _Worker(threading.Thread):
    """A thread that may sleep in virtual time. One that a failed play leaves asleep does not keep the process."""

    def __init__(self, run: Callable[[], None]) -> None:
        super().__init__(target=run, daemon=True)


class VirtualQueue:
    """Implements ports.RunQueue: each message is handled when SQS would make it visible, by a worker of its own.

    Messages travel in the words of SQS, so that nothing survives here which would be lost there.
    """

    def __init__(self, time: VirtualTime, handle: Callable[[Message], object]) -> None:
        self._time, self._handle = time, handle

    def send(self, messages: Sequence[Message], now: int) -> list[Message]:
        """All of them."""
        for message in messages:
            self._deliver(dump_message(message), now + delay_s(message.due, now) * SECOND)
        return []

    def _deliver(self, body: str, at: int) -> None:
        self._time.schedule(at, lambda: self._handle(load_message(body)))
