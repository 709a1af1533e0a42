"""The same scenario in real time: on a deployment of this machine, with its targets behind a socket of their own."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from cli.api import Api
from cli.drawing.durations import spell
from cli.local.progress import step
from cli.simulate.play.collect import Timescale, collect
from cli.simulate.play.playing import Played, content_of, judge, set_up
from cli.simulate.play.record import Called, Record
from cli.simulate.play.scenario import MINUTE, Scenario, Targets, Visit
from cli.simulate.play.speed import speed_up
from cli.target import Answer, Target

# Emulated functions are processes, and share the processors with all else.
_GRACE_MS = 2_500
_SETTLES_S = 5.0


def play_in_real_time(scenario: Scenario, api: Api, speed: int) -> Played:
    """Play it on that deployment, archive the job, and judge as under the virtual clock, but for some grace."""
    content = speed_up(content_of(scenario), speed)
    lead_in = scenario.lead_in_minutes * MINUTE // speed
    scale = Timescale(begins=_now() + lead_in, speed=speed)
    with TargetServer(scenario.targets(), scale) as server:
        job_id = make_or_leave_nothing(api, content, server.url)
        try:
            first = min(each["createdAt"] for each in api.every(f"/jobs/{job_id}/endpoints"))
            server.scale = scale = Timescale(begins=Timescale(begins=0).read(first) + lead_in, speed=speed)
            _wait_until(scale, scenario)
            calls = [replace(call, at=scale.played(call.at)) for call in server.visited]
            record = collect(api, job_id, calls, scale, until=scenario.ends, grace=_GRACE_MS * speed)
        finally:
            api.call("DELETE", f"/jobs/{job_id}")
    return judge(scenario, record, *_notes(speed), _lateness(record, speed))


def make_or_leave_nothing(api: Api, content: dict[str, Any], base_url: str) -> str:
    """The job's id. What can't be made whole is archived again: it would go on calling targets that are gone."""
    known = {job["jobId"] for job in api.every("/jobs")}
    try:
        return set_up(api, content, base_url)
    except BaseException:
        left = [
            job for job in api.every("/jobs") if job["jobId"] not in known and job["name"] == content["job"]["name"]
        ]
        for job in left:
            api.call("DELETE", f"/jobs/{job['jobId']}")
        raise


class TargetServer(Target):
    """Listens on 127.0.0.1 while used as a context; asks the scenario's targets at the scenario's time.

    `visited` holds every call, at its real instant (ms since the epoch).
    """

    def __init__(self, targets: Targets, scale: Timescale) -> None:
        super().__init__()
        self.visited: list[Called] = []
        self.scale = scale
        self._targets = targets

    def answer(self, path: str, headers: Mapping[str, str], method: str = "GET", body: bytes = b"") -> Answer:
        """The targets' answer, after the time that they take over it."""
        now, attempt = _now(), int(headers.get("Rubato-Attempt") or 0)
        visit = Visit(at=self.scale.played(now), method=method, path=path, body=body or None, attempt=attempt)
        given = self._targets.answer(visit)
        run_id = headers.get("Rubato-Run-Id") or ""
        self.visited.append(Called(at=now, path=path, run_id=run_id, attempt=attempt, said=given.body))
        time.sleep(given.takes_ms / 1000 / self.scale.speed)
        return Answer(status=given.status, text=json.dumps(given.body), headers=given.headers)


def _now() -> int:
    return int(time.time() * 1000)


def _wait_until(scale: Timescale, scenario: Scenario) -> None:
    end_s = scale.epoch(scenario.ends) / 1000 + _SETTLES_S
    ends = datetime.fromtimestamp(end_s).astimezone().strftime("%H:%M:%S")
    with step(f"playing {scenario.lead_in_minutes} + {scenario.minutes} minutes at speed {scale.speed}, until {ends}"):
        time.sleep(max(end_s - time.time(), 0))


def _lateness(record: Record, speed: int) -> str:
    due = {run.run_id: run.due for run in record.runs}
    late_ms = max((call.at - due[call.run_id] for call in record.calls if call.run_id in due), default=0) // speed
    busy = ": this machine is too busy for this speed, so claims may fail that hold elsewhere"
    return f"calls came up to {late_ms} ms after they were due" + (busy if late_ms > _GRACE_MS else "")


def _notes(speed: int) -> tuple[str, ...]:
    divided = (
        "" if speed == 1 else f"; every duration of the blueprint is divided by {speed}, and all times below are its"
    )
    return (
        f"in real time{divided}",
        f"instants may be {_GRACE_MS / 1000:g} s off, which is {spell(_GRACE_MS * speed)} of the scenario: claims"
        " that were measured say so; distances between slots of one hint are planned, and have no such grace",
        "the planner's schedule keeps its own pace",
    )
