"""Endpoints in DynamoDB: a partition each (config, state, hints) and one of names per job."""

import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from pynamodb.connection import Connection
from pynamodb.exceptions import PutError, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from rubato.adapters.dynamodb.batches import batch_get, glance
from rubato.adapters.dynamodb.items import (
    CONFIG,
    STATE,
    config_item,
    follower_items,
    followers_key,
    hint_item,
    load_config,
    load_hint,
    load_state,
    name_item,
    name_key,
    state_item,
)
from rubato.adapters.dynamodb.tables import ConfigItem, EndpointsItem, HintItem, NameItem, StateItem, UsageItem
from rubato.adapters.dynamodb.trail import event_item
from rubato.adapters.dynamodb.usage import ENDPOINTS
from rubato.domain.audit import Event
from rubato.domain.endpoint import Endpoint, EndpointState
from rubato.domain.errors import Conflict, WriteRaced
from rubato.domain.grip import Grip
from rubato.domain.quota import too_many_endpoints
from rubato.ports import Page

_LOST = "ConditionalCheckFailedException"
_RACED = ("ConditionalCheckFailed", "TransactionConflict")
_DUE_PAGE = 100
_TURNS = 10
_TURN_S = 0.02
_MARK_BYTES = 6


class DynamoEndpoints:
    """Implements ports.Endpoints. `retention_s` is how long tombstones and audit events stay readable."""

    def __init__(self, connection: Connection, shards: int, retention_s: int) -> None:
        self._connection = connection
        self._shards = shards
        self._retention_s = retention_s

    def create(self, endpoint: Endpoint, event: Event, max_endpoints: int = 0) -> Endpoint:
        """Config, state, name, event and the tenant's count in one transaction.

        Endpoints of a tenant that are created at the same moment meet at its count: they take turns.
        """
        for turn in range(_TURNS):
            try:
                return self._create(endpoint, event, max_endpoints)
            except WriteRaced:
                time.sleep(_TURN_S * (turn + 1))
        raise Conflict("too many endpoints are being created at once; try again")

    def _create(self, endpoint: Endpoint, event: Event, max_endpoints: int) -> Endpoint:
        stored = endpoint.with_state(version=1)
        state = self._signed(stored)
        free = UsageItem.used.does_not_exist() | (UsageItem.used < max_endpoints) if max_endpoints else None
        try:
            with TransactWrite(connection=self._connection) as write:
                write.save(name_item(stored.config), condition=NameItem.pk.does_not_exist())
                write.save(config_item(stored.config, self._retention_s))
                write.save(state, condition=StateItem.pk.does_not_exist())
                write.save(event_item(event, self._retention_s))
                for item in follower_items(stored.config):
                    write.save(item)
                write.update(_count_of(stored), [UsageItem.used.add(1)], condition=free)
        except TransactWriteError as error:
            if _has_landed(state, error):
                return stored
            if _lost_at(error, 0):
                raise _name_taken(stored) from error
            # NOTE: pynamodb sends updates last.
            if _lost_at(error, -1):
                raise too_many_endpoints(max_endpoints) from error
            if any(reason and reason.code in _RACED for reason in error.cancellation_reasons):
                raise WriteRaced(stored.id) from error
            raise
        return stored

    def load(self, endpoint_id: str) -> Endpoint | None:
        """One consistent query of the endpoint's partition."""
        return _assemble(EndpointsItem.query(endpoint_id, consistent_read=True))

    def load_many(self, endpoint_ids: Sequence[str]) -> list[Endpoint]:
        """Consistent batch reads of config and state."""
        found: dict[str, list[EndpointsItem]] = {}
        keys = [(endpoint_id, sk) for endpoint_id in endpoint_ids for sk in (CONFIG, STATE)]
        for item in batch_get(keys, latest=True):
            found.setdefault(item.pk, []).append(item)
        loaded = (_assemble(found.get(endpoint_id, ())) for endpoint_id in endpoint_ids)
        return [endpoint for endpoint in loaded if endpoint is not None]

    def states(self, endpoint_ids: Sequence[str], *, latest: bool = False) -> dict[str, EndpointState]:
        """Batch reads, eventually consistent unless asked for the latest."""
        items = batch_get([(endpoint_id, STATE) for endpoint_id in endpoint_ids], latest)
        return {item.pk: load_state(item) for item in items if isinstance(item, StateItem)}

    def grips(self, endpoint_ids: Sequence[str]) -> dict[str, Grip]:
        """Batch reads of two numbers each, eventually consistent."""
        keys = [(endpoint_id, STATE) for endpoint_id in endpoint_ids]
        found = glance(self._connection.client, keys, "pk,leaseUntil,callAt")
        return {item["pk"]["S"]: _grip(item) for item in found if "leaseUntil" in item}

    def save(self, before: Endpoint, after: Endpoint, *events: Event) -> Endpoint:
        """One conditional put when only the state differs, else one transaction."""
        narrow = before.config == after.config and before.hints == after.hints and not events
        if narrow and not after.is_deleted:
            return replace(after, state=self.save_state(after.id, before.state, after.state))
        saved = after.with_state(version=before.state.version + 1)
        renamed = before.config.name != after.config.name
        gone = _gone(before, saved)
        state = self._signed(saved)
        try:
            with TransactWrite(connection=self._connection) as write:
                if renamed:
                    write.save(name_item(after.config), condition=NameItem.pk.does_not_exist())
                for item in gone:
                    write.delete(item)
                write.save(state, condition=StateItem.version == before.state.version)
                self._put(write, before, saved, events)
                if after.is_deleted and not before.is_deleted:
                    write.update(_count_of(after), [UsageItem.used.add(-1)])
        except TransactWriteError as error:
            if _has_landed(state, error):
                return saved
            # NOTE: pynamodb sends the deletes first, so the first put, which is the new name, stands behind them.
            if renamed and _lost_at(error, len(gone)):
                raise _name_taken(after) from error
            if any(reason and reason.code in _RACED for reason in error.cancellation_reasons):
                if after.is_deleted:
                    time.sleep(_TURN_S)  # deletes at one moment meet at the tenant's count, and take turns
                raise WriteRaced(after.id) from error
            raise
        return saved

    def save_state(self, endpoint_id: str, before: EndpointState, after: EndpointState) -> EndpointState:
        """One conditional put."""
        saved = replace(after, version=before.version + 1)
        item = _sign(state_item(endpoint_id, saved, self._shards))
        try:
            item.save(condition=StateItem.version == before.version)
        except PutError as error:
            # A transaction on the same item, under way, is a race like a lost condition.
            if error.cause_response_code not in (_LOST, "TransactionConflictException"):
                raise
            if not _is_stored(item):
                raise WriteRaced(endpoint_id) from error
        return saved

    def of_job(self, job_id: str, limit: int, after: str | None) -> Page[str]:
        """The job's partition, in the order of names."""
        start = {"pk": {"S": job_id}, "sk": {"S": after}} if after is not None else None
        query = EndpointsItem.query(job_id, limit=limit, last_evaluated_key=start, consistent_read=True)
        ids = tuple(item.endpoint_id for item in query if isinstance(item, NameItem))
        last = query.last_evaluated_key
        return Page(ids, last["sk"]["S"] if last else None)

    def named(self, job_id: str, names: Sequence[str]) -> dict[str, str]:
        """Batch reads of the items that keep the names."""
        items = batch_get([name_key(job_id, name) for name in sorted(set(names))], latest=True)
        prefix = len(name_key(job_id, "")[1])
        return {item.sk[prefix:]: item.endpoint_id for item in items if isinstance(item, NameItem)}

    def followers(self, job_id: str, name: str) -> list[str]:
        """One consistent query, of nothing for most endpoints."""
        return [item.sk for item in EndpointsItem.query(followers_key(job_id, name), consistent_read=True)]

    def due(self, shard: int, until: int) -> Iterator[list[str]]:
        """Pages of the sparse index, oldest first."""
        return _walk("due", shard, StateItem.due_at <= until)

    def looks(self, shard: int, until: int) -> Iterator[list[str]]:
        """Pages of the planner's sparse index, oldest first."""
        return _walk("looks", shard, StateItem.look_at <= until)

    def _signed(self, endpoint: Endpoint) -> StateItem:
        state = _sign(state_item(endpoint.id, endpoint.state, self._shards))
        if endpoint.config.deleted_at is not None:
            state.ttl = endpoint.config.deleted_at // 1000 + self._retention_s
        return state

    def _put(self, write: TransactWrite, before: Endpoint, after: Endpoint, events: Iterable[Event]) -> None:
        if before.config != after.config:
            write.save(config_item(after.config, self._retention_s))
            stays = {item.pk for item in follower_items(before.config)}
            for item in follower_items(after.config):
                if item.pk not in stays:
                    write.save(item)
        known = {hint.hint_id for hint in before.hints}
        for hint in after.hints:
            if hint.hint_id not in known:
                write.save(hint_item(after.id, hint))
        for event in events:
            write.save(event_item(event, self._retention_s))


