"""API keys in DynamoDB."""

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError, UpdateError
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from rubato.adapters.dynamodb.identity_items import KeyItem, ends
from rubato.adapters.dynamodb.tables import whole
from rubato.adapters.dynamodb.trail import event_item
from rubato.domain.access import ApiKey, Scope
from rubato.domain.audit import Event
from rubato.domain.budget import UNLIMITED, Budget
from rubato.domain.errors import WriteRaced
from rubato.domain.hints import ActorKind
from rubato.domain.ids import KEY_PREFIX
from rubato.ports import Page

_LOST = "ConditionalCheckFailedException"


class DynamoKeys:
    """Implements ports.Keys. `retention_s` is how long audit events, and keys that open nothing more, stay readable."""

    def __init__(self, connection: Connection, retention_s: int) -> None:
        self._connection = connection
        self._retention_s = retention_s

    def create(self, key: ApiKey, event: Event) -> None:
        """Key and event in one transaction."""
        try:
            with TransactWrite(connection=self._connection) as write:
                write.save(self._item(key), condition=KeyItem.key_id.does_not_exist())
                write.save(event_item(event, self._retention_s))
        except TransactWriteError as error:
            # The repetition of itself, whose first answer was lost?
            if not any(error.cancellation_reasons) or self.get(key.key_id) != key:
                raise

    def get(self, key_id: str) -> ApiKey | None:
        """One consistent read: a revoked key must not live on in a lagging replica."""
        try:
            return _load(KeyItem.get(key_id, consistent_read=True))
        except KeyItem.DoesNotExist:
            return None

    def list(self, tenant_id: str, limit: int, after: str | None) -> Page[ApiKey]:
        """One query of the index; two items more: the last of the page before, and whether another page follows."""
        theirs = KeyItem.key_id.between(*ends(KEY_PREFIX, after))
        query = KeyItem.by_tenant.query(tenant_id, theirs, scan_index_forward=False, limit=limit + 2)
        found = [key for key in map(_load, query) if key.key_id != after]
        return Page(tuple(found[:limit]), found[limit - 1].key_id if len(found) > limit else None)

    def revoke(self, key_id: str, event: Event) -> None:
        """Key and event in one transaction."""
        marks: list[Action] = [KeyItem.revoked_at.set(event.at), KeyItem.ttl.set(self._ttl(event.at))]
        in_force = KeyItem.digest.exists() & KeyItem.revoked_at.does_not_exist()
        try:
            with TransactWrite(connection=self._connection) as write:
                write.update(KeyItem(key_id), actions=marks, condition=in_force)
                write.save(event_item(event, self._retention_s))
        except TransactWriteError as error:
            if not any(error.cancellation_reasons):
                raise
            stored = self.get(key_id)
            if stored is None or stored.revoked_at != event.at:
                raise WriteRaced(key_id) from error

    def record_use(self, key_id: str, at: int, unless_since: int) -> None:
        """One conditional update; it costs a write unit in the table and one in its index."""
        stale = KeyItem.last_used_at.does_not_exist() | (KeyItem.last_used_at <= unless_since)
        try:
            KeyItem(key_id).update([KeyItem.last_used_at.set(at)], condition=KeyItem.digest.exists() & stale)
        except UpdateError as error:
            if error.cause_response_code != _LOST:
                raise

    def _item(self, key: ApiKey) -> KeyItem:
        return KeyItem(
            key_id=key.key_id,
            tenant_id=key.tenant_id,
            digest=key.digest,
            label=key.label,
            kind=key.kind.value,
            scopes=sorted(scope.value for scope in key.scopes),
            budget=key.budget.to_plain() if key.budget != UNLIMITED else None,
            agent_id=key.agent_id,
            created_at=key.created_at,
            expires_at=key.expires_at,
            ttl=self._ttl(key.expires_at) if key.expires_at is not None else None,
        )

    def _ttl(self, end: int) -> int:
        return end // 1000 + self._retention_s


def _load(item: KeyItem) -> ApiKey:
    return ApiKey(
        key_id=item.key_id,
        tenant_id=item.tenant_id,
        digest=item.digest,
        label=item.label,
        kind=ActorKind(item.kind),
        scopes=frozenset(Scope(scope) for scope in item.scopes),
        budget=Budget.from_plain(item.budget),
        agent_id=item.agent_id,
        created_at=int(item.created_at),
        expires_at=whole(item.expires_at),
        revoked_at=whole(item.revoked_at),
        last_used_at=whole(item.last_used_at),
    )
