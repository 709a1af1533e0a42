"""What is deployed, and a slice of it: shards, queues and workers are alike, so a part tells of the whole."""

from dataclasses import dataclass, replace
from math import ceil

from cli.simulate.capacity import limits, measured
from cli.simulate.capacity.measured import Place
from cli.simulate.capacity.traffic import Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The parameters of the template, and what AWS allows it. Writes are units a second on the endpoints table."""

    dispatchers: float
    tick_workers: float = 1
    shards: int = 16
    writes_per_s: float | None = limits.TABLE_WRITES.value
    # Batches at the beginning and growth in a minute; a steady load has long had what it needs.
    first_dispatchers: float | None = None
    growth_per_min: float = limits.MAPPING_GROWTH.value
    place: Place = measured.AWS

    def sliced(self, factor: float) -> "Deployment":
        """One of `factor` equal parts."""
        return replace(
            self,
            dispatchers=self.dispatchers / factor,
            tick_workers=self.tick_workers / factor,
            writes_per_s=self.writes_per_s and self.writes_per_s / factor,
            first_dispatchers=self.first_dispatchers and self.first_dispatchers / factor,
            growth_per_min=self.growth_per_min / factor,
        )

    def within_quotas(self) -> "Deployment":
        """As AWS gives it unasked: what is over a default quota is cut down to it."""
        most = min(limits.MAPPING_CONCURRENCY.value, max(limits.CONCURRENCY.value - self.tick_workers, 1))
        return replace(self, dispatchers=min(self.dispatchers, most), writes_per_s=limits.TABLE_WRITES.value)

    def workers_at(self, now: float) -> int:
        """How many dispatchers Lambda lets run at once, `now` ms after the load began."""
        if self.first_dispatchers is None:
            return max(int(self.dispatchers), 1)
        grown = self.first_dispatchers + self.growth_per_min * now / 60_000
        return max(int(min(self.dispatchers, grown)), 1)


def slices(traffic: Traffic, most: int) -> int:
    """Into how many parts to divide, so that a part has at most `most` endpoints."""
    return max(ceil(traffic.endpoints / most), 1)
