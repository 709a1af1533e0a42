"""What is asked of the API to keep a picture of a job, and what is new since the last look."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from cli.api import Api
from cli.drawing.changes import changes_in, tell_step
from cli.drawing.series import Series, Window
from cli.watch.history import at, series_of
from rubato.domain.instant import to_iso

Fields = dict[str, Any]

_MOST_RUNS, _MOST_EVENTS, _PAGE = 2_000, 200, 200


class Observer:
    """Looks at a job and remembers what it saw. The audit trail of an endpoint is read when its answer changed."""

    def __init__(self, api: Api, job_id: str, since: int) -> None:
        self._api, self._job_id, self._since = api, job_id, since
        self._runs: dict[str, Fields] = {}
        self._events: dict[str, tuple[Fields, list[Fields]]] = {}
        self._told: set[tuple[Any, ...]] = set()
        self._names: dict[str, str] = {}

    def look(self, now: int) -> list[Series]:
        """Every endpoint of the job, as it stands and as it came there."""
        job = self._api.call("GET", f"/jobs/{self._job_id}")
        endpoints = list(self._api.every(f"/jobs/{self._job_id}/endpoints"))
        self._names = {each["endpointId"]: each["name"] for each in endpoints}
        self._read_runs()
        return [series_of(each, job, self._trail(each), self._runs_of(each["endpointId"]), now) for each in endpoints]

    def news(self, many: list[Series], window: Window) -> Iterator[tuple[int, str]]:
        """(when, line) of each change and each ended run that was not told before, the oldest first."""
        found = [*tell_all_changes(many, window), *self._ended({series.name for series in many}, window)]
        for moment, line in sorted(found):
            if (moment, line) not in self._told:
                self._told.add((moment, line))
                yield moment, line

    def _read_runs(self) -> None:
        """The window at first, later the latest page: older runs have ended and change no more."""
        most = _PAGE if self._runs else _MOST_RUNS
        query = {"jobId": self._job_id, "since": to_iso(self._since)}
        self._runs.update({run["runId"]: run for run in islice(self._api.every("/runs", **query), most)})

    def _runs_of(self, endpoint_id: str) -> list[Fields]:
        found = [run for run in self._runs.values() if run["endpointId"] == endpoint_id]
        return sorted(found, key=lambda run: str(run["slot"]), reverse=True)

    def _trail(self, endpoint: Fields) -> list[Fields]:
        steered = {key: endpoint[key] for key in ("hints", "pausedUntil", "version", "failureCount")}
        known, events = self._events.get(endpoint["endpointId"], ({}, []))
        if known != steered:
            path = f"/endpoints/{endpoint['endpointId']}/events"
            events = list(islice(self._api.every(path), _MOST_EVENTS))
            self._events[endpoint["endpointId"]] = (steered, events)
        return events

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
