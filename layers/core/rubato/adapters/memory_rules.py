"""How rules stand, in memory."""

import threading
from dataclasses import replace

from rubato.domain.errors import WriteRaced
from rubato.domain.rule_ledger import Ledger


class MemoryRuleLedgers:
    """Implements ports.RuleLedgers."""

    def __init__(self) -> None:
        self._ledgers: dict[str, Ledger] = {}
        self._lock = threading.Lock()

    def get(self, job_id: str) -> Ledger:
        """By the job's id."""
        return self._ledgers.get(job_id, Ledger(job_id=job_id))

    def save(self, before: Ledger, after: Ledger) -> Ledger:
        """Conditional on the version."""
        with self._lock:
            if self.get(after.job_id).version != before.version:
                raise WriteRaced(after.job_id)
            saved = replace(after, version=before.version + 1)
            self._ledgers[saved.job_id] = saved
            return saved
