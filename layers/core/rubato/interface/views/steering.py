"""From hints, pauses and plans to answers."""

from typing import Any

from rubato.domain import governor
from rubato.domain.endpoint import Endpoint
from rubato.domain.hints import Hint, HintKind
from rubato.domain.instant import to_iso
from rubato.interface.outputs.steering import HintApplied, HintView, PauseView


def hint_applied(endpoint: Endpoint, hint: Hint, now: int) -> HintApplied:
    """A hint and what it led to."""
    following, source = upcoming(endpoint, now)
    return HintApplied(hint=hint_view(hint), next_run_at=following, source=source)


def pause_view(endpoint: Endpoint, now: int) -> PauseView:
    """How the endpoint rests."""
    return PauseView(paused_until=paused_until_text(endpoint, now), next_run_at=next_run_at(endpoint, now))


def next_run_at(endpoint: Endpoint, now: int) -> int | None:
    """When it runs next, in ms."""
    return upcoming(endpoint, now)[0]


def hint_view(hint: Hint) -> HintView:
    """A hint."""
    return HintView(
        hint_id=hint.hint_id,
        kind=hint.kind,
        author=hint.author.id,
        author_kind=hint.author.kind,
        reason=hint.reason,
        interval_ms=hint.interval_ms,
        run_at=hint.first_slot if hint.kind is HintKind.ONE_SHOT else None,
        created_at=hint.created_at,
        expires_at=hint.expires_at,
    )


def upcoming(endpoint: Endpoint, now: int) -> tuple[int | None, Any]:
    """What is planned; while a run is in flight, what would be planned if it ended now."""
    state = endpoint.state
    if state.next is not None and not state.is_running:
        return state.next.due, state.next.source
    return governor.plan(now, endpoint) or (None, None)


def paused_until_text(endpoint: Endpoint, now: int) -> str | None:
    state = endpoint.state
    if not state.is_paused(now):
        return None
    if state.held or state.pause is None or state.pause.until is None:
        return "indefinite"
    return to_iso(state.pause.until)
