"""The invariants, as questions to the evidence of a storm. Pure: each gives what speaks against it, in words."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise

from rubato.domain.endpoint import Endpoint, RunStatus, Source
from rubato.domain.exchange import ErrorKind
from rubato.domain.runs import Run
from rubato.domain.schedule import IntervalBaseline
from tests.storm.evidence import Called, Evidence, Write

Rule = Callable[[Evidence], Iterator[str]]

# How long after its time something may still be on its way through the queue, a slow batch and a tick.
_PATIENCE_MS = 15_000
# A run that was started just before the pause may still be on its way to its target.
_REST_GRACE_MS = 2_000


def violations(evidence: Evidence) -> list[str]:
    """What speaks against any of the rules, each with the rule's name."""
    return [f"{rule.__name__}: {found}" for rule in RULES for found in rule(evidence)]


def never_early(evidence: Evidence) -> Iterator[str]:
    """No call comes before its slot, nor before its due time (the slot and its jitter)."""
    due = {run.run_id: run.due_at for run in evidence.runs}
    for call in evidence.calls:
        if call.at < max(call.slot, due.get(call.run_id, 0)):
            yield f"{call} came before {due.get(call.run_id, call.slot)}"


def once_per_attempt(evidence: Evidence) -> Iterator[str]:
    """An attempt of a run calls its target at most once."""
    for (run_id, attempt), count in Counter((call.run_id, call.attempt) for call in evidence.calls).items():
        if count > 1:
            yield f"attempt {attempt} of {run_id} called {count} times"


def one_run_at_a_time(evidence: Evidence) -> Iterator[str]:
    """Calls of an endpoint do not overlap, unless the earlier one's worker was given up as dead."""
    lost = _lost(evidence)
    for calls in _by_endpoint(evidence).values():
        for earlier, later in pairwise(calls):
            overlap = later.at < _heard_until(evidence, earlier)
            if overlap and (earlier.run_id, earlier.attempt) not in lost:
                yield f"{later} overlaps {earlier}"


def calls_are_on_record(evidence: Evidence) -> Iterator[str]:
    """Each run that called has its record."""
    known = {run.run_id for run in evidence.runs}
    for call in evidence.calls:
        if call.run_id not in known:
            yield f"{call} has no record"


def records_tell_the_truth(evidence: Evidence) -> Iterator[str]:
    """An attempt on record with a status was answered so by the target; none began before it was due."""
    answers = {(call.run_id, call.attempt): call.status for call in evidence.calls}
    for run in evidence.runs:
        if run.started_at is not None and run.started_at < run.due_at:
            yield f"{run.run_id} is on record as begun {run.due_at - run.started_at} ms early"
        for attempt in run.attempts:
            if attempt.status_code is not None and answers.get((run.run_id, attempt.attempt)) != attempt.status_code:
                told = answers.get((run.run_id, attempt.attempt))
                yield f"{run.run_id}/{attempt.attempt} has status {attempt.status_code}, the target says {told}"


def attempts_follow_failures(evidence: Evidence) -> Iterator[str]:
    """Attempts count from 1 without gaps, and only one that failed or was lost is followed by another."""
    records = {run.run_id: run for run in evidence.runs}
    for run in evidence.runs:
        numbers = [attempt.attempt for attempt in run.attempts]
        if not run.is_late and numbers != list(range(1, len(numbers) + 1)):
            yield f"{run.run_id} has the attempts {numbers}"
        for attempt in run.attempts[:-1]:
            if attempt.error_kind is None:
                yield f"{run.run_id} went on after attempt {attempt.attempt} had succeeded"
    for call in evidence.calls:
        record = records.get(call.run_id)
        if record is not None and call.attempt > len(record.attempts):
            yield f"{call} has no attempt on record"


def grid_is_complete(evidence: Evidence) -> Iterator[str]:
    """Of an untouched endpoint whose runs all succeeded, each grid slot ran or was counted as passed over."""
    runs = defaultdict(list)
    for run in evidence.runs:
        runs[run.endpoint_id].append(run)
    for endpoint in evidence.standing:
        mine = runs[endpoint.id]
        if endpoint.id in evidence.untouched and all(run.status is RunStatus.SUCCESS for run in mine):
            yield from _gaps(endpoint, mine)


