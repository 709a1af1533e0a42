"""How the rules of jobs stand, in DynamoDB: one item a job."""

import secrets
from dataclasses import replace

from pynamodb.exceptions import PutError

from rubato.adapters.dynamodb.tables import LedgerItem
from rubato.adapters.ledger_codec import dump_ledger, load_ledger
from rubato.domain.errors import WriteRaced
from rubato.domain.rule_ledger import Ledger

_LOST = "ConditionalCheckFailedException"
_MARK_BYTES = 6


class DynamoRuleLedgers:
    """Implements ports.RuleLedgers."""

    def get(self, job_id: str) -> Ledger:
        """One consistent read."""
        item = _find(job_id)
        if item is None:
            return Ledger(job_id=job_id)
        return load_ledger(job_id, int(item.version), item.ledger)

    def save(self, before: Ledger, after: Ledger) -> Ledger:
        """One conditional put, which knows itself again when it is repeated because its answer was lost."""
        saved = replace(after, version=before.version + 1)
        mark = secrets.token_urlsafe(_MARK_BYTES)
        item = LedgerItem(job_id=saved.job_id, version=saved.version, ledger=dump_ledger(saved), mark=mark)
        expected = LedgerItem.version == before.version if before.version else LedgerItem.job_id.does_not_exist()
        try:
            item.save(condition=expected)
        except PutError as error:
            if error.cause_response_code != _LOST:
                raise
            stored = _find(saved.job_id)
            if stored is None or stored.mark != mark:
                raise WriteRaced(saved.job_id) from error
        return saved


def _find(job_id: str) -> LedgerItem | None:
    try:
        return LedgerItem.get(job_id, consistent_read=True)
    except LedgerItem.DoesNotExist:
        return None
