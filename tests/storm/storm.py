"""A storm: several ticks, dispatchers and writers in processes of their own, which die and freeze meanwhile."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cli.local.home import ROOT
from rubato.bootstrap import AwsWorld
from rubato.domain.endpoint import Endpoint
from rubato.domain.jobs import JobStatus
from rubato.domain.quota import day_of
from rubato.usecases.update_job import update_job
from tests.storm import evidence as seen
from tests.storm.callers import TENANT, caller
from tests.storm.cast import Cast, load
from tests.storm.diary import Diary
from tests.storm.evidence import Evidence
from tests.storm.fleet import Fleet, launch
from tests.storm.ground import Ground, adopt, prepared
from tests.storm.script import Deed, blows

_POLL_S = 0.1
_ENTRY_S = 60.0
_OVERDUE_MS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How a storm goes. `blow_s` is the mean time between two blows, `calm_s` how long everybody may recover.

    Blows stop `still_s` before the writers do.
    """

    seed: int
    seconds: float
    ticks: int = 2
    dispatchers: int = 4
    writers: int = 3
    blow_s: float = 4.0
    still_s: float = 0.0
    longest_freeze_s: float = 22.0
    calm_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The evidence, and a summary for people."""

    evidence: Evidence
    summary: dict[str, Any]


def storm(weather: Weather, folder: Path) -> Outcome:
    """Play it, let it calm down, and gather the evidence."""
    began = time.monotonic()
    with prepared(folder) as ground, _target(ground) as url:
        adopt(ground)
        world = ground.world()
        fleet = launch(world, ground, url)
        cast = Cast(ground, weather.seed, Diary(ground.diary("fate")))
        try:
            told = _play(weather, cast, world, fleet)
        finally:
            cast.disband()
        evidence = _gather(world, ground, fleet, *told)
        summary = _summary(weather, ground, evidence, time.monotonic() - began)
    return Outcome(evidence, summary)


def _play(weather: Weather, cast: Cast, world: AwsWorld, fleet: Fleet) -> tuple[list[Endpoint], int]:
    cast.enter("tick", weather.ticks)
    cast.enter("dispatcher", weather.dispatchers)
    cast.enter("writer", weather.writers)
    _wait(cast, _ENTRY_S, cast.have_entered)
    _blow(weather, cast, blows(weather.seed, weather.blow_s, weather.longest_freeze_s))
    cast.leave("writer")
    _calm(weather, cast, world)
    standing, looked_at = seen.endpoints_there(world), world.clock.now()
    for job in (fleet.job, fleet.calm_job):
        _retire(world, job)
    _wait(cast, weather.calm_s, lambda: not any(each.state.claim for each in seen.endpoints_there(world)))
    return standing, looked_at


def _blow(weather: Weather, cast: Cast, fate: Iterator[Deed]) -> None:
    end = time.monotonic() + weather.seconds
    deed, due = next(fate), time.monotonic()
    due += deed.wait_s
    while time.monotonic() < end:
        time.sleep(_POLL_S)
        cast.thaw()
        if time.monotonic() >= due and due < end - weather.still_s:
            verb, role = deed.action.split()
            if verb == "kill":
                cast.kill(role, deed.index)
            else:
                cast.freeze(role, deed.index, deed.given["for_s"])
            deed = next(fate)
            due = time.monotonic() + deed.wait_s


def _calm(weather: Weather, cast: Cast, world: AwsWorld) -> None:
    """Wait until everybody is back, every claim of that moment has moved on (those of the dead: when their lease ends)
    and nothing is overdue; or until it has taken too long."""
    cast.thaw(everything=True)
    _wait(cast, _ENTRY_S, cast.have_entered)
    before = {each.id: each.state.fence for each in seen.endpoints_there(world) if each.state.claim is not None}

    def settled() -> bool:
        now = world.clock.now()
        return not any(_waits(each, before, now) for each in seen.endpoints_there(world))

    _wait(cast, weather.calm_s, settled)


def _waits(endpoint: Endpoint, before: dict[str, int], now: int) -> bool:
    claim, planned = endpoint.state.claim, endpoint.state.next
    if claim is not None:
        return claim.fence == before.get(endpoint.id)
    return planned is not None and planned.due < now - _OVERDUE_MS


def _wait(cast: Cast, at_most_s: float, done: Any) -> None:
    deadline = time.monotonic() + at_most_s
    while not done() and time.monotonic() < deadline:
        assert not cast.fallen(), cast.fallen()
        time.sleep(_POLL_S * 5)


def _retire(world: AwsWorld, job: str) -> None:
    update_job(world, caller("owner"), job, lambda each: replace(each, status=JobStatus.ARCHIVED))


def _gather(world: AwsWorld, ground: Ground, fleet: Fleet, standing: list[Endpoint], looked_at: int) -> Evidence:
    endpoints = seen.endpoints_there(world)
    known = [endpoint.id for endpoint in endpoints]
    return Evidence(
        calls=tuple(seen.calls_logged(ground)),
        runs=tuple(seen.runs_of(world, known)),
        endpoints=tuple(endpoints),
        events=tuple(seen.events_of(world, [*known, fleet.job])),
        writes=tuple(seen.writes_told(ground)),
        freezes=tuple(seen.freezes_told(ground)),
        untouched=frozenset(fleet.calm),
        job_id=fleet.job,
        standing=tuple(standing),
        looked_at=looked_at,
        counted_endpoints=world.usage.of(TENANT, day_of(world.clock.now())).endpoints,
    )


def _summary(weather: Weather, ground: Ground, evidence: Evidence, took_s: float) -> dict[str, Any]:
    fates = Counter(each["fate"] for each in ground.diaries("*") if "fate" in each)
    blown = Counter(each.get("blow") for each in ground.diaries("fate"))
    handled = [each for each in ground.diaries("dispatcher-*") if "handled" in each]
    return {
        "seed": weather.seed,
        "stormS": weather.seconds,
        "tookS": round(took_s),
        "processes": {"tick": weather.ticks, "dispatcher": weather.dispatchers, "writer": weather.writers},
        "writes": len(evidence.writes),
        "writesByStatus": dict(Counter(str(write.status) for write in evidence.writes)),
        "calls": len(evidence.calls),
        "runs": len(evidence.runs),
        "lostAttempts": sum(1 for run in evidence.runs for each in run.attempts if each.error_kind == "lost"),
        "messages": {"handled": sum(each["handled"] for each in handled), **fates},
        "failedMessages": sum(each["failed"] for each in handled),
        "kills": blown["kill"],
        "freezes": blown["freeze"],
        "load": load(),
    }


@contextmanager
def _target(ground: Ground) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.storm.target", str(ground.diary("target"))]
    with (
        (ground.folder / "target.log").open("wb") as log,
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate()


def show(summary: dict[str, Any]) -> str:
    """One line."""
    return json.dumps(summary)
