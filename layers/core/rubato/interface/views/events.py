"""From audit events to answers."""

from typing import Any

from rubato.domain.audit import Event
from rubato.interface.outputs.events import EventView


def event_view(event: Event) -> EventView:
    """An audit event."""
    acting = event.delegation
    change: dict[str, Any] = {"from": event.before, "to": event.after}
    return EventView(
        event_id=event.event_id,
        subject=event.subject,
        at=event.at,
        actor=event.actor.id,
        actor_kind=event.actor.kind,
        action=event.action,
        reason=event.reason,
        agent_id=acting.agent_id if acting is not None else None,
        agent_name=acting.agent_name if acting is not None else None,
        on_behalf_of=acting.owner if acting is not None else None,
        door=event.door,
        **change,
    )
