"""Names of secrets and of signing keys in DynamoDB: partitions of their own in the Endpoints table, never a value."""

from collections.abc import Iterator, Sequence
from itertools import islice

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from rubato.adapters.dynamodb.tables import SecretItem, SigningKeysItem
from rubato.adapters.dynamodb.trail import event_item
from rubato.domain.audit import Event
from rubato.domain.errors import WriteRaced
from rubato.domain.hosts import ANYWHERE
from rubato.domain.secrets import Secret
from rubato.domain.signing import SigningKey, holder_of, id_prefix
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

    def of_holder(self, tenant_id: str, endpoint_id: str | None) -> tuple[SigningKey, ...]:
        """One query that reads one item."""
        holder = SigningKeysItem.sk == id_prefix(endpoint_id)
        found = SigningKeysItem.query(_SIGNING + tenant_id, holder, consistent_read=True)
        return tuple(key for item in found for key in _keys(tenant_id, item))

    def replace(self, before: Sequence[SigningKey], after: Sequence[SigningKey], *events: Event) -> None:
        """Keys and events in one transaction."""
        item, stands = _keys_item(after or before), _keys_stand(before)
        try:
            with TransactWrite(connection=self._connection) as write:
                if after:
                    write.save(item, condition=stands)
                else:
                    write.delete(item, condition=stands)
                for event in events:
                    write.save(event_item(event, self._retention_s))
        except TransactWriteError as error:
            raise _raced(error, item.sk) from error

    def list(self, tenant_id: str, limit: int, after: str | None) -> Page[SigningKey]:
        """One query; one key more than asked for tells whether there is a next page."""
        since = SigningKeysItem.sk >= after[: len(id_prefix(None))] if after is not None else None
        holders = SigningKeysItem.query(_SIGNING + tenant_id, since, consistent_read=True, limit=limit + 2)
        keys = (key for item in holders for key in _keys(tenant_id, item))
        found = list(islice((key for key in keys if after is None or key.key_id > after), limit + 1))
        return Page(tuple(found[:limit]), found[limit - 1].key_id if len(found) > limit else None)


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


def _keys_item(keys: Sequence[SigningKey]) -> SigningKeysItem:
    first = keys[0]
    live = [[key.key_id, key.created_at] for key in keys]
    return SigningKeysItem(pk=_SIGNING + first.tenant_id, sk=id_prefix(first.endpoint_id), live=live)


def _keys_stand(before: Sequence[SigningKey]) -> Condition:
    if not before:
        return SigningKeysItem.pk.does_not_exist()
    condition: Condition = SigningKeysItem.live == _keys_item(before).live
    return condition


def _keys(tenant_id: str, item: SigningKeysItem) -> Iterator[SigningKey]:
    for key_id, created_at in item.live:
        yield SigningKey(key_id=key_id, tenant_id=tenant_id, endpoint_id=holder_of(key_id), created_at=int(created_at))