def nothing_is_stuck(evidence: Evidence) -> Iterator[str]:
    """With everybody at work, whatever is due is due soon, claimed under a live lease, and in the due index."""
    for endpoint in evidence.standing:
        state, now = endpoint.state, evidence.looked_at
        awaits = state.claim is not None or state.next is not None
        if awaits and state.wake_at is None:
            yield f"{endpoint.id} waits for a run and is not in the due index"
        if state.claim is not None and state.claim.lease_until < now - _PATIENCE_MS:
            yield f"{endpoint.id} has a claim whose lease ended {now - state.claim.lease_until} ms ago"
        if state.claim is None and state.next is not None and state.next.due < now - _PATIENCE_MS:
            yield f"{endpoint.id} was due {now - state.next.due} ms ago and nobody has claimed it"
        if not awaits and _should_run(endpoint, now):
            yield f"{endpoint.id} has a rhythm and no next run"


def nothing_is_left(evidence: Evidence) -> Iterator[str]:
    """At the end, with its job archived, no endpoint holds a claim."""
    for endpoint in evidence.endpoints:
        if endpoint.state.claim is not None:
            yield f"{endpoint.id} still holds {endpoint.state.claim}"


def one_shots_fire_once(evidence: Evidence) -> Iterator[str]:
    """An accepted one-shot runs exactly once, unless it was replaced, cleared, expired, deleted or still waits."""
    fired = Counter(run.hint_id for run in evidence.runs)
    waiting = {hint.hint_id for endpoint in evidence.endpoints for hint in endpoint.hints}
    ended = _ended_hints(evidence)
    for write in evidence.writes:
        if not write.path.endswith("/hints/one-shot") or write.status != 201:
            continue
        hint = write.told["hint"]["hintId"]
        if fired[hint] > 1:
            yield f"{hint} of {write.subject} fired {fired[hint]} times"
        if not fired[hint] and hint not in waiting and hint not in ended:
            yield f"{hint} of {write.subject} vanished"


def run_nows_run(evidence: Evidence) -> Iterator[str]:
    """A run-now that was accepted is on record, unless its endpoint was deleted."""
    known = {run.run_id for run in evidence.runs}
    deleted = {endpoint.id for endpoint in evidence.endpoints if endpoint.is_deleted}
    for write in evidence.writes:
        accepted = write.path.endswith("/run") and write.status == 202 and write.subject not in deleted
        if accepted and write.told["runId"] not in known:
            yield f"{write.told['runId']} was promised and never made"


def the_paused_rest(evidence: Evidence) -> Iterator[str]:
    """From shortly after a pause or deletion was answered until somebody asks otherwise, only run-nows are made."""
    manual = {run.run_id for run in evidence.runs if run.source is Source.MANUAL}
    calls = _by_endpoint(evidence)
    for endpoint_id, since, until in _rests(evidence):
        for call in calls.get(endpoint_id, ()):
            quiet = since + _REST_GRACE_MS < call.at < until
            if quiet and call.run_id not in manual and not _thawed(evidence, call.at):
                yield f"{call} came {call.at - since:.0f} ms after its endpoint was put to rest"


def no_update_is_lost(evidence: Evidence) -> Iterator[str]:
    """The version of a configuration counts its edits on the trail."""
    edits = Counter(e.subject for e in evidence.events if e.action in ("updateEndpointConfig", "deleteEndpoint"))
    for endpoint in evidence.endpoints:
        if endpoint.config.version != 1 + edits[endpoint.id]:
            yield f"{endpoint.id} is at version {endpoint.config.version} after {edits[endpoint.id]} edits"
    there = sum(1 for endpoint in evidence.endpoints if not endpoint.is_deleted)
    if evidence.counted_endpoints not in (None, there):
        yield f"{evidence.counted_endpoints} endpoints are counted and {there} are there"


def the_door_stands(evidence: Evidence) -> Iterator[str]:
    """The API answers what it should: done, or refused for a reason."""
    for write in evidence.writes:
        if write.status is not None and (write.status >= 500 or write.status in (400, 401, 403)):
            yield f"{write.method} {write.path} {write.given}: {write.status} {write.told}"


RULES: tuple[Rule, ...] = (
    never_early,
    once_per_attempt,
    one_run_at_a_time,
    calls_are_on_record,
    records_tell_the_truth,
    attempts_follow_failures,
    grid_is_complete,
    nothing_is_stuck,
    nothing_is_left,
    one_shots_fire_once,
    run_nows_run,
    the_paused_rest,
    no_update_is_lost,
    the_door_stands,
)


