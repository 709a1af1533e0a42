"""Whom to call and when: the slots of the endpoints and how long their targets take. The same for the same seed."""

import random
from dataclasses import dataclass
from enum import StrEnum

_WHOLE_SECONDS = 5
_CLUSTERED = 0.5


class Spread(StrEnum):
    """How the slots lie within an interval."""

    EVEN = "even"
    CLUSTERED = "clustered"  # half of them at every fifth second, as people write schedules
    TOGETHER = "together"  # all at one instant, as with one cron


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """`endpoints` called every `interval_ms`; a share of targets takes `slow_ms`, the others about `target_ms`."""

    endpoints: int
    interval_ms: int = 60_000
    spread: Spread = Spread.EVEN
    target_ms: float = 200
    slow_share: float = 0.01
    slow_ms: float = 5_000
    seed: int = 1

    def first_slots(self) -> list[float]:
        """Each endpoint's first slot, in ms from the beginning."""
        chance = random.Random(self.seed)  # noqa: S311 - a simulation
        return [self._first(chance) for _ in range(self.endpoints)]

    def durations(self) -> list[float]:
        """How long each endpoint's target takes. Of its own, so that no number of workers changes it."""
        chance = random.Random(self.seed + 1)  # noqa: S311 - a simulation
        return [self._duration(chance) for _ in range(self.endpoints)]

    def _first(self, chance: random.Random) -> float:
        if self.spread is Spread.TOGETHER:
            return 0.0
        at = chance.random() * self.interval_ms
        mark = _WHOLE_SECONDS * 1000
        return at // mark * mark if self.spread is Spread.CLUSTERED and chance.random() < _CLUSTERED else at

    def _duration(self, chance: random.Random) -> float:
        is_slow = chance.random() < self.slow_share
        return self.slow_ms if is_slow else self.target_ms * (0.5 + chance.random())
