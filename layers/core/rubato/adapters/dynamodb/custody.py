"""Names of secrets and of signing keys in DynamoDB: partitions of their own in the Endpoints table, never a value."""

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from rubato.adapters.dynamodb.tables import SecretItem, SigningKeyItem
from rubato.adapters.dynamodb.trail import event_item
from rubato.domain.audit import Event
from rubato.domain.errors import WriteRaced
from rubato.domain.hosts import ANYWHERE
from rubato.domain.secrets import Secret
from rubato.domain.signing import SigningKey, id_prefix
from rubato.ports import Page

_SECRETS = "secrets#"
_SIGNING = "signing#"
_RACED = ("ConditionalCheckFailed", "TransactionConflict")


class DynamoSecrets:
    """Implements ports.Secrets. `retention_s` is how long audit events stay readable."""

    def __init__(self, connection: Connection, retention_s: int) -> None:
        self._connection = connection
        self._retention_s = retention_s

    def put(self, secret: Secret, before: Secret | None, event: Event | None) -> None:
        """Name and event in one transaction."""
        try:
            with TransactWrite(connection=self._connection) as write:
                write.save(_secret_item(secret), condition=_stands(before))
                if event is not None:
                    write.save(event_item(event, self._retention_s))
        except TransactWriteError as error:
            raise _raced(error, secret.name) from error

    def of_job(self, job_id: str) -> list[Secret]:
        """One query of the partition."""
        found = SecretItem.query(_SECRETS + job_id, consistent_read=True)
        return [
            Secret(
                job_id=job_id,
                tenant_id=item.tenant_id,
                name=item.sk,
                updated_at=int(item.updated_at),
                hosts=tuple(item.hosts or ANYWHERE),
                held_until=int(item.held_until) if item.held_until else None,
            )
            for item in found
        ]

    def delete(self, secret: Secret, event: Event | None) -> None:
        """Name and event in one transaction."""
        try:
            with TransactWrite(connection=self._connection) as write:
                write.delete(_secret_item(secret), condition=_stands(secret))
                if event is not None:
                    write.save(event_item(event, self._retention_s))
        except TransactWriteError as error:
            raise _raced(error, secret.name) from error


class DynamoSigningKeys:
    """Implements ports.SigningKeys. `retention_s` is how long audit events stay readable."""

    def __init__(self, connection: Connection, retention_s: int) -> None:
        self._connection = connection
        self._retention_s = retention_s

    def create(self, key: SigningKey, event: Event) -> None:
        """Key and event in one transaction; repeating it changes nothing."""
        with TransactWrite(connection=self._connection) as write:
            write.save(_key_item(key))
            write.save(event_item(event, self._retention_s))

    def get(self, tenant_id: str, key_id: str) -> SigningKey | None:
        """One query that reads one item."""
        found = SigningKeyItem.query(_SIGNING + tenant_id, SigningKeyItem.sk == key_id, consistent_read=True)
        return next((_load(tenant_id, item) for item in found), None)

    def of_holder(self, tenant_id: str, endpoint_id: str | None) -> list[SigningKey]:
        """One query of the holder's part of the partition."""
        theirs = SigningKeyItem.sk.startswith(id_prefix(endpoint_id))
        found = SigningKeyItem.query(_SIGNING + tenant_id, theirs, consistent_read=True)
        return [_load(tenant_id, item) for item in found]

    def list(self, tenant_id: str, limit: int, after: str | None) -> Page[SigningKey]:
        """One query; one item more than asked for tells whether there is a next page."""
        rest = SigningKeyItem.sk > after if after is not None else None
        query = SigningKeyItem.query(_SIGNING + tenant_id, rest, consistent_read=True, limit=limit + 1)
        found = [_load(tenant_id, item) for item in query]
        return Page(tuple(found[:limit]), found[limit - 1].key_id if len(found) > limit else None)

    def delete(self, key: SigningKey, event: Event) -> None:
        """Key and event in one transaction."""
        _delete(self._connection, _key_item(key), event, self._retention_s)


def _delete(connection: Connection, item: SigningKeyItem, event: Event, retention_s: int) -> None:
    try:
        with TransactWrite(connection=connection) as write:
            write.delete(item, condition=type(item).pk.exists())
            write.save(event_item(event, retention_s))
    except TransactWriteError as error:
        raise _raced(error, item.sk) from error


def _raced(error: TransactWriteError, key: str) -> Exception:
    """What a transaction's failure is for the caller: a race only where a condition was not met."""
    raced = any(reason and reason.code in _RACED for reason in error.cancellation_reasons)
    return WriteRaced(key) if raced else error


def _secret_item(secret: Secret) -> SecretItem:
    return SecretItem(
        pk=_SECRETS + secret.job_id,
        sk=secret.name,
        tenant_id=secret.tenant_id,
        updated_at=secret.updated_at,
        hosts=None if secret.hosts == ANYWHERE else list(secret.hosts),
        held_until=secret.held_until,
    )


def _stands(before: Secret | None) -> Condition:
    if before is None:
        return SecretItem.pk.does_not_exist()
    item = _secret_item(before)
    hosts = SecretItem.hosts.does_not_exist() if item.hosts is None else SecretItem.hosts == item.hosts
    held = SecretItem.held_until
    is_held = held == before.held_until if before.held_until is not None else held.does_not_exist()
    condition: Condition = (SecretItem.updated_at == before.updated_at) & hosts & is_held
    return condition


def _key_item(key: SigningKey) -> SigningKeyItem:
    return SigningKeyItem(
        pk=_SIGNING + key.tenant_id, sk=key.key_id, endpoint_id=key.endpoint_id, created_at=key.created_at
    )


def _load(tenant_id: str, item: SigningKeyItem) -> SigningKey:
    return SigningKey(
        key_id=item.sk, tenant_id=tenant_id, endpoint_id=item.endpoint_id, created_at=int(item.created_at)
    )
