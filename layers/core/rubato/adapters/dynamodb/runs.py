"""The history of runs in DynamoDB: one item a run, written once; one index, by job."""

import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.condition import Condition

from rubato.adapters import codec
from rubato.adapters.dynamodb.run_items import RUN_SUMMARY, RunItem
from rubato.adapters.dynamodb.tables import whole
from rubato.domain import ids
from rubato.domain.endpoint import RunStatus, Source
from rubato.domain.exchange import ErrorKind
from rubato.domain.runs import Run
from rubato.ports import Page, RunFilter

_LOST = "ConditionalCheckFailedException"
# A filter that matches little must not read a whole history in one request: after this many pages the answer is what
# was found so far, with a cursor.
_MAX_PAGES = 25
_PAGE = 400
# An item may have 400 KB; the rest of a run needs little of it.
_MAX_DETAIL_BYTES = 380_000
_SUMMARY = ["endpointId", "runId", "jobId", "order", *RUN_SUMMARY]


class DynamoRuns:
    """Implements ports.Runs. `retention_s` is how long runs stay readable."""

    def __init__(self, retention_s: int) -> None:
        self._retention_s = retention_s

    def record(self, run: Run) -> None:
        """One conditional put."""
        newest = RunItem.run_id.does_not_exist() | (RunItem.attempt <= run.attempt)
        try:
            _item(run, self._retention_s).save(condition=newest)
        except PutError as error:
            if error.cause_response_code != _LOST:
                raise
            self.record_late(run)

    def record_late(self, run: Run) -> None:
        """An attribute beside the outcome; a record of its own while the newer attempt has none yet."""
        told = {"attempt": run.attempt, "status": run.status.value, "finishedAt": run.finished_at}
        try:
            item = _item(run, self._retention_s)
            item.late = told
            item.save(condition=RunItem.run_id.does_not_exist())
        except PutError as lost:
            if lost.cause_response_code != _LOST:
                raise
            # An attempt that is on record already, because only the end of its run came too late, is no late one.
            other = RunItem.run_id.exists() & (RunItem.attempt != run.attempt)
            try:
                RunItem(run.endpoint_id, run.run_id).update([RunItem.late.set(told)], condition=other)
            except UpdateError as error:
                if error.cause_response_code != _LOST:
                    raise

    def get(self, run_id: str) -> Run | None:
        """One read by key: the id names its endpoint."""
        endpoint_id = ids.endpoint_of_run(run_id)
        if endpoint_id is None:
            return None
        try:
            return _load(RunItem.get(endpoint_id, run_id, consistent_read=True))
        except RunItem.DoesNotExist:
            return None

    def of_endpoint(self, endpoint_id: str, wanted: RunFilter, limit: int, after: str | None) -> Page[Run]:
        """The endpoint's partition, newest first."""
        low, high = _bounds(wanted, after)
        if low > high:
            return Page(())
        prefix = ids.run_prefix(endpoint_id)
        position = RunItem.run_id.between(prefix + low, prefix + high[: ids.RUN_TAIL_LENGTH])
        return _collect(endpoint_id, position, None, wanted, limit, after)

    def of_job(self, job_id: str, wanted: RunFilter, limit: int, after: str | None) -> Page[Run]:
        """The index by job, newest first."""
        low, high = _bounds(wanted, after)
        if low > high:
            return Page(())
        return _collect(job_id, RunItem.order.between(low, high), "byJob", wanted, limit, after)


def _bounds(wanted: RunFilter, after: str | None) -> tuple[str, str]:
    high = ids.slot_code(max(wanted.until, 0)) if wanted.until is not None else "~"
    return ids.slot_code(max(wanted.since or 0, 0)), min(high, after or "~")


def _collect(
    hash_key: str, position: Condition, index: str | None, wanted: RunFilter, limit: int, after: str | None
) -> Page[Run]:
    query: Callable[..., dict[str, Any]] = RunItem._get_connection().query
    found: list[Run] = []
    start: Any = None
    for _ in range(_MAX_PAGES):
        answer = query(
            hash_key,
            range_key_condition=position,
            filter_condition=_condition(wanted),
            index_name=index,
            exclusive_start_key=start,
            limit=_PAGE if wanted.status or wanted.source else limit + 1,
            scan_index_forward=False,
            attributes_to_get=_SUMMARY,
        )
        runs = (_load(RunItem.from_raw_data(item)) for item in answer["Items"])
        found += [run for run in runs if after is None or ids.run_order(run.run_id) < after]
        start = answer.get("LastEvaluatedKey")
        if start is None or len(found) > limit:
            break
    if len(found) > limit:
        return Page(tuple(found[:limit]), ids.run_order(found[limit - 1].run_id))
    return Page(tuple(found), ids.run_order(start["runId"]["S"]) if start else None)


def _condition(wanted: RunFilter) -> Condition | None:
    condition: Condition | None = None
    if wanted.status is not None:
        condition = RunItem.status == wanted.status.value
    if wanted.source is not None:
        source = RunItem.source == wanted.source.value
        condition = source if condition is None else condition & source
    return condition


def _item(run: Run, retention_s: int) -> RunItem:
    return RunItem(
        endpoint_id=run.endpoint_id,
        run_id=run.run_id,
        job_id=run.job_id,
        order=ids.run_order(run.run_id),
        tenant_id=run.tenant_id,
        status=run.status.value,
        source=run.source.value,
        slot=run.slot,
        due_at=run.due_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        status_code=run.status_code,
        error_kind=run.error_kind.value if run.error_kind else None,
        error_message=run.error_message,
        attempt=run.attempt,
        hint_id=run.hint_id,
        detail=_pack(run),
        ttl=run.slot // 1000 + retention_s,
    )


def _pack(run: Run) -> bytes:
    """Compressed; a body that would not fit into an item is cut further, and marked so."""
    response = run.response
    while True:
        detail = {
            "hint": codec.dump_hint(run.hint),
            "attempts": [codec.dump_attempt(attempt) for attempt in run.attempts],
            "request": codec.dump_sent(run.request),
            "response": codec.dump_received(response),
        }
        packed = zlib.compress(json.dumps(detail, separators=(",", ":"), ensure_ascii=False).encode())
        if len(packed) <= _MAX_DETAIL_BYTES or response is None or not (response.body or response.headers):
            return packed
        headers = response.headers if response.body else ()
        response = replace(response, body=response.body[: len(response.body) // 2], headers=headers, truncated=True)


def _load(item: RunItem) -> Run:
    detail: dict[str, Any] = json.loads(zlib.decompress(item.detail)) if item.detail else {}
    return Run(
        run_id=item.run_id,
        tenant_id=item.tenant_id,
        job_id=item.job_id,
        endpoint_id=item.endpoint_id,
        slot=int(item.slot),
        due_at=int(item.due_at),
        source=Source(item.source),
        status=RunStatus(item.status),
        started_at=whole(item.started_at),
        attempt=int(item.attempt),
        finished_at=whole(item.finished_at),
        hint_id=item.hint_id,
        hint=codec.load_hint(detail.get("hint")),
        error_kind=ErrorKind(item.error_kind) if item.error_kind else None,
        error_message=item.error_message,
        status_code=whole(item.status_code),
        attempts=tuple(codec.load_attempt(plain) for plain in detail.get("attempts", ())),
        request=codec.load_sent(detail.get("request")),
        response=codec.load_received(detail.get("response")),
        is_late=item.late is not None and item.late["attempt"] == int(item.attempt),
    )
