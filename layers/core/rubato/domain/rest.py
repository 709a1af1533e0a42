"""Pauses: how an endpoint goes to rest, and what it makes up for when it wakes. Pure; see the design's semantics."""

from rubato.domain import governor
from rubato.domain.endpoint import Endpoint, EndpointState, MissedRuns, Plan


def park(endpoint: Endpoint, now: int) -> Endpoint:
    """Put a paused endpoint to rest; remember the slot that waits, so that a resume knows whether it was missed."""
    state = endpoint.state
    shadow = state.shadow
    if not state.parked or shadow is None or shadow > now:
        # A one-shot needs no shadow: its hint brings it back.
        pending = state.next if state.next is not None and state.next.trigger == "cadence" else None
        due = pending if pending is not None and pending.slot <= now else None
        waiting = due or governor.cadence_run(now, endpoint)
        shadow = waiting.slot if waiting else None
    until = None if state.held or state.pause is None else state.pause.until
    return endpoint.with_state(next=None, claim=None, parked=True, shadow=shadow, wake_at=until)


def resumed_in_flight(endpoint: Endpoint, now: int) -> Endpoint:
    """A resume before the slot that waits leaves nothing to catch up, should a run-now outlast that slot."""
    state = endpoint.state
    slept_through = state.shadow is not None and state.shadow <= now
    if not state.parked or state.is_paused(now) or slept_through:
        return endpoint
    return endpoint.with_state(pause=None, parked=False, shadow=None)


def skip_rest(endpoint: Endpoint, now: int) -> Endpoint:
    """With `missedRuns: skip` the slot that fell inside the pause, which ends now, is passed over."""
    state, moment = endpoint.state, _end_of_rest(endpoint.state, now)
    if not state.parked or state.shadow is None or state.shadow > moment:
        return endpoint
    if endpoint.config.missed_runs is not MissedRuns.SKIP:
        return endpoint
    return endpoint.with_state(passed=moment, skipped=state.skipped + 1)


def _end_of_rest(state: EndpointState, now: int) -> int:
    """When the pause ended: at its time, or now by hand."""
    pause = state.pause
    return pause.until if pause is not None and pause.until is not None and pause.until <= now else now


def catch_up(endpoint: Endpoint, now: int) -> Plan | None:
    """The single run of an endpoint whose slot fell inside the pause that ends now."""
    state = endpoint.state
    if not state.parked or state.shadow is None or endpoint.config.missed_runs is MissedRuns.SKIP:
        return None
    moment = _end_of_rest(state, now)
    cadence = governor.cadence_at(moment, endpoint)
    if cadence is None or state.shadow > moment or not governor.has_slots(cadence):
        return None
    return Plan(slot=moment, due=moment, source=cadence.source)
