"""The audit trail in DynamoDB. Events are written with what they tell of, in the same transaction."""

from rubato.adapters import codec
from rubato.adapters.dynamodb.tables import EventItem
from rubato.domain.access import Door
from rubato.domain.agents import Delegation
from rubato.domain.audit import Event
from rubato.ports import Page


class DynamoTrail:
    """Implements ports.Trail."""

    def has(self, subject: str, event_id: str) -> bool:
        """One consistent read of its key."""
        try:
            EventItem.get(subject, event_id, consistent_read=True, attributes_to_get=["subject"])
        except EventItem.DoesNotExist:
            return False
        return True

    def of_subject(self, subject: str, limit: int, after: str | None) -> Page[Event]:
        """The subject's partition, newest first."""
        start = {"subject": {"S": subject}, "eventId": {"S": after}} if after is not None else None
        query = EventItem.query(subject, scan_index_forward=False, limit=limit, last_evaluated_key=start)
        events = tuple(_load(item) for item in query)
        last = query.last_evaluated_key
        return Page(events, last["eventId"]["S"] if last else None)

    def of_agent(self, agent_id: str, limit: int, after: str | None) -> Page[Event]:
        """One query of the sparse index; one item more than asked for tells whether there is a next page."""
        older = EventItem.event_id < after if after is not None else None
        query = EventItem.by_agent.query(agent_id, older, scan_index_forward=False, limit=limit + 1)
        events = tuple(_load(item) for item in query)
        return Page(events[:limit], events[limit - 1].event_id if len(events) > limit else None)


def event_item(event: Event, retention_s: int) -> EventItem:
    """An event as an item that TTL removes after the retention."""
    acting = event.delegation
    return EventItem(
        subject=event.subject,
        event_id=event.event_id,
        tenant_id=event.tenant_id,
        at=event.at,
        actor=codec.dump_actor(event.actor),
        action=event.action,
        before=event.before,
        after=event.after,
        reason=event.reason,
        agent_id=acting.agent_id if acting is not None else None,
        agent_name=acting.agent_name if acting is not None else None,
        owner=acting.owner if acting is not None else None,
        door=event.door.value if event.door is not None else None,
        ttl=event.at // 1000 + retention_s,
    )


def _load(item: EventItem) -> Event:
    return Event(
        event_id=item.event_id,
        subject=item.subject,
        tenant_id=item.tenant_id,
        at=int(item.at),
        actor=codec.load_actor(item.actor),
        action=item.action,
        before=item.before,
        after=item.after,
        reason=item.reason,
        delegation=_delegation(item),
        door=Door(item.door) if item.door else None,
    )


def _delegation(item: EventItem) -> Delegation | None:
    if not item.agent_id:
        return None
    return Delegation(agent_id=item.agent_id, agent_name=item.agent_name, owner=item.owner)
