"""From the API's answers to a record. The same for an emulated deployment and for a real one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cli.api import Api
from cli.simulate.play.record import Called, Change, Member, Ran, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Timescale:
    """Real instants against the scenario's: minute 0 is `begins` (ms since the epoch), and time runs `speed` times."""

    begins: int
    speed: int = 1

    def played(self, epoch_ms: float) -> int:
        """An instant in ms since minute 0, as the scenario counts."""
        return round((epoch_ms - self.begins) * self.speed)

    def read(self, iso: str) -> int:
        """The same from ISO 8601."""
        return self.played(round(datetime.fromisoformat(iso).timestamp() * 1000))

    def epoch(self, at: int) -> float:
        """Back again."""
        return self.begins + at / self.speed


def collect(
    api: Api, job_id: str, calls: Sequence[Called], scale: Timescale, *, until: int, grace: int = 0, tick: int = 60_000
) -> Record:
    """All that the API tells of the job and its endpoints, and what the targets saw."""
    endpoints = list(api.every(f"/jobs/{job_id}/endpoints"))
    names = {each["endpointId"]: each["name"] for each in endpoints}
    runs = [_ran(each, names, scale) for each in api.every("/runs", jobId=job_id) if each["status"] != "running"]
    changes = [
        _change(event, name, scale)
        for endpoint_id, name in names.items()
        for event in api.every(f"/endpoints/{endpoint_id}/events")
    ]
    return Record(
        members={each["name"]: _member(each, scale) for each in endpoints},
        runs=tuple(sorted(runs, key=lambda run: (run.started, run.endpoint))),
        changes=tuple(sorted(changes, key=_order)),
        calls=tuple(calls),
        job=api.call("GET", f"/jobs/{job_id}"),
        until=until,
        grace=grace,
        tick=tick,
    )


def _order(change: Change) -> tuple[int, bool]:
    """Within one millisecond the trail has no order: what is cleared then was there before."""
    return change.at, change.action == "clearAdaptiveHints"


def _member(each: dict[str, Any], scale: Timescale) -> Member:
    interval = each["baseline"].get("intervalMs")
    return Member(
        name=each["name"],
        tier=each["tier"],
        created_at=scale.read(each["createdAt"]),
        baseline=each["baseline"],
        baseline_ms=None if interval is None else interval * scale.speed,
        clamp=each["clamp"],
        state=each["state"],
        source=each["source"],
        jitter_ms=(each["jitterMs"] or 0) * scale.speed,
        hints=tuple(each["hints"]),
    )


def _ran(each: dict[str, Any], names: dict[str, str], scale: Timescale) -> Ran:
    return Ran(
        endpoint=names[each["endpointId"]],
        run_id=each["runId"],
        slot=scale.read(each["slot"]),
        due=scale.read(each["dueAt"]),
        started=scale.read(each["startedAt"] or each["finishedAt"]),
        finished=scale.read(each["finishedAt"]),
        status=each["status"],
        status_code=each["statusCode"],
        source=each["source"],
        hint_id=each["hintId"],
    )


def _change(each: dict[str, Any], name: str, scale: Timescale) -> Change:
    return Change(
        at=scale.read(each["at"]),
        endpoint=name,
        kind=each["actorKind"],
        author=each["actor"],
        action=each["action"],
        before=_scaled(each["from"], scale),
        after=_scaled(each["to"], scale),
        reason=each["reason"],
    )


_INSTANTS = ("expiresAt", "runAt", "pausedUntil")


def _scaled(told: dict[str, Any], scale: Timescale) -> dict[str, Any]:
    """The times and intervals of hints and pauses in the scenario's own measure."""
    scaled = dict(told)
    for name in _INSTANTS:
        if scaled.get(name) not in (None, "indefinite"):
            scaled[name] = scale.read(scaled[name])
    if scaled.get("intervalMs") is not None:
        scaled["intervalMs"] *= scale.speed
    if isinstance(scaled.get("hints"), list):
        scaled["hints"] = [_scaled(hint, scale) for hint in scaled["hints"]]
    return scaled
