"""Why the next run is when it is."""

from collections.abc import Iterator

from cli.drawing.attribution import author
from cli.drawing.durations import spell_exactly
from cli.explain.facts import Facts, because, by, named


def headline(facts: Facts) -> str:
    """When it runs next, or that it does not."""
    endpoint, name = facts.endpoint, facts.endpoint["name"]
    following = endpoint["nextRunAt"]
    if endpoint["state"] == "running":
        then = f"; after that {facts.moment(following)}" if following and endpoint["source"] != "paused" else ""
        return f"{name} runs right now{then}."
    if endpoint["state"] == "paused":
        until = "until somebody resumes it" if following is None else f"until {facts.moment(following)}"
        return f"{name} is paused {until}."
    if following is None:
        return f"{name} has no next run."
    return f"{name} runs next at {facts.moment(following)} ({facts.away(following)})."


def reasons(facts: Facts) -> Iterator[str]:
    """One sentence each, what decides first."""
    yield from _in_flight(facts)
    yield from _rest(facts)
    yield from _decisive(facts)
    yield from _background(facts)
    yield from _gate(facts)


def _in_flight(facts: Facts) -> Iterator[str]:
    run = facts.endpoint["currentRun"]
    if run is not None:
        began = f"since {facts.moment(run['startedAt'])}" if run["startedAt"] else "waiting for a worker"
        yield f"Run {run['runId']} is in flight, attempt {run['attempt']}, {began}; meanwhile nothing else of it runs."


def _rest(facts: Facts) -> Iterator[str]:
    if facts.is_held:
        yield f"Its job `{facts.job['name']}` is {facts.job['status']}, which holds every endpoint of it."
    pause = facts.pause
    if pause is not None:
        until = pause["to"]["pausedUntil"]
        for_how_long = "until somebody resumes it" if until == "indefinite" else f"until {facts.moment(until)}"
        who = author(pause["actorKind"], pause["actor"])
        yield f"{who} paused it at {facts.moment(pause['at'])} {for_how_long}{because(pause['reason'])}."
    elif facts.endpoint["state"] == "paused" and not facts.is_held:
        yield f"It is {facts.endpoint['whyNotRunning']}."


def _decisive(facts: Facts) -> Iterator[str]:
    endpoint, clamp = facts.endpoint, facts.endpoint["clamp"]
    source, hints = endpoint["source"], facts.endpoint["hints"]
    if source == "ai-interval" and facts.intervals:
        hint = facts.intervals[0]
        pace = spell_exactly(hint["intervalMs"])
        yield f"A hint by {by(hint)} sets the pace: every {pace}{because(hint['reason'])}."
    elif source == "ai-oneshot" and facts.one_shots:
        hint = facts.one_shots[0]
        yield f"A one-shot by {by(hint)} asks for a run at {facts.moment(hint['runAt'])}{because(hint['reason'])}."
    elif source == "clamped-min":
        least = spell_exactly(clamp["minIntervalMs"])
        yield f"Its clamp moved the run back: no sooner than {least} after the run before."
    elif source == "clamped-max":
        most = spell_exactly(clamp["maxIntervalMs"])
        yield f"Its clamp brought the run forward: no later than {most} after the run before."
    elif source in ("baseline-interval", "baseline-cron", "after"):
        yield f"Its baseline sets the pace: {facts.baseline()}."
    elif source is None and endpoint["whyNotRunning"]:
        yield f"{_capital(endpoint['whyNotRunning'])}."
    elif source == "paused" and hints:
        yield f"It has {len(hints)} live hint{'s' if len(hints) > 1 else ''}, which a pause outweighs."


def _background(facts: Facts) -> Iterator[str]:
    endpoint = facts.endpoint
    is_decisive = endpoint["source"] in ("baseline-interval", "baseline-cron", "after", None)
    if not is_decisive:
        yield f"Its baseline is: {facts.baseline()}."
    if facts.doublings:
        times = 2**facts.doublings
        yield (
            f"Its last {endpoint['failureCount']} run(s) failed, so the baseline's interval is {times} times as long; "
            "the first success restores it."
        )
    beyond = facts.intervals[1:]
    if beyond:
        others = "; ".join(f"every {spell_exactly(hint['intervalMs'])} by {by(hint)}" for hint in beyond)
        yield f"Other live hints, which the tightest outweighs: {others}."
    bounds = _bounds(facts)
    if bounds:
        yield f"Its clamp keeps scheduled runs {bounds} apart, whoever asks; a run-now is not bound by it."


def _bounds(facts: Facts) -> str:
    clamp = facts.endpoint["clamp"]
    has_rhythm = facts.intervals or facts.endpoint["baseline"].keys() & {"intervalMs", "cron"}
    # A rest is as long as it is, and the sleep of one without a rhythm too.
    most = clamp["maxIntervalMs"] if has_rhythm and facts.rests_until <= facts.now else None
    words = (("at least", clamp["minIntervalMs"]), ("at most", most))
    return " and ".join(f"{word} {spell_exactly(ms)}" for word, ms in words if ms is not None)


def _gate(facts: Facts) -> Iterator[str]:
    endpoint = facts.endpoint
    if endpoint["dependsOn"]:
        yield f"Its gate lets a slot pass only while the latest run of {named(endpoint['dependsOn'])} was a success."
    skip = endpoint["lastSkip"]
    if skip is not None:
        yield f"The slot {facts.moment(skip['slot'])} was passed over: {skip['reason']}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
