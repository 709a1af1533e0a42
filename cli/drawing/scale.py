"""From intervals to heights."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import log

from cli.drawing.series import Series


@dataclass(frozen=True, slots=True)
class Scale:
    """Logarithmic, from the fastest to the slowest interval (ms)."""

    fastest: int
    slowest: int

    def level(self, interval_ms: int, levels: int) -> int:
        """0 for the slowest to levels - 1 for the fastest; in the middle where all are alike."""
        if self.fastest == self.slowest:
            return levels // 2
        share = log(self.slowest / interval_ms) / log(self.slowest / self.fastest)
        return round(min(max(share, 0.0), 1.0) * (levels - 1))


def scale_of(many: Iterable[Series]) -> Scale:
    """From the fastest to the slowest of all intervals and baselines."""
    steps = [step for series in many for step in series.steps]
    found = [ms for step in steps for ms in (step.interval_ms, step.baseline_ms) if ms]
    return Scale(min(found, default=1_000), max(found, default=1_000))
