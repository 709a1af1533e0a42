"""From audit events to answers."""

from typing import Any

from rubato.domain.audit import Event
from rubato.interface.outputs.events import EventView


def event_view(event: Event) -> EventView:
    """An audit event."""
    change: dict[str, Any] = {"from": event.before, "to": event.after}
    return EventView(
        event_id=event.event_id,
        at=event.at,
        actor=event.actor.id,
        actor_kind=event.actor.kind,
        action=event.action,
        reason=event.reason,
        **change,
    )
