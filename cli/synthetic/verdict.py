"""Whether a synthetic endpoint is well, from what the API says of it. Pure."""

from dataclasses import dataclass
from typing import Any

from cli.drawing.durations import spell
from rubato.domain.instant import MINUTE, from_iso

# A run ends some time after its slot, and a tick may be a minute late.
_GRACE_MS = MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """`min_success` from 0 to 1; lateness at the 95th percentile, in ms."""

    min_success: float
    max_lateness_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An endpoint within the window. `success_rate` and the times are None without runs; no problems, all is well."""

    name: str
    runs: int = 0
    success_rate: float | None = None
    p95_lateness_ms: int | None = None
    p95_duration_ms: int | None = None
    last_run_at: str | None = None
    problems: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """In the API's spelling."""
        return {
            "name": self.name,
            "runCount": self.runs,
            "successRate": self.success_rate,
            "p95LatenessMs": self.p95_lateness_ms,
            "p95DurationMs": self.p95_duration_ms,
            "lastRunAt": self.last_run_at,
            "problems": list(self.problems),
        }


def missing(name: str) -> Finding:
    """An endpoint that ought to be there."""
    return Finding(name=name, problems=("is not there; `rubato synthetic setup` puts it back",))


def judge(endpoint: dict[str, Any], health: dict[str, Any], bounds: Bounds, now: int) -> Finding:
    """Of the answers of getEndpoint and summarizeEndpointHealth; `now` in ms since the epoch."""
    last = health["lastRun"]
    rest = [_standing(endpoint), _silence(endpoint, health, now), _success(health, bounds), _lateness(health, bounds)]
    return Finding(
        name=endpoint["name"],
        runs=health["runCount"],
        success_rate=health["successRate"],
        p95_lateness_ms=health["p95LatenessMs"],
        p95_duration_ms=health["p95DurationMs"],
        last_run_at=last["startedAt"] if last else None,
        problems=tuple(each for each in rest if each is not None),
    )


def _standing(endpoint: dict[str, Any]) -> str | None:
    return endpoint["whyNotRunning"] if endpoint["state"] in ("paused", "dormant") else None


def _silence(endpoint: dict[str, Any], health: dict[str, Any], now: int) -> str | None:
    """Runs that should have come: without them a good success rate says nothing."""
    every = (health["cadence"] or {}).get("intervalMs")
    if every is None or endpoint["state"] == "running":
        return None
    last = health["lastRun"]
    since = from_iso(last["startedAt"] if last else endpoint["createdAt"], "startedAt")
    if now - since <= 2 * every + _GRACE_MS if last else now - since <= every + _GRACE_MS:
        return None
    ago = f"for {spell(now - since)}" if last else "since it was made"
    return f"has not run {ago}, though it should every {spell(every)}"


def _success(health: dict[str, Any], bounds: Bounds) -> str | None:
    rate = health["successRate"]
    if rate is None or rate >= bounds.min_success:
        return None
    return f"{rate:.1%} of its runs succeeded, less than {bounds.min_success:.0%}"


def _lateness(health: dict[str, Any], bounds: Bounds) -> str | None:
    late = health["p95LatenessMs"]
    if late is None or late <= bounds.max_lateness_ms:
        return None
    return f"began {spell(late)} late (p95), more than {spell(bounds.max_lateness_ms)}"