def _by_endpoint(evidence: Evidence) -> dict[str, list[Called]]:
    calls: dict[str, list[Called]] = defaultdict(list)
    for call in sorted(evidence.calls, key=lambda each: each.at):
        calls[call.endpoint_id].append(call)
    return calls


def _lost(evidence: Evidence) -> set[tuple[str, int]]:
    return {
        (run.run_id, attempt.attempt)
        for run in evidence.runs
        for attempt in run.attempts
        if attempt.error_kind is ErrorKind.LOST
    }


def _heard_until(evidence: Evidence, call: Called) -> float:
    """Nobody listens any longer than the timeout, even when the target goes on."""
    record = next((run for run in evidence.runs if run.run_id == call.run_id), None)
    attempts = record.attempts if record is not None else ()
    mine = next((attempt for attempt in attempts if attempt.attempt == call.attempt), None)
    if mine is not None and mine.error_kind is ErrorKind.TIMEOUT:
        return min(call.until, mine.started_at + (mine.duration_ms or 0))
    return call.until


def _gaps(endpoint: Endpoint, runs: list[Run]) -> Iterator[str]:
    baseline, state = endpoint.config.baseline, endpoint.state
    upcoming = state.claim.plan if state.claim is not None else state.next
    if not isinstance(baseline, IntervalBaseline) or upcoming is None:
        return
    begun, step = endpoint.config.created_at, baseline.interval_ms
    if any((slot - begun) % step for slot in (upcoming.slot, *(run.slot for run in runs))):
        yield f"{endpoint.id} left its grid"
    passed = (upcoming.slot - begun) // step - 1
    ran = sum(1 for run in runs if run.slot < upcoming.slot)
    if ran + state.skipped + state.missed != passed:
        yield f"{endpoint.id}: {passed} slots passed; {ran} ran, {state.skipped} skipped, {state.missed} missed"


def _should_run(endpoint: Endpoint, now: int) -> bool:
    rhythm = isinstance(endpoint.config.baseline, IntervalBaseline)
    return rhythm and not endpoint.is_deleted and not endpoint.state.is_paused(now)


def _ended_hints(evidence: Evidence) -> set[str]:
    """One-shots that the trail says were cleared, replaced by a later one of their author, expired or deleted."""
    ended: set[str] = set()
    live: dict[tuple[str, str], str] = {}
    for event in sorted(evidence.events, key=lambda each: (each.subject, each.event_id)):
        key = event.subject, event.actor.id
        if event.action == "scheduleOneShotRun":
            ended |= {live[key]} if key in live else set()
            live[key] = event.after["hintId"]
        elif event.action == "expireOneShotRun":
            ended.add(event.before["hintId"])
        elif event.action == "clearAdaptiveHints":
            ended |= {hint["hintId"] for hint in event.before["hints"]}
        elif event.action == "deleteEndpoint":
            ended |= {hint for (subject, _), hint in live.items() if subject == event.subject}
    return ended


def _rests(evidence: Evidence) -> Iterator[tuple[str, float, float]]:
    """Endpoint, begin and end (ms) of each rest that was asked for; it ends when anybody asks anything that may end it."""
    for write in evidence.writes:
        endpoint_id, asks_rest = write.subject, _asks_rest(write)
        if not asks_rest or write.answered is None or write.status not in (200, 204):
            continue
        if write.method == "DELETE":
            yield endpoint_id, write.answered, float("inf")
            continue
        others = [
            other.asked
            for other in evidence.writes
            if other is not write and other.subject == endpoint_id and other.path.endswith("/pause")
            and (other.answered or float("inf")) > write.asked
        ]  # fmt: skip
        yield endpoint_id, write.answered, min(others, default=float("inf"))


def _asks_rest(write: Write) -> bool:
    if write.method == "DELETE":
        return write.path.count("/") == 2
    return write.path.endswith("/pause") and write.given == {"pauseUntil": "indefinite"}


def _thawed(evidence: Evidence, at: float) -> bool:
    """Whether somebody went on just before who had been stopped in the middle of something."""
    return any(since - _REST_GRACE_MS < at < until + _REST_GRACE_MS for since, until in evidence.freezes)
