"""A vault that remembers what it read, in this process, for a stated time."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rubato.domain.errors import Unreadable
from rubato.domain.instant import MINUTE, SECOND
from rubato.domain.retries import VAULT_PATIENCE_MS
from rubato.ports import Clock, Vault

FRESH_MS = 60 * SECOND
"""For so long nobody asks again: within this time a change counts everywhere."""
STALE_MS = 10 * MINUTE
"""For so long what was read goes on to count while the vault gives no answer."""
_MAX_ANSWERS = 1_000
# So long a vault that gave no answer is left alone: asking takes seconds then, in every thread, and runs wait for it.
_REST_MS = VAULT_PATIENCE_MS

Answer = dict[str, str]


@dataclass(slots=True)
class _Remembered:
    lock: threading.Lock = field(default_factory=threading.Lock)
    read_at: int = 0
    answer: Answer = field(default_factory=dict)
    trouble: str | None = None
    troubled_at: int = 0


class RememberingVault:
    """Implements ports.Vault over another one. What was not there is asked for each time, so that a remedy helps.

    `on_trouble` is called whenever the other one gives no answer, also where what is remembered goes on to count.
    """

    def __init__(self, vault: Vault, clock: Clock, on_trouble: Callable[[], None] = lambda: None) -> None:
        self._vault = vault
        self._clock = clock
        self._on_trouble = on_trouble
        self._answers: dict[tuple[str, ...], _Remembered] = {}
        self._lock = threading.Lock()

    def put(self, shelf: str, name: str, value: str) -> None:
        """Straight through."""
        self._vault.put(shelf, name, value)

    def delete(self, shelf: str, name: str) -> bool:
        """Straight through."""
        return self._vault.delete(shelf, name)

    def read(self, shelf: str, names: Sequence[str]) -> Answer:
        """As remembered if every name had a value."""
        wanted = sorted(set(names))
        return self._answer((shelf, *wanted), lambda: self._vault.read(shelf, wanted), len(wanted))

    def _answer(self, key: tuple[str, ...], read: Callable[[], Answer], at_least: int) -> Answer:
        known = self._known(key)
        with known.lock:  # the threads of a batch ask once
            if known.answer and self._clock.now() - known.read_at < FRESH_MS:
                return known.answer
            try:
                answer = self._ask(known, read)
            except Unreadable:
                if known.answer and self._clock.now() - known.read_at < STALE_MS:
                    return known.answer
                raise
            known.answer = answer if len(answer) >= at_least else {}
            known.read_at = self._clock.now()
            return answer

    def _ask(self, known: _Remembered, read: Callable[[], Answer]) -> Answer:
        if known.trouble is not None and self._clock.now() - known.troubled_at < _REST_MS:
            raise Unreadable(known.trouble)
        try:
            answer = read()
        except Unreadable as error:
            known.trouble, known.troubled_at = str(error), self._clock.now()
            self._on_trouble()
            raise
        known.trouble = None
        return answer

    def _known(self, key: tuple[str, ...]) -> _Remembered:
        with self._lock:
            if len(self._answers) >= _MAX_ANSWERS and key not in self._answers:
                self._answers.clear()
            return self._answers.setdefault(key, _Remembered())
