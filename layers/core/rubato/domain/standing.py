"""How an endpoint stands right now, in one word and, when it does not run, in one sentence."""

from enum import StrEnum

from rubato.domain import governor
from rubato.domain.endpoint import Endpoint
from rubato.domain.instant import to_iso
from rubato.domain.schedule import AfterBaseline


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
    return Standing.DORMANT if _is_dormant(endpoint, now) else Standing.ACTIVE


def why_not_running(endpoint: Endpoint, now: int) -> str | None:
    """Why it stands still, with the remedy; None when a run is planned or in flight."""
    state = endpoint.state
    if state.is_running:
        return None
    if state.held:
        return "its job is paused or archived; set the job's status to active"
    if state.is_paused(now) and state.pause is not None:
        until = f"until {to_iso(state.pause.until)}" if state.pause.until is not None else "until it is resumed"
        reason = f": {state.pause.reason}" if state.pause.reason else ""
        return f"paused {until} by {state.pause.by.kind.value} {state.pause.by.id}{reason}"
    if not _is_dormant(endpoint, now):
        return None
    baseline = endpoint.config.baseline
    if isinstance(baseline, AfterBaseline):
        waits = ", ".join(repr(name) for name in governor.awaited(endpoint, baseline.names))
        return f"it waits for a scheduled run of {waits} to succeed; until then it runs on a one-shot or a run-now"
    return "its baseline is manual; it runs on a one-shot or a run-now"


def _is_dormant(endpoint: Endpoint, now: int) -> bool:
    """Nothing is planned, nor will be at the next look: a pause that has just ended leaves a plan to be made."""
    return endpoint.state.next is None and governor.next_run(now, endpoint) is None
