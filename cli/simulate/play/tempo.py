"""How often each endpoint was to run, and by whose doing: told by the audit trail alone."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from cli.drawing.series import Series, Step
from cli.simulate.play.record import Change, Member, Record


@dataclass(frozen=True, slots=True)
class _Hint:
    hint_id: str
    author: str
    interval_ms: int
    expires_at: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Pause:
    since: int
    until: int
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """One interval in force over [since, until); None: asleep or paused.

    `hint_id` is the first hint behind it, None for the baseline: renewals of the same interval make one stretch.
    """

    endpoint: str
    since: int
    until: int
    interval_ms: int | None
    hint_id: str | None


def series_of(record: Record, name: str) -> Series:
    """For drawing: the steps of its interval, and its runs."""
    steps = tuple(_story(record, record.members[name]))
    return Series(name=name, steps=steps, runs=tuple(run.slot for run in record.runs if run.endpoint == name))


def stretches_of(record: Record, name: str) -> list[Stretch]:
    """The times over which nothing moved the endpoint's interval. A hint that is renewed alike moves nothing."""
    moments = _moments(record, record.members[name])
    ends = [*(at for at, _, _ in moments[1:]), record.until]
    merged: list[Stretch] = []
    for (at, step, hint), end in zip(moments, ends, strict=True):
        stretch = Stretch(name, at, end, step.interval_ms, hint.hint_id if hint else None)
        if merged and _goes_on(merged[-1], stretch):
            merged[-1] = replace(merged[-1], until=end)
        elif at < end:
            merged.append(stretch)
    return merged


def _goes_on(earlier: Stretch, later: Stretch) -> bool:
    alike = earlier.interval_ms == later.interval_ms
    return alike and (earlier.hint_id is None) == (later.hint_id is None)


def pauses_of(record: Record, name: str) -> list[tuple[int, int]]:
    """When it was paused, as [since, until)."""
    return [(pause.since, pause.until) for pause in _pauses(record, name)]


def _pauses(record: Record, name: str) -> list[_Pause]:
    pauses: list[_Pause] = []
    for change in record.changes_of(name, "pauseOrResumeEndpoint"):
        if pauses and pauses[-1].until > change.at:
            pauses[-1] = replace(pauses[-1], until=change.at)
        until = change.after["pausedUntil"]
        if until is not None:
            end = record.until + 1 if until == "indefinite" else until
            pauses.append(_Pause(change.at, end, f"{change.kind} {change.author}", change.reason or ""))
    return pauses


def _story(record: Record, member: Member) -> list[Step]:
    steps = [step for _, step, _ in _moments(record, member)]
    return steps[:1] + [later for earlier, later in pairwise(steps) if _told(earlier) != _told(later)]


def _told(step: Step) -> tuple[Any, ...]:
    # A hint that is renewed for the same cause changes nothing.
    return step.interval_ms, step.source, step.author


def _moments(record: Record, member: Member) -> list[tuple[int, Step, _Hint | None]]:
    """Every moment at which something was changed or expired, with what held from then on."""
    changes = record.changes_of(member.name)
    pauses = _pauses(record, member.name)
    ends = [change.after["expiresAt"] for change in changes if "expiresAt" in change.after]
    ends += [pause.until for pause in pauses]
    told = sorted({member.created_at, *(change.at for change in changes), *(at for at in ends if at <= record.until)})
    return [_moment(at, member, _live(changes, at), pauses) for at in told]


def _live(changes: list[Change], at: int) -> list[_Hint]:
    hints: dict[str, _Hint] = {}
    for change in changes:
        if change.at > at:
            break
        if change.action == "clearAdaptiveHints":
            kept = {each["hintId"] for each in change.after["hints"]}
            ended = {each["hintId"] for each in change.before["hints"]} - kept
            hints = {key: hint for key, hint in hints.items() if key not in ended}
        elif change.action == "applyIntervalHint":
            # A newer hint of an author takes the place of the older.
            hint = _hint(change)
            hints = {key: each for key, each in hints.items() if each.author != hint.author} | {hint.hint_id: hint}
    return [hint for hint in hints.values() if at < hint.expires_at]


def _hint(change: Change) -> _Hint:
    return _Hint(
        hint_id=change.after["hintId"],
        author=f"{change.kind} {change.author}",
        interval_ms=change.after["intervalMs"],
        expires_at=change.after["expiresAt"],
        reason=change.reason or "",
    )


def _moment(at: int, member: Member, live: list[_Hint], pauses: list[_Pause]) -> tuple[int, Step, _Hint | None]:
    baseline = member.baseline_ms
    pause = next((each for each in pauses if each.since <= at < each.until), None)
    if pause is not None:
        rests = Step(
            at=at, interval_ms=None, baseline_ms=baseline, source="paused", author=pause.author, reason=pause.reason
        )
        return at, rests, None
    tightest = min(live, key=lambda hint: hint.interval_ms, default=None)
    if tightest is None:
        source = "baseline-interval" if baseline is not None else "asleep"
        return at, Step(at=at, interval_ms=baseline, baseline_ms=baseline, source=source), None
    step = Step(
        at=at,
        interval_ms=tightest.interval_ms,
        baseline_ms=baseline,
        source="ai-interval",
        author=tightest.author,
        reason=tightest.reason,
    )
    return at, step, tightest