def _walk(index: str, shard: int, position: Condition) -> Iterator[list[str]]:
    """NOTE: not through the model, whose discriminator filter would drop the keys of a keys-only index.

    DynamoDB takes numbers as text, and nothing below the model converts them.
    """
    start: Any = None
    while True:
        answer: dict[str, Any] = EndpointsItem._get_connection().query(
            str(shard),
            range_key_condition=position,
            index_name=index,
            exclusive_start_key=start,
            limit=_DUE_PAGE,
            scan_index_forward=True,
        )
        if answer["Items"]:
            yield [item["pk"]["S"] for item in answer["Items"]]
        start = answer.get("LastEvaluatedKey")
        if start is None:
            return


def _gone(before: Endpoint, after: Endpoint) -> list[EndpointsItem]:
    """Items that the change removes: an old name, hints that were used up, cleared or replaced."""
    kept = {hint.hint_id for hint in after.hints}
    gone: list[EndpointsItem] = [hint_item(after.id, hint) for hint in before.hints if hint.hint_id not in kept]
    if before.config.name != after.config.name or (after.is_deleted and not before.is_deleted):
        gone.append(name_item(before.config))
    stays = {item.pk for item in follower_items(after.config)}
    gone += [item for item in follower_items(before.config) if item.pk not in stays]
    return gone


