"""Baselines and the grids of slots they draw. A grid answers questions about instants; it holds no state."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from rubato.domain.cron import CronExpression


class Grid(Protocol):
    """Nominal instants, in ms. Bounds are: strictly after the first argument, up to and including the second."""

    def next_after(self, instant_ms: int) -> int | None:
        """The first slot strictly after the instant; None when there is none."""
        ...

    def latest_at_or_before(self, instant_ms: int, after_ms: int) -> int | None:
        """The latest slot in (after_ms, instant_ms]; None when there is none."""
        ...

    def count_between(self, after_ms: int, until_ms: int, limit: int = 1000) -> int:
        """How many slots lie in (after_ms, until_ms], at most `limit`."""
        ...


@dataclass(frozen=True, slots=True)
class EveryGrid:
    """The instants origin + k * step_ms for k >= 1."""

    origin: int
    step_ms: int

    def next_after(self, instant_ms: int) -> int:
        """The first slot strictly after the instant."""
        passed = max((instant_ms - self.origin) // self.step_ms, 0)
        return self.origin + (passed + 1) * self.step_ms

    def latest_at_or_before(self, instant_ms: int, after_ms: int) -> int | None:
        """The latest slot in (after_ms, instant_ms]."""
        passed = (instant_ms - self.origin) // self.step_ms
        latest = self.origin + passed * self.step_ms
        return latest if passed >= 1 and latest > after_ms else None

    def count_between(self, after_ms: int, until_ms: int, limit: int = 1000) -> int:
        """How many slots lie in (after_ms, until_ms], at most `limit`."""
        first = max((after_ms - self.origin) // self.step_ms, 0)
        last = (until_ms - self.origin) // self.step_ms
        return min(max(last - first, 0), limit)


@dataclass(frozen=True, slots=True)
class OneSlot:
    """A grid of a single slot, or of none."""

    slot: int | None

    def next_after(self, instant_ms: int) -> int | None:
        """The slot, if it is still to come."""
        return self.slot if self.slot is not None and self.slot > instant_ms else None

    def latest_at_or_before(self, instant_ms: int, after_ms: int) -> int | None:
        """The slot, if it lies in (after_ms, instant_ms]."""
        return self.slot if self.slot is not None and after_ms < self.slot <= instant_ms else None

    def count_between(self, _after_ms: int, _until_ms: int, _limit: int = 1000) -> int:
        """Nothing is passed over: what became due stays so until it has run."""
        return 0


@dataclass(frozen=True, slots=True)
class IntervalBaseline:
    """Every `interval_ms`, without drift, counted from the anchor."""

    interval_ms: int


@dataclass(frozen=True, slots=True)
class CronBaseline:
    """The slots of a cron expression in its zone."""

    cron: CronExpression


@dataclass(frozen=True, slots=True)
class ManualBaseline:
    """Dormant: runs only on a one-shot or a run-now."""


@dataclass(frozen=True, slots=True)
class AfterBaseline:
    """Runs as soon as every named endpoint of the job has finished a scheduled run with success."""

    names: tuple[str, ...]


Baseline = IntervalBaseline | CronBaseline | ManualBaseline | AfterBaseline


def spell_baseline(baseline: Baseline) -> dict[str, Any]:
    """As the API spells it, the zone always named."""
    if isinstance(baseline, IntervalBaseline):
        return {"intervalMs": baseline.interval_ms}
    if isinstance(baseline, CronBaseline):
        return {"cron": baseline.cron.expression, "timezone": baseline.cron.timezone}
    if isinstance(baseline, AfterBaseline):
        return {"after": list(baseline.names)}
    return {"manual": True}


def read_baseline(spelled: Mapping[str, Any]) -> Baseline:
    """From the API's spelling; raises Invalid for a bad cron expression or zone."""
    if spelled.get("intervalMs") is not None:
        return IntervalBaseline(int(spelled["intervalMs"]))
    if spelled.get("cron") is not None:
        return CronBaseline(CronExpression.parse(spelled["cron"], spelled.get("timezone") or "UTC"))
    if spelled.get("after") is not None:
        return AfterBaseline(tuple(spelled["after"]))
    return ManualBaseline()


def shortest_gap_ms(baseline: Baseline) -> int | None:
    """The interval below which a jitter must stay; None where the slot itself decides (cron) or there is none."""
    return baseline.interval_ms if isinstance(baseline, IntervalBaseline) else None
