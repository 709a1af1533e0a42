"""The audit trail in DynamoDB. Events are written with what they tell of, in the same transaction."""

from rubato.adapters import codec
from rubato.adapters.dynamodb.tables import EventItem
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


def event_item(event: Event, retention_s: int) -> EventItem:
    """An event as an item that TTL removes after the retention."""
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
    )
