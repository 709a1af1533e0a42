"""What is drawn: how often an endpoint runs, since when, and by whose doing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise


def clock_label(at: int) -> str:
    """Hours, minutes and seconds in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%H:%M:%S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What holds from `at` (ms) on. `interval_ms` None: asleep; `baseline_ms` None: no rhythm of its own.

    `author` and `reason` say who made it so and why; both are empty where nobody did, such as an expiry.
    """

    at: int
    interval_ms: int | None
    baseline_ms: int | None = None
    source: str = ""
    author: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """An endpoint through time: its steps in the order of time, and when it ran (ms, any order)."""

    name: str
    steps: tuple[Step, ...]
    runs: tuple[int, ...] = ()

    def tightest(self, since: int, until: int) -> int | None:
        """The shortest interval in force at any moment of [since, until); None while asleep all along."""
        found = [step.interval_ms for step in self._within(since, until) if step.interval_ms is not None]
        return min(found, default=None)

    def baseline(self, since: int, until: int) -> int | None:
        """The baseline in force at the end of [since, until)."""
        held = self._within(since, until)
        return held[-1].baseline_ms if held else None

    def run_count(self, since: int, until: int) -> int:
        """How many runs lie in [since, until)."""
        return sum(1 for at in self.runs if since <= at < until)

    def _within(self, since: int, until: int) -> list[Step]:
        ends: list[int | None] = [*(step.at for step in self.steps[1:]), None]
        return [
            step
            for step, end in zip(self.steps, ends, strict=False)
            if step.at < until and (end is None or end > since) and end != step.at
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time that is drawn, [since, until) in ms, and how a moment is written on the axis and in the changes."""

    since: int
    until: int
    label: Callable[[int], str] = clock_label

    def columns(self, count: int) -> list[tuple[int, int]]:
        """The span of each of `count` columns; together they are the window."""
        span = max(self.until - self.since, count)
        edges = [self.since + span * index // count for index in range(count + 1)]
        return list(pairwise(edges))

    def column_of(self, at: int, count: int) -> int | None:
        """The column in which a moment lies; None outside."""
        found = (index for index, (since, until) in enumerate(self.columns(count)) if since <= at < until)
        return next(found, None)
