"""What must hold however a story went, whatever fault came."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from rubato.domain.endpoint import Endpoint, Source
from rubato.domain.exchange import ErrorKind
from rubato.domain.instant import MINUTE, SECOND, to_iso
from rubato.domain.runs import Run
from rubato.domain.schedule import IntervalBaseline
from tests.faults.matrix import Outcome
from tests.faults.seam import OVERCOME
from tests.faults.stories import Story
from tests.worlds import MIDNIGHT


def broken(story: Story, fault: str, rehearsal: Outcome, outcome: Outcome) -> list[str]:
    """What does not hold, in words."""
    found = [f"overwritten: {each}" for each in outcome.overwritten]
    found += _calls(outcome)
    for endpoint in outcome.end.endpoints._endpoints.values():
        found += _stuck(story, endpoint)
    found += _still(story, outcome)
    found += _once(story, outcome)
    found += _slots(story, outcome)
    found += _action(story, rehearsal, outcome)
    if fault in OVERCOME and (_told(outcome), outcome.acted) != (_told(rehearsal), rehearsal.acted):
        found.append(f"noticed: {_told(outcome)} instead of {_told(rehearsal)}; {outcome.error!r}")
    return found


def _calls(outcome: Outcome) -> Iterator[str]:
    runs = outcome.end.runs._runs
    flying = {e.state.claim.run_id for e in outcome.end.endpoints._endpoints.values() if e.state.claim}
    attempts: dict[str, list[int]] = defaultdict(list)
    for at, call in outcome.calls:
        sent = dict(call.headers)
        attempts[sent["Rubato-Run-Id"]].append(int(sent["Rubato-Attempt"]))
        if to_iso(at) < sent["Rubato-Slot"]:
            yield f"early: {sent} at {to_iso(at)}"
    for run_id, made in attempts.items():
        if made != sorted(set(made)):
            yield f"run twice: {run_id} attempts {made}"
        run = runs.get(run_id)
        if run is None and run_id not in flying:
            yield f"not recorded: {run_id}"
        elif run is not None and run_id not in flying:
            yield from _attempts(run, made)
    slots = Counter((run.endpoint_id, run.slot) for run in runs.values() if run.source is not Source.MANUAL)
    yield from (f"slot has two runs: {slot}" for slot, count in slots.items() if count > 1)


def _attempts(run: Run, made: list[int]) -> Iterator[str]:
    recorded = [each.attempt for each in run.attempts]
    if recorded != list(range(1, run.attempt + 1))[: len(recorded)] or not set(made) <= set(recorded):
        yield f"attempts: {run.run_id} made {made}, recorded {recorded}"
    unanswered = [each.attempt for each in run.attempts if each.error_kind is ErrorKind.LOST]
    if run.is_late:
        yield f"late only: {run.run_id} lost {unanswered}"


def _stuck(story: Story, endpoint: Endpoint) -> Iterator[str]:
    state, end = endpoint.state, MIDNIGHT + story.end_s * SECOND
    if state.claim is not None and state.claim.lease_until < end - 2 * MINUTE:
        yield f"stuck: {endpoint.config.name} with {state.claim}"
    if state.claim is None and state.next is not None and (state.next.due < end - 2 * MINUTE or state.wake_at is None):
        yield f"stuck: {endpoint.config.name} plans {state.next}, wakes at {state.wake_at}"


def _still(story: Story, outcome: Outcome) -> Iterator[str]:
    end = MIDNIGHT + story.end_s * SECOND
    for endpoint in outcome.end.endpoints._endpoints.values():
        last = endpoint.state.last_run
        rests = last is None or last.finished_at < end - story.fresh_s * SECOND
        if endpoint.config.name in story.running and rests and outcome.acted is not False:
            yield f"still: {endpoint.config.name} ran last at {last}"


def _once(story: Story, outcome: Outcome) -> Iterator[str]:
    for endpoint in outcome.end.endpoints._endpoints.values():
        ran = [run.run_id for run in outcome.end.runs._runs.values() if run.endpoint_id == endpoint.id]
        if endpoint.config.name in story.once and len(ran) > 1:
            yield f"more than once: {endpoint.config.name} as {ran}"


def _slots(story: Story, outcome: Outcome) -> Iterator[str]:
    for endpoint in outcome.end.endpoints._endpoints.values():
        baseline, state = endpoint.config.baseline, endpoint.state
        if endpoint.config.name not in story.gapless or not isinstance(baseline, IntervalBaseline):
            continue
        flying = {state.claim.plan.slot} if state.claim else set()
        ran = {run.slot for run in outcome.end.runs._runs.values() if run.endpoint_id == endpoint.id}
        wanted = ((state.last_slot or MIDNIGHT) - MIDNIGHT) // baseline.interval_ms
        have = len({slot for slot in ran | flying if slot <= (state.last_slot or 0)})
        if wanted > have + state.skipped + state.missed and not _failed(outcome):
            yield f"slots lost: {wanted} wanted, {have} ran, {state.skipped} skipped, {state.missed} missed"


def _failed(outcome: Outcome) -> bool:
    """A failure stretches the interval."""
    return any(run.error_kind is not None for run in outcome.end.runs._runs.values())


def _action(story: Story, rehearsal: Outcome, outcome: Outcome) -> Iterator[str]:
    for endpoint in outcome.end.endpoints._endpoints.values():
        job = outcome.end.jobs._jobs[endpoint.config.job_id]
        if endpoint.state.held != job.holds:
            yield f"does not follow its job: {endpoint.config.name}"
    if story.act is None:
        return
    if outcome.acted and outcome.after != rehearsal.after:
        yield f"answered success: {outcome.after} instead of {rehearsal.after}"
    if story.atomic and outcome.after not in (outcome.before, rehearsal.after):
        yield f"half done: {outcome.after}"


def _told(outcome: Outcome) -> list[Any]:
    return [(to_iso(at), call.url, dict(call.headers)["Rubato-Attempt"]) for at, call in outcome.calls]
