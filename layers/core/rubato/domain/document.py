"""The document that a job's rules look at, built from what was read. Pure: plain JSON values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rubato.domain import governor
from rubato.domain.endpoint import Endpoint, EndpointState
from rubato.domain.instant import SECOND, to_iso
from rubato.domain.jobs import Job
from rubato.domain.rule_ledger import Ledger, RuleState
from rubato.domain.runs import Run
from rubato.domain.whole_text import whole_json

# A body that is longer is no JSON worth a rule's time; as text, its beginning is enough.
MAX_BODY = 65_536
MAX_TEXT = 4_096
MAX_BODY_DEPTH = 50
_HALVES = "\\ud"  # how halves of surrogate pairs are spelled
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What was read of one endpoint: always its state; the others where an expression asks for them."""

    state: EndpointState
    endpoint: Endpoint | None = None
    run: Run | None = None
    runs_last_hour: int | None = None


def build_document(job: Job, ledger: Ledger, observed: Mapping[str, Observed], now: int) -> dict[str, Any]:
    """The whole document at `now` (ms); `observed` by the endpoint's name."""
    local = (_EPOCH + timedelta(milliseconds=now)).astimezone(ZoneInfo(job.timezone))
    return {
        "endpoints": {name: _endpoint(each, now) for name, each in observed.items()},
        "job": {
            "jobId": job.job_id,
            "name": job.name,
            "status": job.status.value,
            "tags": list(job.tags),
            "owner": job.owner,
            "isSynthetic": job.is_synthetic,
        },
        "rules": {rule.name: _rule(ledger.state_of(rule), now) for rule in job.rules},
        "now": to_iso(now),
        "minuteOfDay": local.hour * 60 + local.minute,
        "weekday": local.isoweekday(),
    }


def read_body(text: str, truncated: bool = False) -> Any:
    """The JSON value that an answer is; for anything else its text, cut. Too much nesting is text, too."""
    if len(text) <= MAX_BODY and not truncated:
        try:
            value = json.loads(text, parse_constant=lambda _: None)
            if _is_shallow(value):
                return value if _HALVES not in text.lower() else whole_json(value)
        except (ValueError, RecursionError):
            pass
    return text[:MAX_TEXT]


def _endpoint(observed: Observed, now: int) -> dict[str, Any]:
    state, last = observed.state, observed.state.last_run
    run = observed.run
    paused = state.is_paused(now)
    return {
        "status": last.status.value if last is not None else None,
        "statusCode": run.status_code if run is not None else None,
        "body": _body(run),
        "durationMs": max(last.finished_at - last.started_at, 0) if last is not None else None,
        "failureStreak": state.failures,
        "failureCount": state.failures,
        "lastRunAt": to_iso(last.started_at) if last is not None else None,
        "ageSeconds": max(now - last.started_at, 0) // SECOND if last is not None else None,
        "runsLastHour": observed.runs_last_hour,
        "cadenceMs": _cadence_ms(observed.endpoint, now) if observed.endpoint is not None else None,
        "source": "paused" if paused else _source(state),
        "paused": paused,
    }


def _body(run: Run | None) -> Any:
    if run is None or run.response is None:
        return None
    return read_body(run.response.body, run.response.truncated)


def _source(state: EndpointState) -> str | None:
    """As getEndpoint shows it: why the next run is due when it is."""
    return state.next.source.value if state.next is not None else None


def _cadence_ms(endpoint: Endpoint, now: int) -> int | None:
    """The gap between the next two slots of the cadence in force; None for one that draws none."""
    cadence = governor.cadence_at(now, endpoint)
    first = cadence.grid.next_after(now) if cadence is not None else None
    second = cadence.grid.next_after(first) if cadence is not None and first is not None else None
    return second - first if first is not None and second is not None else None


def _rule(state: RuleState, now: int) -> dict[str, Any]:
    fired = state.fired_at
    return {
        "firedCount": state.fired_count,
        "lastFiredAgo": max(now - fired, 0) // SECOND if fired is not None else None,
        "heldSeconds": state.held_ms(now) // SECOND,
    }


def _is_shallow(value: Any) -> bool:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_BODY_DEPTH:
            return False
        nested = [each for each in level if isinstance(each, dict | list)]
        level = [item for each in nested for item in (each.values() if isinstance(each, dict) else each)]
    return True
