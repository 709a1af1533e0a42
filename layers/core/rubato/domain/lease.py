"""Claims and leases: how a planned run becomes one call, whatever dies or doubles on the way. Pure transitions.

A run is planned, claimed (one conditional write puts it on the queue), started (a second one puts it in flight) and
finished (a third one settles what comes next). `settle` is the only place that moves the next run.
"""

from dataclasses import dataclass, replace
from enum import Enum

from rubato.domain import governor, ids, rest, retries, watching
from rubato.domain.endpoint import (
    Claim,
    Endpoint,
    EndpointState,
    LastRun,
    Pause,
    Plan,
    RunStatus,
    Skip,
    Source,
)
from rubato.domain.exchange import Attempt, ErrorKind
from rubato.domain.hints import SYSTEM
from rubato.domain.instant import MINUTE, SECOND
from rubato.domain.references import followed

# NOTE: a claim that nobody started is sent again after this long. The message that waits in a long queue stays valid
# all the while (same fence), so a re-send can only add a duplicate, which the start condition drops.
UNSTARTED_LEASE_MS = 30 * SECOND
RESEND_LEASE_MS = 2 * MINUTE
STARTED_MARGIN_MS = 15 * SECOND
MAX_LOST_ATTEMPTS = 3


class Look(Enum):
    """What the tick finds to do for an endpoint."""

    LEAVE = "leave"
    CLAIM = "claim"
    RESEND = "resend"
    RECOVER = "recover"
    REPLAN = "replan"
    WAKE = "wake"


@dataclass(frozen=True, slots=True)
class RunResult:
    """What the schedule needs to know of a finished run. Times in ms. Not all failures count."""

    status: RunStatus
    started_at: int
    finished_at: int
    counts: bool = True


def settle(endpoint: Endpoint, now: int, look_ahead_ms: int) -> Endpoint:
    """Plan the next run from `now`, and claim it when it is due within the look-ahead.

    Idempotent: settling twice at one instant changes nothing. A run in flight is left alone: its end settles again.
    """
    state = endpoint.state
    if endpoint.is_deleted and not _has_begun(state):
        return _unplanned(endpoint)
    if state.is_running:
        return _without_overtaken_retry(rest.resumed_in_flight(endpoint, now), now)
    if state.is_paused(now):
        return rest.park(endpoint, now)
    endpoint = rest.skip_rest(endpoint, now)
    planned = rest.catch_up(endpoint, now) or _pending(endpoint, now) or governor.next_run(now, endpoint)
    awake = endpoint.with_state(pause=None, parked=False, shadow=None)
    if planned is None:
        return _unplanned(awake)
    if state.claim is not None and state.claim.plan == planned:
        return awake.with_state(next=planned)
    return _place(awake, planned, now, look_ahead_ms)


def start(endpoint: Endpoint, now: int) -> Endpoint:
    """The claimed run goes in flight at `now`: it holds the lease for its timeout and a margin."""
    state, claim = endpoint.state, endpoint.state.claim
    assert claim is not None
    lease = now + endpoint.config.timeout_ms + STARTED_MARGIN_MS
    started = endpoint.with_state(claim=replace(claim, started_at=now, lease_until=lease))
    if claim.is_manual:
        return started
    # A further attempt moves nothing: a new baseline may have set the anchor meanwhile.
    anchor = claim.plan.slot if claim.plan.on_grid and claim.attempt == 1 else state.anchor
    return started.with_state(anchor=anchor, last_slot=claim.plan.slot)


def unstart(endpoint: Endpoint, before: EndpointState, started: EndpointState) -> Endpoint:
    """The run that was just put in flight is not to be made: as if it had only been claimed. Settle next."""
    state = endpoint.state
    anchor = before.anchor if state.anchor == started.anchor else state.anchor  # a new baseline may have set it
    return endpoint.with_state(claim=None, anchor=anchor, last_slot=before.last_slot)


def finish(endpoint: Endpoint, result: RunResult, now: int) -> Endpoint:
    """The run in flight has ended: count it, use up its one-shot, pass over what it overlapped. Settle it next."""
    claim = endpoint.state.claim
    assert claim is not None
    last_run = LastRun(
        run_id=claim.run_id, status=result.status, started_at=result.started_at, finished_at=result.finished_at
    )
    ended = endpoint.with_state(claim=None, last_run=last_run)
    if not claim.is_manual:
        failures = 0 if result.status is RunStatus.SUCCESS else endpoint.state.failures + result.counts
        succeeded = result.finished_at if result.status is RunStatus.SUCCESS else endpoint.state.succeeded_at
        ended = without_hint(ended, claim.plan).with_state(
            failures=failures, next=None, outcome=result.status, succeeded_at=succeeded
        )
        ended = replace(ended, state=watching.stir(endpoint.state, ended.state, now))
        ended = _auto_pause(ended, now) if result.counts else ended
    return _skip_overlapped(ended, claim, now)