def _sign(state: StateItem) -> StateItem:
    """With a mark by which a write that is repeated, because its answer was lost, knows itself again."""
    state.mark = secrets.token_urlsafe(_MARK_BYTES)
    return state


def _is_stored(state: StateItem) -> bool:
    """Whether exactly this write is the latest one. Read on a lost condition only."""
    stored = batch_get([(state.pk, STATE)], latest=True)
    return any(isinstance(item, StateItem) and item.mark == state.mark for item in stored)


def _has_landed(state: StateItem, error: TransactWriteError) -> bool:
    """Whether a cancelled transaction was the repetition of itself, whose first answer was lost.

    DynamoDB knows a repetition by its token for ten minutes, other stores that speak its language may not.
    """
    lost = any(reason and reason.code == _RACED[0] for reason in error.cancellation_reasons)
    return lost and _is_stored(state)


def _assemble(items: Iterable[EndpointsItem]) -> Endpoint | None:
    config = state = None
    hints = []
    for item in items:
        if isinstance(item, ConfigItem):
            config = load_config(item)
        elif isinstance(item, StateItem):
            state = load_state(item)
        elif isinstance(item, HintItem):
            hints.append(load_hint(item))
    if config is None or state is None:
        return None
    return Endpoint(config=config, state=state, hints=tuple(hints))


def _grip(item: dict[str, Any]) -> Grip:
    call_at = item.get("callAt")
    return Grip(int(item["leaseUntil"]["N"]), int(call_at["N"]) if call_at is not None else None)


def _count_of(endpoint: Endpoint) -> UsageItem:
    return UsageItem(endpoint.config.tenant_id, ENDPOINTS)


def _lost_at(error: TransactWriteError, position: int) -> bool:
    reasons = error.cancellation_reasons
    reason = reasons[position] if len(reasons) > position else None
    return reason is not None and reason.code == _RACED[0]


def _name_taken(endpoint: Endpoint) -> Conflict:
    return Conflict(f"the job already has an endpoint named {endpoint.config.name!r}; choose another name")
