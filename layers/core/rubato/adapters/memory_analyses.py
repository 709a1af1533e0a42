"""Analyses in memory."""

import threading

from rubato.domain.analysis import Analysis
from rubato.ports import Page


class MemoryAnalyses:
    """Implements ports.Analyses."""

    def __init__(self) -> None:
        self._kept: dict[str, Analysis] = {}
        self._leases: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()

    def begin(self, analysis: Analysis, lease_until: int) -> bool:
        """Both or nothing."""
        with self._lock:
            _, until = self._leases.get(analysis.endpoint_id, ("", 0))
            if until > analysis.started_at:
                return False
            self._leases[analysis.endpoint_id] = (analysis.analysis_id, lease_until)
            self._kept[analysis.analysis_id] = analysis
            return True

    def keep(self, analysis: Analysis) -> None:
        """By id."""
        self._kept[analysis.analysis_id] = analysis

    def drop(self, analysis: Analysis) -> None:
        """By id."""
        self._kept.pop(analysis.analysis_id, None)

    def release(self, analysis: Analysis) -> None:
        """Its own only."""
        with self._lock:
            holder, _ = self._leases.get(analysis.endpoint_id, ("", 0))
            if holder == analysis.analysis_id:
                del self._leases[analysis.endpoint_id]

    def of_endpoint(self, endpoint_id: str, limit: int, after: str | None) -> Page[Analysis]:
        """Newest first."""
        mine = sorted(
            (each for each in self._kept.values() if each.endpoint_id == endpoint_id),
            key=lambda each: each.analysis_id,
            reverse=True,
        )
        rest = [each for each in mine if after is None or each.analysis_id < after]
        return Page(tuple(rest[:limit]), rest[limit - 1].analysis_id if len(rest) > limit else None)
