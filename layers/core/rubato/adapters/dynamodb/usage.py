"""Counters of use in DynamoDB: of a tenant, its endpoints and the runs of each day."""

import secrets
import threading
from collections import Counter
from collections.abc import Sequence
from datetime import date

from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from rubato.adapters.dynamodb.tables import UsageItem
from rubato.domain.quota import Usage

ENDPOINTS = "endpoints"
_LOST = "ConditionalCheckFailedException"
_KEPT_S = 40 * 86_400
_DAY_S = 86_400
_MARK_BYTES = 6


class DynamoUsage:
    """Implements ports.UsageCounters.

    Runs without a quota are counted in memory and written by `flush`, one write for a batch: counting must not cost
    what running costs. A worker that dies loses the count of its batch.
    """

    def __init__(self) -> None:
        self._noted: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def of(self, tenant_id: str, day: str) -> Usage:
        """One consistent batch read of all three counters."""
        keys = [(tenant_id, counter) for counter in (ENDPOINTS, _runs(day), _tokens(day))]
        counts = {item.sk: int(item.used) for item in UsageItem.batch_get(keys, consistent_read=True)}
        return Usage(
            endpoints=counts.get(ENDPOINTS, 0),
            runs_today=counts.get(_runs(day), 0),
            planner_tokens_today=max(counts.get(_tokens(day), 0), 0),
        )

    def take_change(self, key_id: str, hour: str, limit: int) -> bool:
        """In the same way as a run."""
        free = UsageItem.used.does_not_exist() | (UsageItem.used < limit)
        return _take(UsageItem(key_id, f"changes#{hour}"), hour[:10], 1, free)

    def take_run(self, tenant_id: str, day: str, limit: int, *, synthetic: bool = False) -> bool:
        """One conditional update; when it loses, a second one that tells whether the first was repeated.

        A repetition, because an answer was lost, is known by its mark while nobody else counted in between; else it
        counts twice.
        """
        free = UsageItem.used.does_not_exist() | (UsageItem.used < limit)
        return _take(UsageItem(tenant_id, _synthetic(day) if synthetic else _runs(day)), day, 1, free)

    def take_tokens(self, tenant_id: str, day: str, tokens: int, limit: int) -> bool:
        """In the same way."""
        if limit and tokens > limit:
            return False
        free = UsageItem.used.does_not_exist() | (UsageItem.used <= limit - tokens) if limit else None
        return _take(UsageItem(tenant_id, _tokens(day)), day, tokens, free)

    def settle_tokens(self, tenant_id: str, day: str, difference: int) -> None:
        """In the same way, without a condition of its own."""
        _take(UsageItem(tenant_id, _tokens(day)), day, difference, None)

    def note_run(self, tenant_id: str, day: str) -> None:
        """In memory, until flushed."""
        with self._lock:
            self._noted[tenant_id, day] += 1

    def flush(self) -> None:
        """One update for each tenant and day; those that failed are held back for the next flush.

        NOTE: a count whose answer was lost is counted again. Without a quota nothing hangs on it; see `take_run`.
        """
        with self._lock:
            noted, self._noted = self._noted, Counter()
        errors: list[Exception] = []
        for (tenant_id, day), runs in noted.items():
            try:
                count: list[Action] = [UsageItem.used.add(runs), UsageItem.ttl.set(_expiry(day))]
                UsageItem(tenant_id, _runs(day)).update(count)
            except Exception as error:  # noqa: BLE001 - one tenant's counter must not hold back the others'
                errors.append(error)
                with self._lock:
                    self._noted[tenant_id, day] += runs
        if errors:
            raise errors[0]

    def note_over(self, tenant_id: str, day: str, limit: int) -> None:
        """One put, the first time."""
        item = UsageItem(_over(day), tenant_id, used=limit, ttl=_expiry(day))
        try:
            item.save(condition=UsageItem.pk.does_not_exist() | (UsageItem.used != limit))
        except PutError as error:
            if error.cause_response_code != _LOST:
                raise

    def over(self, day: str) -> dict[str, int]:
        """One query, of nothing on most days."""
        return {item.sk: int(item.used) for item in UsageItem.query(_over(day))}

    def forget_over(self, tenant_id: str, day: str) -> None:
        """One delete."""
        UsageItem(_over(day), tenant_id).delete()


def _take(counter: UsageItem, day: str, amount: int, free: Condition | None) -> bool:
    """Count once, however often the request is repeated, if there is room."""
    mark = secrets.token_urlsafe(_MARK_BYTES)
    is_new = UsageItem.mark.does_not_exist() | (UsageItem.mark != mark)
    count = [UsageItem.used.add(amount), UsageItem.ttl.set(_expiry(day)), UsageItem.mark.set(mark)]
    condition = is_new if free is None else free & is_new
    return _update_if(counter, count, condition) or _update_if(counter, count[1:], UsageItem.mark == mark)


def _update_if(counter: UsageItem, actions: Sequence[Action], condition: Condition) -> bool:
    try:
        counter.update(list(actions), condition=condition)
    except UpdateError as error:
        if error.cause_response_code == _LOST:
            return False
        raise
    return True


def _runs(day: str) -> str:
    return f"runs#{day}"


def _synthetic(day: str) -> str:
    return f"synthetic#{day}"


def _tokens(day: str) -> str:
    return f"tokens#{day}"


def _over(day: str) -> str:
    return f"over#{day}"


def _expiry(day: str) -> int:
    return (date.fromisoformat(day) - date(1970, 1, 1)).days * _DAY_S + _KEPT_S
