"""What is asked of the API to keep a picture of a job, and what is new since the last look."""

from collections.abc import Iterator
from http import HTTPStatus
from itertools import islice
from typing import Any

from cli.api import Api, Refusal
from cli.drawing.changes import changes_in, tell_step
from cli.drawing.series import Series, Window
from cli.watch.history import at, series_of
from rubato.domain.instant import to_iso

Fields = dict[str, Any]

_MOST_RUNS, _MOST_EVENTS, _PAGE = 2_000, 200, 200


class Observer:
    """Looks at a job and remembers what it saw in the last `span` ms.

    The audit trail of an endpoint is read when its answer changed.
    """

    def __init__(self, api: Api, job_id: str, span: int) -> None:
        self._api, self._job_id, self._span = api, job_id, span
        self._runs: dict[str, Fields] = {}
        self._events: dict[str, tuple[Fields, list[Fields]]] = {}
        self._told: set[tuple[int, str]] = set()
        self._names: dict[str, str] = {}

    def look(self, now: int) -> list[Series]:
        """Every endpoint of the job, as it stands and as it came there."""
        job = self._api.call("GET", f"/jobs/{self._job_id}")
        endpoints = list(self._api.every(f"/jobs/{self._job_id}/endpoints"))
        self._names = {each["endpointId"]: each["name"] for each in endpoints}
        self._events = {known: trail for known, trail in self._events.items() if known in self._names}
        self._read_runs(now - self._span)
        return [series_of(each, job, self._trail(each), self._runs_of(each["endpointId"]), now) for each in endpoints]

    def news(self, many: list[Series], window: Window) -> Iterator[tuple[int, str]]:
        """(when, line) of each change and each ended run that was not told before, the oldest first."""
        self._told = {told for told in self._told if told[0] >= window.since}
        found = [*tell_all_changes(many, window), *self._ended({series.name for series in many}, window)]
        for moment, line in sorted(found):
            if (moment, line) not in self._told:
                self._told.add((moment, line))
                yield moment, line

    def _read_runs(self, since: int) -> None:
        """The window at first, later the latest page, and each run that was in flight and is beyond it now."""
        most = _PAGE if self._runs else _MOST_RUNS
        query = {"jobId": self._job_id, "since": to_iso(since)}
        latest = {run["runId"]: run for run in islice(self._api.every("/runs", **query), most)}
        open_still = [run for known, run in self._runs.items() if not run["finishedAt"] and known not in latest]
        self._runs |= latest | {run["runId"]: self._again(run) for run in open_still}
        self._runs = {
            known: run for known, run in self._runs.items() if not run["finishedAt"] or at(run["finishedAt"]) >= since
        }

    def _again(self, run: Fields) -> Fields:
        """As it stands now, of what a list tells. One whose retention is over ended, whenever that was."""
        try:
            details = self._api.call("GET", f"/runs/{run['runId']}")
        except Refusal as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise
            return {**run, "finishedAt": run["slot"]}
        return {name: details[name] for name in run}

    def _runs_of(self, endpoint_id: str) -> list[Fields]:
        found = [run for run in self._runs.values() if run["endpointId"] == endpoint_id]
        return sorted(found, key=lambda run: str(run["slot"]), reverse=True)

    def _trail(self, endpoint: Fields) -> list[Fields]:
        steered = {key: endpoint[key] for key in ("hints", "pausedUntil", "version", "failureCount")}
        known, events = self._events.get(endpoint["endpointId"], ({}, []))
        if known != steered:
            events = self._read_trail(endpoint["endpointId"])
            self._events[endpoint["endpointId"]] = (steered, events)
        return events

    def _read_trail(self, endpoint_id: str) -> list[Fields]:
        try:
            return list(islice(self._api.every(f"/endpoints/{endpoint_id}/events"), _MOST_EVENTS))
        except Refusal as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise
            # Deleted since it was listed; the next look lists it no more.
            return []

    def _ended(self, names: set[str], window: Window) -> Iterator[tuple[int, str]]:
        for run in self._runs.values():
            name = self._names.get(run["endpointId"])
            if name in names and run["finishedAt"] and window.since <= (ended := at(run["finishedAt"])) < window.until:
                said = run["statusCode"] or run["errorKind"] or ""
                yield ended, f"{window.label(ended)}  {name}  {run['status']} {said} ({run['source']})"


def tell_all_changes(many: list[Series], window: Window) -> list[tuple[int, str]]:
    """(when, line) of each change of a tempo within the window, the oldest first."""
    return sorted(
        (step.at, f"{window.label(step.at)}  {series.name}  {tell_step(step)}")
        for series in many
        for step in changes_in(series, window)
    )
