"""How an endpoint stands right now, in one word and, when it does not run, in one sentence."""

from enum import StrEnum

from rubato.domain.endpoint import Endpoint
from rubato.domain.instant import to_iso


class Standing(StrEnum):
    """The public state of an endpoint."""

    ACTIVE = "active"
    PAUSED = "paused"
    DORMANT = "dormant"
    RUNNING = "running"


def standing(endpoint: Endpoint, now: int) -> Standing:
    """running beats paused beats dormant beats active."""
    state = endpoint.state
    if state.claim is not None and state.is_running:
        return Standing.RUNNING
    if state.is_paused(now):
        return Standing.PAUSED
    return Standing.ACTIVE if state.next is not None else Standing.DORMANT


def why_not_running(endpoint: Endpoint, now: int) -> str | None:
    """Why no run is planned, with the remedy; None when one is."""
    state = endpoint.state
    if state.held:
        return "its job is paused or archived; set the job's status to active"
    if state.is_paused(now) and state.pause is not None:
        until = f"until {to_iso(state.pause.until)}" if state.pause.until is not None else "until it is resumed"
        reason = f": {state.pause.reason}" if state.pause.reason else ""
        return f"paused {until} by {state.pause.by.kind.value} {state.pause.by.id}{reason}"
    if state.next is None and not state.is_running:
        return "its baseline is manual; it runs on a one-shot or a run-now"
    return None
