"""Counters of use in memory."""

import threading
from collections import Counter

from rubato.domain.quota import Usage


class MemoryUsage:
    """Implements ports.UsageCounters."""

    def __init__(self) -> None:
        self.endpoints: Counter[str] = Counter()
        self._runs: Counter[tuple[str, str]] = Counter()
        self._synthetic: Counter[tuple[str, str]] = Counter()
        self._tokens: Counter[tuple[str, str]] = Counter()
        self._changes: Counter[tuple[str, str]] = Counter()
        self._over: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def of(self, tenant_id: str, day: str) -> Usage:
        """All three counters."""
        return Usage(
            endpoints=self.endpoints[tenant_id],
            runs_today=self._runs[tenant_id, day],
            planner_tokens_today=max(self._tokens[tenant_id, day], 0),
        )

    def take_change(self, key_id: str, hour: str, limit: int) -> bool:
        """Check and count in one step."""
        with self._lock:
            if self._changes[key_id, hour] >= limit:
                return False
            self._changes[key_id, hour] += 1
            return True

    def take_run(self, tenant_id: str, day: str, limit: int, *, synthetic: bool = False) -> bool:
        """Check and count in one step."""
        runs = self._synthetic if synthetic else self._runs
        with self._lock:
            if runs[tenant_id, day] >= limit:
                return False
            runs[tenant_id, day] += 1
            return True

    def note_run(self, tenant_id: str, day: str) -> None:
        """Counts at once."""
        with self._lock:
            self._runs[tenant_id, day] += 1

    def take_tokens(self, tenant_id: str, day: str, tokens: int, limit: int) -> bool:
        """Check and count in one step."""
        with self._lock:
            if limit and self._tokens[tenant_id, day] + tokens > limit:
                return False
            self._tokens[tenant_id, day] += tokens
            return True

    def settle_tokens(self, tenant_id: str, day: str, difference: int) -> None:
        """Counts at once."""
        with self._lock:
            self._tokens[tenant_id, day] += difference

    def flush(self) -> None:
        """Nothing is held back."""

    def note_over(self, tenant_id: str, day: str, limit: int) -> None:
        """Remembered."""
        self._over[day, tenant_id] = limit

    def over(self, day: str) -> dict[str, int]:
        """Of that day."""
        return {tenant: limit for (noted, tenant), limit in self._over.items() if noted == day}

    def forget_over(self, tenant_id: str, day: str) -> None:
        """Forgotten."""
        self._over.pop((day, tenant_id), None)