def trigger(endpoint: Endpoint, now: int) -> Endpoint:
    """Claim a run-now. It leaves the planned run as it is; its end claims that again."""
    planned = Plan(slot=now, due=now, source=Source.MANUAL, trigger="manual")
    return replace(endpoint, state=_claim(endpoint.id, endpoint.state, planned, now))


def resend(state: EndpointState, now: int) -> EndpointState:
    """The message of an unstarted claim may be lost: the same claim, on the queue once more, with a longer lease."""
    assert state.claim is not None
    return replace(state, claim=replace(state.claim, lease_until=now + RESEND_LEASE_MS))


def recover(state: EndpointState, now: int) -> EndpointState:
    """The worker of a started run died: the same run again, one attempt higher, under a new fence."""
    claim = state.claim
    assert claim is not None and claim.started_at is not None
    lost = Attempt(
        attempt=claim.attempt,
        started_at=claim.started_at,
        error_kind=ErrorKind.LOST,
        error_message="its worker died",
    )
    return _next_attempt(state, lost, None, now)


def pass_over(endpoint: Endpoint, reason: str) -> Endpoint:
    """The gate of the claimed slot is closed: it does not run, counts as skipped, and says why. Settle next."""
    state, claim = endpoint.state, endpoint.state.claim
    assert claim is not None
    slot = claim.plan.slot
    return endpoint.with_state(
        claim=None, next=None, passed=slot, skipped=state.skipped + 1, last_skip=Skip(slot=slot, reason=reason)
    )


def hear(endpoint: Endpoint, name: str, finished_at: int) -> Endpoint:
    """The endpoint called `name`, which this one follows, has finished a scheduled run with success. Settle next."""
    if endpoint.is_deleted or name not in followed(endpoint.config):
        return endpoint
    heard = dict(endpoint.state.heard)
    heard[name] = max(heard.get(name, 0), finished_at)
    return endpoint.with_state(heard=tuple(sorted(heard.items())))


def wait_for_retry(endpoint: Endpoint, failed: Attempt, retry_at: int, now: int) -> Endpoint:
    """The attempt in flight has failed: the same run waits for its next one, under a new fence, sent once more."""
    return replace(endpoint, state=_next_attempt(endpoint.state, failed, retry_at, now))


def claim_next(endpoint_id: str, state: EndpointState, now: int) -> EndpointState:
    """Claim the planned run for the queue."""
    assert state.next is not None
    return _claim(endpoint_id, state, state.next, now)


def look(state: EndpointState, now: int, horizon: int) -> Look:
    """What the tick does with an endpoint that it found in the due index, looking ahead up to `horizon`."""
    if state.claim is not None:
        if now < state.claim.lease_until:
            return Look.LEAVE
        return Look.RESEND if state.claim.started_at is None else Look.RECOVER
    if state.parked:
        until = state.pause.until if state.pause is not None and not state.held else None
        if until is None or until > horizon:
            return Look.LEAVE
        return Look.REPLAN if until <= now else Look.WAKE
    if state.next is None or state.next.due > horizon:
        return Look.LEAVE
    return Look.REPLAN if state.next.due <= now else Look.CLAIM


def _place(endpoint: Endpoint, planned: Plan, now: int, look_ahead_ms: int) -> Endpoint:
    placed = endpoint.with_state(next=planned, claim=None)
    if planned.due <= now + look_ahead_ms:
        return replace(placed, state=_claim(placed.id, placed.state, planned, now))
    return placed.with_state(wake_at=planned.due)


def _claim(endpoint_id: str, state: EndpointState, planned: Plan, now: int) -> EndpointState:
    claim = Claim(
        run_id=ids.run_id(endpoint_id, planned.slot, planned.trigger),
        plan=planned,
        fence=state.fence + 1,
        lease_until=max(planned.due, now) + UNSTARTED_LEASE_MS,
    )
    # NOTE: the place in the due index is left where it is when it is early enough. The tick reads past claimed
    # endpoints, and a chain of short intervals costs no index writes.
    wake_at = planned.due if state.wake_at is None else min(state.wake_at, planned.due)
    return replace(state, claim=claim, fence=claim.fence, wake_at=wake_at)


