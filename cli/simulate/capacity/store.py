"""DynamoDB, as far as it makes runs wait: requests over the limit wait their turn, as retries with backoff do."""

from dataclasses import dataclass


@dataclass(slots=True)
class Store:
    """Serves `per_s` units a second, None without bound; each request takes `takes_ms` besides."""

    per_s: float | None
    takes_ms: float
    burst_s: float = 1.0
    throttled: int = 0
    _free_at: float = 0

    def ask(self, now: float, units: float) -> float:
        """When the answer comes (ms). A request beyond the limit counts as throttled once, and is served in the end."""
        if self.per_s is None or not units:
            return now + self.takes_ms
        # A limit per second lets a second's worth pass at once after a rest.
        self._free_at = max(self._free_at, now - self.burst_s * 1000) + units / self.per_s * 1000
        self.throttled += self._free_at > now
        return max(self._free_at, now) + self.takes_ms
