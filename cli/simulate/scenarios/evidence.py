"""Claims that several scenarios make: when an endpoint ran, how far apart, and that it was silent."""

from collections.abc import Sequence
from itertools import pairwise

from cli.drawing.durations import spell
from cli.simulate.play.record import Record, clock, clocks
from cli.simulate.play.scenario import MINUTE, Verdict

_PROMPT_MS = 2_000
_SHOWN = 12


class Witness:
    """Of one record. Minutes are those of the scenario."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def ran_at(self, claim: str, name: str, minutes: Sequence[float]) -> Verdict:
        """It ran at these minutes, to within two seconds, and at no other time."""
        slots = [run.slot for run in self._record.of(name)]
        wanted = [round(minute * MINUTE) for minute in minutes]
        held = len(slots) == len(wanted) and all(
            0 <= slot - at <= _PROMPT_MS for slot, at in zip(slots, wanted, strict=True)
        )
        return Verdict(claim, held, f"{name}: {_few(slots)}")

    def kept_to(self, claim: str, name: str, interval_ms: int, since: float, until: float) -> Verdict:
        """From minute to minute it ran at exactly that interval, and at least twice."""
        slots = self._slots(name, since, until)
        gaps = {later - earlier for earlier, later in pairwise(slots)}
        told = f"{name}: {len(slots)} runs, {', '.join(spell(gap) for gap in sorted(gaps)) or 'none'} apart"
        return Verdict(claim, gaps == {interval_ms} and len(slots) > 1, told)

    def silent(self, claim: str, names: Sequence[str], since: float = 0, until: float | None = None) -> Verdict:
        """None of them ran from minute to minute."""
        runs = [f"{name} {clock(slot)}" for name in names for slot in self._slots(name, since, until)]
        return Verdict(claim, not runs, ", ".join(runs[:_SHOWN]) or f"no run of {', '.join(names)}")

    def shrugged_off(self, name: str, interval_ms: int) -> Verdict:
        """One look failed, and the next came after the interval that was in force before, with success."""
        pairs = [(run, later) for run, later in pairwise(self._record.of(name)) if run.failed]
        kept = [abs(later.slot - run.slot - interval_ms) <= self._record.slack(run, later) for run, later in pairs]
        held = kept == [True] and not pairs[0][1].failed
        told = ", ".join(f"failed {clock(run.slot)}, next {clock(later.slot)}" for run, later in pairs)
        return Verdict(f"A look of {name} that fails takes no tempo away.", held, told or "none failed", True)

    def at_rest(self, claim: str) -> Verdict:
        """In the end no hint lives, nothing is paused, and whatever has no rhythm of its own is asleep."""
        hinted = [member.name for member in self._record.members.values() if member.hints or member.state == "paused"]
        awake = [member.name for member in self._record.members.values() if member.sleeps and member.state != "dormant"]
        restless = [*hinted, *awake]
        told = ", ".join(restless) or f"{len(self._record.members)} endpoints, none hinted or paused"
        return Verdict(claim, not restless, told)

    def by_rules_alone(self, claim: str) -> Verdict:
        """Nobody else changed anything once the job stood."""
        steered = [change for change in self._record.changes if change.at >= 0 and change.action != "expireOneShotRun"]
        others = [f"{change.kind} {change.author}: {change.action}" for change in steered if change.kind != "rule"]
        told = ", ".join(sorted({change.author for change in steered})) or "nobody"
        return Verdict(claim, not others, ", ".join(others[:_SHOWN]) or f"changed by the rules {told}")

    def in_turn(self, claim: str, names: Sequence[str], since: float, until: float) -> Verdict:
        """From minute to minute each ran once, with success, after the one before had ended."""
        runs = [self._record.of(name, since=round(since * MINUTE), until=round(until * MINUTE)) for name in names]
        firsts = [each[0] for each in runs if each]
        held = all(len(each) == 1 and not each[0].failed for each in runs) and all(
            later.started >= earlier.finished for earlier, later in pairwise(firsts)
        )
        return Verdict(claim, held, " -> ".join(f"{run.endpoint} {clock(run.started)}" for run in firsts) or "no run")

    def _slots(self, name: str, since: float, until: float | None) -> list[int]:
        end = None if until is None else round(until * MINUTE)
        return [run.slot for run in self._record.of(name, since=round(since * MINUTE), until=end)]


def _few(slots: Sequence[int]) -> str:
    more = len(slots) - _SHOWN
    return clocks(slots[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
