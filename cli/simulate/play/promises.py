"""What every scenario must keep, whatever it is about: told by what targets saw and the trail says, not by plans."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

from cli.drawing.durations import spell
from cli.simulate.play.record import Change, Ran, Record, clock
from cli.simulate.play.scenario import Verdict
from cli.simulate.play.tempo import Stretch, pauses_of, stretches_of

_SHOWN = 3
_LATE_MS = 1_000


def promises(record: Record) -> Iterator[Verdict]:
    """Never early, late, doubled or lost; nobody called while paused; each one-shot once, at its time."""
    yield _never_early(record)
    yield _never_late(record)
    yield _never_doubled(record)
    yield _never_lost(record)
    yield _gaps_kept(record)
    yield _paused_never_called(record)
    yield _one_shots(record)


def _never_early(record: Record) -> Verdict:
    slots = {run.run_id: run for run in record.runs}
    waits = [call.at - slots[call.run_id].due for call in record.calls if call.run_id in slots]
    early = [wait for wait in waits if wait < 0]
    shown = f"{len(waits)} calls by the targets' clock, {min(waits, default=0)} to {max(waits, default=0)} ms after due"
    return Verdict("No run is early.", bool(waits) and not early, shown)


def _never_late(record: Record) -> Verdict:
    """By the first call of each run: what is tried again comes later by right."""
    waits = [(at - run.due, run) for run in record.runs if (at := record.called_at(run)) is not None]
    late = [
        f"{run.endpoint} at {clock(run.due)}: {spell(wait)}" for wait, run in waits if wait > _LATE_MS + record.grace
    ]
    worst = max((wait for wait, _ in waits), default=0)
    return Verdict(
        "Each run is called within 1 s of its due.",
        bool(waits) and not late,
        _few(late) or f"at most {worst} ms after it",
        True,
    )


def _never_doubled(record: Record) -> Verdict:
    calls = Counter((call.run_id, call.attempt) for call in record.calls)
    slots = Counter((run.endpoint, run.slot) for run in record.runs if run.source != "manual")
    twice = [f"attempt {attempt} of {run_id}" for (run_id, attempt), count in calls.items() if count > 1]
    twice += [f"{name} at {clock(slot)}" for (name, slot), count in slots.items() if count > 1]
    return Verdict("No run is doubled.", not twice, _few(twice) or f"{len(calls)} attempts of {len(slots)} slots")


def _never_lost(record: Record) -> Verdict:
    """What the targets saw is on record, and the other way round."""
    called, known = {call.run_id for call in record.calls}, {run.run_id for run in record.runs}
    over = {call.run_id for call in record.calls if call.at > record.until}  # may not have ended yet
    lost = [f"call without a record: {run_id}" for run_id in sorted(called - known - over)]
    lost += [f"record without a call: {run_id}" for run_id in sorted(known - called)]
    return Verdict(
        "No run is lost: each call has its record.", not lost, _few(lost) or f"{len(known)} of {len(called)}"
    )


def _gaps_kept(record: Record) -> Verdict:
    """While nothing moves an interval, the slots lie exactly one interval apart, and none is missing at either end."""
    holes = [hole for name in record.names() for hole in _holes(record, name)]
    looked = sum(len(stretches_of(record, name)) for name in record.names())
    told = _few(holes) or f"{looked} stretches of one interval each, without a hole"
    return Verdict("No slot is left out or squeezed in while an interval is in force.", not holes, told, True)


def _holes(record: Record, name: str) -> Iterator[str]:
    runs = [run for run in record.runs if run.endpoint == name and run.source not in ("ai-oneshot", "manual")]
    lapses = _lapses(record, name)
    for stretch in stretches_of(record, name):
        if stretch.interval_ms is not None:
            inside = [run for run in runs if stretch.since <= run.slot < stretch.until]
            # A baseline backs off while runs fail: the scenario's own claims speak of that. A hint does not.
            excused = lapses if stretch.hint_id is None else []
            # A slot whose jitter reached beyond the end was planned anew there.
            ended = replace(stretch, until=max(stretch.until - record.members[name].jitter_ms, stretch.since))
            yield from _holes_within(record, ended, inside, stretch.interval_ms, excused)


def _lapses(record: Record, name: str) -> list[tuple[int, int]]:
    """From each failed run to the next that did not fail, slot to slot."""
    runs = [run for run in record.runs if run.endpoint == name]
    return [
        (run.slot, next((later.slot for later in runs[place:] if not later.failed), record.until))
        for place, run in enumerate(runs)
        if run.failed
    ]


def _holes_within(
    record: Record, stretch: Stretch, inside: list[Ran], interval: int, excused: list[tuple[int, int]]
) -> Iterator[str]:
    every = f"every {interval / 1000:g} s, but"
    slots = [run.slot for run in inside]
    for earlier, later in pairwise([stretch.since, *slots, stretch.until]):
        backs_off = any(earlier < until and since < later for since, until in excused)
        if later - earlier > interval + record.grace and not backs_off:
            yield f"{stretch.endpoint} {every} nothing between {clock(earlier)} and {clock(later)}"
    for one, other in pairwise(inside):
        slack = record.slack(one, other)
        gap, backs_off = other.slot - one.slot, any(one.slot < until and since < other.slot for since, until in excused)
        if not backs_off and (gap < interval - slack or interval + slack < gap):
            yield f"{stretch.endpoint} {every} at {clock(one.slot)} and {clock(other.slot)}"


def _paused_never_called(record: Record) -> Verdict:
    names = {run.run_id: run.endpoint for run in record.runs if run.source != "manual"}
    spans = {name: pauses_of(record, name) for name in record.names()}
    called = [
        f"{names[call.run_id]} at {clock(call.at)}"
        for call in record.calls
        for since, until in spans.get(names.get(call.run_id, ""), ())
        if since + record.grace < call.at < until
    ]
    told = [f"{name} {clock(since)}-{clock(until)}" for name, pauses in spans.items() for since, until in pauses]
    return Verdict(
        "Paused endpoints are never called.", not called, _few(called) or f"paused: {_few(told) or 'nobody'}", True
    )


def _one_shots(record: Record) -> Verdict:
    wanted = [each for each in record.changes if each.action == "scheduleOneShotRun"]
    wrong = [trouble for each in wanted for trouble in _trouble_with(record, each)]
    told = [f"{each.endpoint} {clock(each.after['runAt'])}" for each in wanted]
    return Verdict("Each one-shot runs once, at its proposed time.", not wrong, _few(wrong) or _all(told), True)


def _trouble_with(record: Record, proposed: Change) -> Iterable[str]:
    runs = [run for run in record.runs if run.hint_id == proposed.after["hintId"]]
    at, name = proposed.after["runAt"], proposed.endpoint
    if len(runs) != 1 and not (not runs and (at > record.until or _is_withdrawn(record, proposed, at))):
        yield f"{name} proposed for {clock(at)} ran {len(runs)} times"
    for run in runs:
        called = record.called_at(run)
        prompt = called is not None and -record.grace <= called - at <= _LATE_MS + record.grace
        if not prompt and not _is_held_back(record, run, at):
            yield f"{name} proposed for {clock(at)} was called {'never' if called is None else clock(called)}"


def _is_withdrawn(record: Record, proposed: Change, at: int) -> bool:
    """It was taken back before it could run, or a pause outlived it."""
    pause_ends = [until for since, until in pauses_of(record, proposed.endpoint) if since <= at < until]
    could_run = max(pause_ends, default=at)
    later = [each for each in record.changes_of(proposed.endpoint) if proposed.at < each.at]
    return any(
        (each.at < could_run and _takes_back(each, proposed))
        or (each.action == "expireOneShotRun" and pause_ends and _names(each.before, proposed))
        for each in later
    )


def _takes_back(each: Change, proposed: Change) -> bool:
    """Cleared by name, or replaced: a newer one-shot of an author takes the place of the older."""
    if each.action == "scheduleOneShotRun":
        return (each.kind, each.author) == (proposed.kind, proposed.author)
    if each.action != "clearAdaptiveHints":
        return False
    kept = any(_names(hint, proposed) for hint in each.after["hints"])
    return not kept and any(_names(hint, proposed) for hint in each.before["hints"])


def _names(told: dict[str, Any], proposed: Change) -> bool:
    return bool(told.get("hintId") == proposed.after["hintId"])


def _is_held_back(record: Record, run: Ran, at: int) -> bool:
    """By the min clamp, or by a pause over its time."""
    paused = any(since <= at < until for since, until in pauses_of(record, run.endpoint))
    return run.slot > at and (paused or run.source == "clamped-min")


def _few(told: list[str]) -> str:
    more = len(told) - _SHOWN
    return "; ".join(told[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _all(told: list[str]) -> str:
    return ", ".join(told) or "none was proposed"
