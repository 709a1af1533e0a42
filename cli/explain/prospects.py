"""What happens when each thing that rules now ends."""

from collections.abc import Iterator

from cli.explain.facts import Facts, at, by

Prospect = tuple[int, str]


def prospects(facts: Facts) -> list[str]:
    """One sentence each, in the order of time; what has no time comes last."""
    timed = sorted([*_hint_ends(facts), *_one_shots(facts), *_pause_end(facts)])
    return [*(sentence for _, sentence in timed), *_untimed(facts)]


def _hint_ends(facts: Facts) -> Iterator[Prospect]:
    for hint in facts.intervals:
        end = at(hint["expiresAt"])
        others = [each for each in facts.intervals if at(each["expiresAt"]) > end]
        then = facts.rhythm(end) if others else facts.baseline(again=True)
        yield end, f"At {facts.label(end)} the hint by {by(hint)} expires; then {then}."


def _one_shots(facts: Facts) -> Iterator[Prospect]:
    following = facts.endpoint["nextRunAt"]
    for hint in facts.one_shots:
        wanted = at(hint["runAt"])
        waits = following is not None and facts.endpoint["source"] != "paused" and at(following) < wanted
        turn = ", when the run before it has been" if waits else ""
        late = f"it may come as late as {facts.moment(hint['expiresAt'])}"
        yield wanted, f"At {facts.label(wanted)} the one-shot by {by(hint)} runs once{turn}; {late}."


def _pause_end(facts: Facts) -> Iterator[Prospect]:
    pause = facts.pause
    if pause is None or facts.is_held or pause["to"]["pausedUntil"] == "indefinite":
        return
    end = at(pause["to"]["pausedUntil"])
    missed = "a slot that fell into it is skipped" if _skips(facts) else "a slot that fell into it runs once"
    yield end, f"At {facts.label(end)} the pause ends: {missed}, then {facts.rhythm(end)}."


def _untimed(facts: Facts) -> Iterator[str]:
    endpoint = facts.endpoint
    if facts.is_held:
        then = "its own pause stays" if facts.pause else f"then {facts.rhythm(facts.now)}"
        yield f"When the job's status is set to active, its endpoints resume; {then}."
    elif facts.pause is not None and facts.pause["to"]["pausedUntil"] == "indefinite":
        yield f"When somebody resumes it (pauseUntil null): {facts.rhythm(facts.now)}."
    if endpoint["currentRun"] is not None and not facts.is_held and facts.pause is None:
        yield f"When the run in flight ends, the next one is planned anew: {facts.rhythm(facts.now)}."
    left = endpoint["autoPauseAfter"] - endpoint["failureCount"]
    if endpoint["autoPauseAfter"] and endpoint["failureCount"] and left > 0:
        yield f"After {left} more failed run(s) in a row it pauses itself."


def _skips(facts: Facts) -> bool:
    return bool(facts.endpoint["missedRuns"] == "skip")
