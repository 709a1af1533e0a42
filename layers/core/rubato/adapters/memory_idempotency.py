"""Reservations and answers of idempotent requests in memory."""

import json
import threading
from dataclasses import dataclass

from rubato.domain.idempotency import Reservation, Standing


@dataclass(frozen=True, slots=True)
class _Entry:
    reservation: Reservation
    expires_at: int
    answer: str | None = None


class MemoryIdempotency:
    """Implements ports.Idempotency."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.Lock()

    def reserve(self, wanted: Reservation, now: int) -> Standing | None:
        """First come, first served."""
        with self._lock:
            entry = self._entries.get(wanted.request_id)
            if entry is None or entry.expires_at <= now or entry.reservation.holder == wanted.holder:
                self._entries[wanted.request_id] = _Entry(wanted, wanted.expires_at)
                return None
            answer = json.loads(entry.answer) if entry.answer is not None else None
            return Standing(fingerprint=entry.reservation.fingerprint, answer=answer)

    def keep(self, mine: Reservation, answer: dict[str, object], until: int) -> None:
        """As text, so that nobody can change it."""
        with self._lock:
            if self._holds(mine):
                self._entries[mine.request_id] = _Entry(mine, until, json.dumps(answer))

    def release(self, mine: Reservation) -> None:
        """By its holder."""
        with self._lock:
            if self._holds(mine):
                del self._entries[mine.request_id]

    def _holds(self, mine: Reservation) -> bool:
        entry = self._entries.get(mine.request_id)
        return entry is not None and entry.reservation.holder == mine.holder
