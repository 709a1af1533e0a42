"""Whether a change of phase shows in the cadence at the first observation after it, and how soon."""

from cli.drawing.durations import spell
from cli.simulate.play.record import Change, Ran, Record, clock
from cli.simulate.play.scenario import MINUTE, Verdict
from cli.simulate.scenarios.flash_sale.expected import SECOND, Reaction

_HINT_WITHIN_MS = 2 * SECOND
_CALLED_WITHIN_MS = SECOND


def tightened(record: Record, wanted: Reaction) -> Verdict:
    """The next run is due one new interval after the last, or at once: within a tick of that, before the old slot."""
    subject = wanted.affected
    tempo = spell(wanted.interval_ms or 0)
    claim = f"{wanted.phase.capitalize()}: {subject} tightens to {tempo} at the first observation."
    seen = _observed(record, wanted)
    change = _hinted(record, wanted, seen)
    if seen is None or change is None or change.after.get("intervalMs") != wanted.interval_ms:
        return Verdict(claim, False, _unseen(wanted, seen))
    last = max((run.slot for run in record.runs if run.endpoint == subject and run.slot < change.at), default=None)
    following = record.first(subject, since=change.at)
    asked = change.at if last is None else max(last + (wanted.interval_ms or 0), change.at)
    old = None if last is None or wanted.before_ms is None else last + wanted.before_ms
    came = record.called_at(following) if following else None
    if came is None:
        return Verdict(claim, False, f"{_reaction_told(wanted, seen, change)}; no further call")
    return Verdict(
        claim,
        came <= asked + record.tick and (old is None or came < old) and _is_prompt(record, seen, change),
        f"{_reaction_told(wanted, seen, change)}; next call {clock(came)}"
        + (f", not {clock(old)}" if old is not None else "")
        + f": {spell(came - wanted.since * MINUTE)} after the phase began",
        True,
    )


def eased(record: Record, wanted: Reaction) -> Verdict:
    subject, interval = wanted.affected, wanted.interval_ms
    to = f"eases to {spell(interval)}" if interval else "sleeps again"
    claim = f"{wanted.phase.capitalize()}: {subject} {to} at the first observation."
    seen = _observed(record, wanted)
    change = _hinted(record, wanted, seen)
    if seen is None or change is None:
        return Verdict(claim, False, _unseen(wanted, seen))
    # A run that began before the change was due under the old interval.
    later = [run for run in record.of(subject, since=change.at + record.grace) if run.slot > change.at]
    before = [run.slot for run in record.runs if run.endpoint == subject and run.slot <= change.at + record.grace]
    last = max(before, default=0)
    came = record.called_at(later[0]) if later else None
    gap = came - last if came is not None else None
    as_wanted = (
        gap is None
        if interval is None
        else gap is not None and -record.grace <= gap - interval <= _CALLED_WITHIN_MS + record.grace
    )
    next_told = "no further run" if came is None else f"next call {clock(came)}, {spell(gap or 0)} after the last"
    return Verdict(
        claim,
        as_wanted and _is_prompt(record, seen, change),
        f"{_reaction_told(wanted, seen, change)}; {next_told}",
        True,
    )


def _observed(record: Record, wanted: Reaction) -> Ran | None:
    runs = record.of(wanted.observer, since=wanted.since * MINUTE)
    return runs[0] if runs else None


def _hinted(record: Record, wanted: Reaction, seen: Ran | None) -> Change | None:
    """The first change by a rule after the observation that leaves the interval behind; a renewed hint does not."""
    if seen is None:
        return None
    found = (
        each
        for each in record.changes_of(wanted.affected, "applyIntervalHint", "clearAdaptiveHints")
        if each.kind == "rule"
        and each.at >= seen.finished - record.grace
        and each.after.get("intervalMs") != wanted.before_ms
    )
    return next(found, None)


def _is_prompt(record: Record, seen: Ran, change: Change) -> bool:
    return change.at - seen.finished <= _HINT_WITHIN_MS + record.grace


def _reaction_told(wanted: Reaction, seen: Ran, change: Change) -> str:
    return (
        f"began {clock(wanted.since * MINUTE)}, seen by {wanted.observer} {clock(seen.slot)}, "
        f"rule {change.author} {change.at - seen.finished} ms after that run"
    )


def _unseen(wanted: Reaction, seen: Ran | None) -> str:
    if seen is None:
        return f"{wanted.observer} never ran after minute {wanted.since}"
    return f"seen by {wanted.observer} {clock(seen.slot)}, but no rule changed {wanted.affected} as it should"
