"""What happens when each thing that rules now ends."""

from collections.abc import Iterator
from math import inf

from cli.explain.facts import Facts, Fields, at, by

Prospect = tuple[int, str]


def prospects(facts: Facts) -> list[str]:
    """One sentence each, in the order of time; what has no time comes last."""
    timed = sorted([*_hint_ends(facts), *_one_shots(facts), *_pause_end(facts)])
    return [*(sentence for _, sentence in timed), *_untimed(facts)]


def _hint_ends(facts: Facts) -> Iterator[Prospect]:
    for hint in facts.intervals:
        end = at(hint["expiresAt"])
        yield end, f"At {facts.label(end)} the hint by {by(hint)} expires{_after_hint(facts, end)}."


def _after_hint(facts: Facts, end: int) -> str:
    if facts.rests_until > end:
        return ", paused or not" if facts.rests_until == inf else ", before the pause ends"
    others = [each for each in facts.intervals if at(each["expiresAt"]) > end]
    return f"; then {facts.rhythm(end) if others else facts.baseline(again=True)}"


def _one_shots(facts: Facts) -> Iterator[Prospect]:
    for hint in facts.one_shots:
        is_kept = facts.rests_until > max(facts.now, at(hint["runAt"]))
        yield _one_shot_at_rest(facts, hint) if is_kept else _one_shot(facts, hint)


def _one_shot_at_rest(facts: Facts, hint: Fields) -> Prospect:
    wanted, end = at(hint["runAt"]), facts.moment(hint["expiresAt"])
    name = f"the one-shot by {by(hint)} for {facts.label(wanted)}"
    if facts.rests_until == inf:
        turn = "until its job is active again" if facts.is_held else "for the end of the pause"
        return wanted, f"{_capital(name)} waits {turn}; it is lost unless that comes before {end}."
    if facts.rests_until >= at(hint["expiresAt"]):
        return wanted, f"{_capital(name)} is lost: it expires at {end}, before the pause ends."
    wakes = round(facts.rests_until)
    return wakes, f"At {facts.label(wakes)}, as the pause ends, {name} runs once; it may come as late as {end}."


def _one_shot(facts: Facts, hint: Fields) -> Prospect:
    wanted, end = at(hint["runAt"]), facts.moment(hint["expiresAt"])
    following = facts.endpoint["nextRunAt"]
    planned = None if following is None or facts.endpoint["source"] == "paused" else at(following)
    name = f"the one-shot by {by(hint)}"
    if planned is not None and planned > wanted and facts.endpoint["source"] == "clamped-min":
        return planned, _moved_one_shot(facts, hint, planned)
    has_clamp = facts.endpoint["clamp"]["minIntervalMs"] is not None
    turn = ", when the run before it has been" if planned is not None and planned < wanted else ""
    turn += " and as soon as its clamp allows" if turn and has_clamp else ""
    return wanted, f"At {facts.label(wanted)} {name} runs once{turn}; it may come as late as {end}."


def _moved_one_shot(facts: Facts, hint: Fields, planned: int) -> str:
    name, end = f"the one-shot by {by(hint)} for {facts.moment(hint['runAt'])}", facts.moment(hint["expiresAt"])
    if planned >= at(hint["expiresAt"]):
        return f"{_capital(name)} is lost: it expires at {end}, before its clamp allows a run."
    return (
        f"At {facts.label(planned)} at the soonest {name} runs once, moved by its clamp; it may come as late as {end}."
    )


def _pause_end(facts: Facts) -> Iterator[Prospect]:
    if facts.rests_until in (facts.now, inf):
        return
    end = round(facts.rests_until)
    missed = "a slot that fell into it is skipped" if _skips(facts) else "a slot that fell into it runs once"
    yield end, f"At {facts.label(end)} the pause ends: {missed}, then {facts.rhythm(end)}."


def _untimed(facts: Facts) -> Iterator[str]:
    endpoint = facts.endpoint
    if facts.is_held:
        then = "its own pause stays" if facts.pause else f"then {facts.rhythm_some_day()}"
        yield f"When the job's status is set to active, its endpoints resume; {then}."
    elif facts.rests_until == inf:
        yield f"When somebody resumes it (pauseUntil null): {facts.rhythm_some_day()}."
    if endpoint["currentRun"] is not None and facts.rests_until <= facts.now:
        yield f"When the run in flight ends, the next one is planned anew: {facts.rhythm(facts.now)}."
    left = endpoint["autoPauseAfter"] - endpoint["failureCount"]
    if endpoint["autoPauseAfter"] and endpoint["failureCount"] and left > 0:
        yield f"After {left} more failed run(s) in a row it pauses itself."


def _skips(facts: Facts) -> bool:
    return bool(facts.endpoint["missedRuns"] == "skip")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
