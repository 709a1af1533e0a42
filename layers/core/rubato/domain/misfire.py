"""Slots found late: which of them still runs, and how many passed. Pure; see the design's semantics, Missed slots."""

from dataclasses import replace

from rubato.domain import governor, ids
from rubato.domain.endpoint import Endpoint, EndpointState, MissedRuns, Plan, Source
from rubato.domain.instant import MINUTE
from rubato.domain.lease import without_hint

# A slot that is later than one heartbeat of the tick has passed in an outage.
MISFIRE_GRACE_MS = MINUTE
# A claimed run that comes later than this comes out of an outage, and gives way to a newer slot. One whose message was
# lost comes sooner (an unstarted lease and a tick), and keeps its slot and run id.
OUTAGE_MS = 2 * MINUTE


def overdue_ms(state: EndpointState, now: int) -> int:
    """For how long the endpoint has been waiting for a run that is due and has not begun; 0 when it is not."""
    claim, due = state.claim, None
    if claim is not None:
        due = claim.call_at if claim.started_at is None else claim.lease_until
    elif state.next is not None and not state.parked:
        due = state.next.due
    return max(now - due, 0) if due is not None else 0


def misfire(endpoint: Endpoint, now: int) -> Endpoint:
    """A planned slot was found late: keep the latest missed one or none, as configured; count the rest. Settle next."""
    state, late = endpoint.state, endpoint.state.next
    assert late is not None
    newest, passed = _latest_missed(endpoint, late, now)
    if is_too_late(endpoint, newest, now):
        gone = endpoint.with_state(next=None, claim=None, missed=state.missed + passed + 1, passed=newest.slot)
        return without_hint(gone, late)
    return endpoint.with_state(next=newest, claim=None, missed=state.missed + passed)


def overtaken(endpoint: Endpoint, now: int) -> Endpoint | None:
    """A claimed run came so late that newer slots have passed: the claim turns to the latest one, under its fence.

    None when that one must not run now, so that the endpoint is to be settled anew. Turning the claim in place keeps a
    backlog from chasing the grid for ever.
    """
    claim = endpoint.state.claim
    assert claim is not None
    turned = misfire(endpoint, now)
    newest = turned.state.next
    if newest is None or newest.due > now:
        return None
    run_id = ids.run_id(endpoint.id, newest.slot, newest.trigger)
    return turned.with_state(claim=replace(claim, plan=newest, run_id=run_id))


def is_late(endpoint: Endpoint, now: int) -> bool:
    """Whether the planned slot needs `misfire` rather than a plain claim."""
    planned = endpoint.state.next
    if planned is None or planned.due > now:
        return False
    return is_too_late(endpoint, planned, now) or _latest_missed(endpoint, planned, now)[1] > 0


def is_too_late(endpoint: Endpoint, planned: Plan, now: int) -> bool:
    """Whether a planned run has passed beyond what its owner allows."""
    config, lateness = endpoint.config, now - planned.due
    if planned.trigger != "cadence":
        # A one-shot is bounded by its own TTL, a run-now by nothing.
        return planned.hint_id is not None and not any(
            hint.hint_id == planned.hint_id and hint.is_live(now) for hint in endpoint.hints
        )
    if config.max_lateness_ms is not None and lateness > config.max_lateness_ms:
        return True
    return config.missed_runs is MissedRuns.SKIP and lateness > MISFIRE_GRACE_MS


def _latest_missed(endpoint: Endpoint, late: Plan, now: int) -> tuple[Plan, int]:
    """The latest slot that has passed since the late one, and how many did; the late one itself and 0 when none did."""
    cadence = governor.cadence_at(now, endpoint)
    if late.trigger != "cadence" or cadence is None:
        return late, 0
    if late.on_grid:
        slot = cadence.grid.latest_at_or_before(now, late.slot)
        passed = cadence.grid.count_between(late.slot, now)
        return (late, 0) if slot is None else (governor.on_grid(endpoint, cadence, slot), passed)
    gap = _clamped_gap(endpoint, late)
    passed = (now - late.slot) // gap if gap else 0
    moved = late.slot + passed * (gap or 0)
    return replace(late, slot=moved, due=moved), passed


def _clamped_gap(endpoint: Endpoint, planned: Plan) -> int | None:
    """How far apart the runs are while this clamp rules."""
    if planned.source is Source.CLAMPED_MAX:
        return endpoint.config.clamp.max_interval_ms
    return endpoint.config.clamp.min_interval_ms if planned.source is Source.CLAMPED_MIN else None
