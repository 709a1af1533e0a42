"""From figures to answers."""

from dataclasses import asdict
from typing import Any

from rubato.domain import governor
from rubato.domain.endpoint import Endpoint, Source
from rubato.domain.schedule import EveryGrid, spell_baseline
from rubato.interface.outputs.health import CadenceView, HealthLastRun, HealthView
from rubato.usecases.summarize_health import HealthReport

_NO_CADENCE: dict[str, Any] = dict.fromkeys(("intervalMs", "cron", "timezone", "after"))


def health_view(report: HealthReport, window_hours: int, now: int) -> HealthView:
    """The figures of a window beside the endpoint's state at `now`."""
    endpoint, state = report.endpoint, report.endpoint.state
    last = state.last_run
    return HealthView(
        endpoint_id=endpoint.id,
        window_hours=window_hours,
        since=report.since,
        truncated=report.truncated,
        **asdict(report.health),
        failure_streak=state.failures,
        skipped_count=state.skipped,
        missed_count=state.missed,
        last_run=HealthLastRun(run_id=last.run_id, status=last.status, started_at=last.started_at) if last else None,
        cadence=cadence_view(endpoint, now),
    )


def cadence_view(endpoint: Endpoint, now: int) -> CadenceView | None:
    """The rhythm that rules at `now`; None when dormant."""
    cadence = governor.cadence_at(now, endpoint)
    spelled = spell_baseline(endpoint.config.baseline)
    if cadence is None:
        return None
    if isinstance(cadence.grid, EveryGrid):
        # Not as configured: a hint or a backoff may rule.
        spelled = {"intervalMs": cadence.grid.step_ms}
    return _cadence(spelled, cadence.source, cadence.hint.expires_at if cadence.hint else None)


def _cadence(spelled: dict[str, Any], source: Source, until: int | None = None) -> CadenceView:
    return CadenceView(**{**_NO_CADENCE, **spelled}, source=source, until=until)