def _next_attempt(state: EndpointState, ended: Attempt, retry_at: int | None, now: int) -> EndpointState:
    """The same run, one attempt higher, under a new fence: what the holder of the old one sends no longer counts."""
    claim = state.claim
    assert claim is not None
    again = replace(
        claim,
        fence=state.fence + 1,
        attempt=claim.attempt + 1,
        started_at=None,
        retry_at=retry_at,
        tried=(*claim.tried, ended),
        lease_until=max(retry_at or now, now) + UNSTARTED_LEASE_MS,
    )
    return replace(state, claim=again, fence=again.fence)


def _unplanned(endpoint: Endpoint) -> Endpoint:
    return endpoint.with_state(next=None, claim=None, wake_at=None)


def _has_begun(state: EndpointState) -> bool:
    """Whether the target was called, or is about to be, for the claimed run."""
    return state.claim is not None and (state.claim.started_at is not None or state.claim.attempt > 1)


def _without_overtaken_retry(endpoint: Endpoint, now: int) -> Endpoint:
    """An attempt that waits, and is not to be made any more, ends its run now instead of then."""
    state, claim = endpoint.state, endpoint.state.claim
    if claim is None or claim.given_up or not retries.is_overtaken(endpoint, now):
        return endpoint
    ending = replace(claim, fence=state.fence + 1, given_up=True, retry_at=now, lease_until=now + UNSTARTED_LEASE_MS)
    return endpoint.with_state(claim=ending, fence=ending.fence)


def _pending(endpoint: Endpoint, now: int) -> Plan | None:
    """The planned run whose slot has come but which nobody started yet: replanning must not lose it."""
    planned = endpoint.state.next
    if endpoint.state.parked or planned is None or planned.slot > now:
        return None
    if planned.hint_id is not None and not any(h.hint_id == planned.hint_id for h in endpoint.hints):
        return None
    return planned


def without_hint(endpoint: Endpoint, planned: Plan) -> Endpoint:
    """A one-shot is used up by the run that it caused; other runs use up nothing."""
    if not planned.trigger.startswith("oneshot/"):
        return endpoint
    return replace(endpoint, hints=tuple(h for h in endpoint.hints if h.hint_id != planned.hint_id))


def _auto_pause(endpoint: Endpoint, now: int) -> Endpoint:
    threshold, failures = endpoint.config.auto_pause_after, endpoint.state.failures
    if not threshold or failures < threshold or endpoint.state.is_paused(now):
        return endpoint
    reason = f"paused automatically after {failures} consecutive failed runs"
    return endpoint.with_state(pause=Pause(since=now, by=SYSTEM, reason=reason))


def _skip_overlapped(endpoint: Endpoint, claim: Claim, now: int) -> Endpoint:
    """Grid slots that came while the run was in flight are passed over and counted."""
    cadence = governor.cadence_at(now, endpoint)
    if cadence is None or endpoint.is_deleted:
        return endpoint
    seen = max(claim.plan.slot, (governor.earliest(endpoint) or 0) - 1)
    passed = cadence.grid.count_between(seen, now) if seen < now else 0
    planned = endpoint.state.next
    if planned is not None and planned.due <= now:
        passed += int(planned.slot <= seen)
        endpoint = endpoint.with_state(next=None)
    elif planned is not None and seen < planned.slot <= now:
        passed = max(passed - 1, 0)  # its jitter keeps it ahead; a hint written meanwhile may have no slot there
    return endpoint.with_state(skipped=endpoint.state.skipped + passed)


def stands(state: EndpointState, fence: int) -> bool:
    """Whether a message with this fence still speaks of a claim that nobody started."""
    return state.claim is not None and state.claim.fence == fence and state.claim.started_at is None


def is_duplicate(state: EndpointState, run_id: str) -> bool:
    """Whether a message whose claim does not stand speaks of a run that was begun, or has just ended."""
    begun = state.claim is not None and state.claim.run_id == run_id
    return begun or (state.last_run is not None and state.last_run.run_id == run_id)


def holds(state: EndpointState, fence: int, now: int) -> bool:
    """Whether the holder of this fence may still write to the schedule."""
    return state.claim is not None and state.claim.fence == fence and now < state.claim.lease_until
