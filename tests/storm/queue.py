"""A run queue that loses, doubles, delays and hurries messages on their way to the real one."""

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from rubato.domain.messages import Message, RunMessage
from rubato.ports import RunQueue
from tests.storm.diary import Diary

_FATES = {"sent": 79, "lost": 1, "refused": 1, "doubled": 9, "delayed": 5, "hurried": 5}
_LATE_MS = 6000


@dataclass
class StormyQueue:
    """Implements ports.RunQueue. Which message meets which fate depends on the order in which threads come here."""

    real: RunQueue
    draw: random.Random
    diary: Diary

    def __post_init__(self) -> None:
        """Threads draw one after the other."""
        self._lock = threading.Lock()

    def send(self, messages: Sequence[Message], now: int) -> list[Message]:
        """Each message on its own; gives those that it refused."""
        return [refused for message in messages for refused in self._send(message, now)]

    def _send(self, message: Message, now: int) -> list[Message]:
        with self._lock:
            fate = self.draw.choices(list(_FATES), list(_FATES.values()))[0]
            later = self.draw.randrange(_LATE_MS)
        if not isinstance(message, RunMessage):
            fate = "doubled"  # whoever promises a second look relies on the queue, not on a lease
        if fate != "sent":
            self.diary.note(fate=fate)
        if fate == "lost":
            return []
        if fate == "refused":
            return [message]
        # The real queue reckons its delay from `now`: an earlier one delays, the due time itself hurries.
        first = {"delayed": now - later, "hurried": max(message.due, now)}.get(fate, now)
        unsent = list(self.real.send([message], first))
        if fate == "doubled":
            self.real.send([message], now - later)
        return unsent
