"""Analyses in DynamoDB: a partition for each endpoint, with its analyses and the lease on it."""

import json
import zlib
from typing import Any

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import DeleteError, TransactWriteError
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from rubato.adapters.dynamodb.tables import SCHEMA_VERSION, BaseMeta
from rubato.domain.analysis import Analysis, Outcome, ToolUse
from rubato.domain.conversation import ModelFault
from rubato.domain.ids import ANALYSIS_PREFIX
from rubato.ports import Page

_LOST = "ConditionalCheckFailedException"
_LEASE = "lease"
_LEASE_KEPT_S = 86_400


class AnalysisItem(Model):
    """One analysis; or, under the id `lease`, who has the endpoint and until when (ms).

    `detail` is zlib-compressed JSON: all that an analysis tells.
    """

    class Meta(BaseMeta):
        """Bound by Analyses."""

    endpoint_id = UnicodeAttribute(hash_key=True, attr_name="endpointId")
    analysis_id = UnicodeAttribute(range_key=True, attr_name="analysisId")
    tenant_id = UnicodeAttribute(attr_name="tenantId")
    detail = BinaryAttribute(null=True, legacy_encoding=False)
    holder = UnicodeAttribute(null=True)
    until = NumberAttribute(null=True)
    ttl = NumberAttribute()
    v = NumberAttribute(default=SCHEMA_VERSION)


class DynamoAnalyses:
    """Implements ports.Analyses. `retention_s` is how long analyses stay readable."""

    def __init__(self, connection: Connection, retention_s: int) -> None:
        self._connection = connection
        self._retention_s = retention_s

    def begin(self, analysis: Analysis, lease_until: int) -> bool:
        """Lease and analysis in one transaction."""
        lease = _lease_item(analysis, lease_until)
        free = AnalysisItem.holder.does_not_exist() | (AnalysisItem.until <= analysis.started_at)
        try:
            with TransactWrite(connection=self._connection) as write:
                write.save(lease, condition=free)
                write.save(_item(analysis, self._retention_s))
        except TransactWriteError as error:
            if any(error.cancellation_reasons):
                # The repetition of itself, whose first answer was lost, is no loss.
                return _holder_of(analysis.endpoint_id) == analysis.analysis_id
            raise
        return True

    def keep(self, analysis: Analysis) -> None:
        """One put."""
        _item(analysis, self._retention_s).save()

    def drop(self, analysis: Analysis) -> None:
        """One delete."""
        _item(analysis, self._retention_s).delete()

    def release(self, analysis: Analysis) -> None:
        """One conditional delete."""
        try:
            _lease_item(analysis, 0).delete(condition=AnalysisItem.holder == analysis.analysis_id)
        except DeleteError as error:
            if error.cause_response_code != _LOST:
                raise

    def of_endpoint(self, endpoint_id: str, limit: int, after: str | None) -> Page[Analysis]:
        """The endpoint's partition, newest first, without its lease."""
        start = {"endpointId": {"S": endpoint_id}, "analysisId": {"S": after}} if after is not None else None
        query = AnalysisItem.query(
            endpoint_id,
            range_key_condition=AnalysisItem.analysis_id.startswith(ANALYSIS_PREFIX),
            scan_index_forward=False,
            limit=limit,
            last_evaluated_key=start,
            consistent_read=True,
        )
        found = tuple(_load(item) for item in query)
        last = query.last_evaluated_key
        return Page(found, last["analysisId"]["S"] if last else None)


def _holder_of(endpoint_id: str) -> str | None:
    try:
        return AnalysisItem.get(endpoint_id, _LEASE, consistent_read=True).holder
    except AnalysisItem.DoesNotExist:
        return None


def _lease_item(analysis: Analysis, until: int) -> AnalysisItem:
    return AnalysisItem(
        endpoint_id=analysis.endpoint_id,
        analysis_id=_LEASE,
        tenant_id=analysis.tenant_id,
        holder=analysis.analysis_id,
        until=until,
        ttl=until // 1000 + _LEASE_KEPT_S,
    )


def _item(analysis: Analysis, retention_s: int) -> AnalysisItem:
    detail = json.dumps(_dump(analysis), separators=(",", ":"), ensure_ascii=False)
    return AnalysisItem(
        endpoint_id=analysis.endpoint_id,
        analysis_id=analysis.analysis_id,
        tenant_id=analysis.tenant_id,
        # NOTE: what a model or a target says may hold half a surrogate pair, which UTF-8 can't spell.
        detail=zlib.compress(detail.encode(errors="replace")),
        ttl=analysis.started_at // 1000 + retention_s,
    )


def _dump(analysis: Analysis) -> dict[str, Any]:
    plain = {
        "jobId": analysis.job_id,
        "model": analysis.model,
        "startedAt": analysis.started_at,
        "finishedAt": analysis.finished_at,
        "dryRun": analysis.is_dry_run,
        "outcome": analysis.outcome.value,
        "reasoning": analysis.reasoning,
        "confidence": analysis.confidence,
        "nextInMs": analysis.next_analysis_in_ms,
        "calls": [[use.name, use.arguments, use.result, int(use.is_error)] for use in analysis.calls],
        "ignored": analysis.ignored_calls,
        "tokens": [analysis.input_tokens, analysis.output_tokens],
        "cost": analysis.cost,
        "error": analysis.error,
        "fault": analysis.fault.value if analysis.fault else None,
        "retryAfterS": analysis.retry_after_s,
    }
    return {name: value for name, value in plain.items() if value is not None}


def _load(item: AnalysisItem) -> Analysis:
    plain: dict[str, Any] = json.loads(zlib.decompress(item.detail))
    return Analysis(
        analysis_id=item.analysis_id,
        tenant_id=item.tenant_id,
        job_id=plain["jobId"],
        endpoint_id=item.endpoint_id,
        model=plain["model"],
        started_at=plain["startedAt"],
        is_dry_run=plain["dryRun"],
        finished_at=plain.get("finishedAt"),
        outcome=Outcome(plain["outcome"]),
        reasoning=plain.get("reasoning"),
        confidence=plain.get("confidence"),
        next_analysis_in_ms=plain.get("nextInMs"),
        calls=tuple(
            ToolUse(name=name, arguments=arguments, result=result, is_error=bool(is_error))
            for name, arguments, result, is_error in plain["calls"]
        ),
        ignored_calls=plain["ignored"],
        input_tokens=plain["tokens"][0],
        output_tokens=plain["tokens"][1],
        cost=plain.get("cost"),
        error=plain.get("error"),
        fault=ModelFault(plain["fault"]) if plain.get("fault") else None,
        retry_after_s=plain.get("retryAfterS"),
    )
