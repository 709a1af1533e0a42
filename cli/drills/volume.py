"""Drills of volume: how much does the stack of this machine hold, and does it lose anything?"""

import json
import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.api import Key, Url
from cli.drills.field import drilling, kept, measured, tell
from cli.drills.punctuality import LEAD_MS
from cli.drills.seeding import plot_of, seeded
from cli.local.progress import step
from cli.target import Call, Target
from cli.trouble import Trouble
from rubato.domain.cron import CronExpression
from rubato.domain.schedule import CronBaseline, IntervalBaseline

_POLL_S = 0.25
_SEEDS_PER_S = 60
_LOOK_AHEAD_S = 130
_TICK_S = 62
_HELD_P99_MS = 1000.0
_LEAST_RATE = 5


def flood(
    url: Url,
    key: Key,
    count: Annotated[int, typer.Option(min=1, help="How many endpoints.")] = 10_000,
    within: Annotated[int, typer.Option(min=10, help="Seconds to wait after the slot.")] = 1200,
) -> None:
    """Thousands of endpoints due at one second: are all called once, and how long does it take to the last?"""
    due = _whole_minute(time.time() + count / _SEEDS_PER_S + _LOOK_AHEAD_S)
    at = datetime.fromtimestamp(due, UTC)
    rhythm = CronBaseline(CronExpression.parse(f"{at.minute} {at.hour} * * *", "UTC"))
    with drilling(url, key) as (api, job, target):
        now = round(time.time() * 1000)
        with seeded(plot_of(api, job), count, target.url, now, lambda _: (rhythm, now)):
            seeding_s = _seeded_by(now, due)
            with step(f"waiting for {at:%H:%M} and the last of {count} calls"):
                _await(target, count, due + within)
                time.sleep(5)  # for a second call of any
            calls = list(target.seen)
    told = measured(count, calls)
    facts = {"drill": "flood", "endpoints": count, "expected": count, "seedingS": round(seeding_s, 1)}
    tell({**facts, **told, **_pace(calls, due)}, kept(told))


def steady(
    url: Url,
    key: Key,
    rate: Annotated[float, typer.Option(min=1, help="Runs per second.")] = 200,
    seconds: Annotated[int, typer.Option(min=10, help="How long to watch.")] = 60,
    every: Annotated[float, typer.Option(min=1, help="Interval of each endpoint, in seconds.")] = 10,
    find: Annotated[bool, typer.Option("--find", help="Halve the rate until it is held.")] = False,
) -> None:
    """A steady rate of runs: held when none is early, doubled or missing and p99 of the lateness is within a second."""
    tries = []
    while True:
        told = _at_rate(url, key, rate, seconds, every)
        held = kept(told, {"p99": _HELD_P99_MS})
        tries.append({"rate": rate, "held": held, **told})
        typer.echo(json.dumps(tries[-1]), err=True)
        if held or not find or rate / 2 < _LEAST_RATE:
            break
        rate /= 2
    tell({"drill": "steady", "everyS": every, "seconds": seconds, "tries": tries}, held)


def _at_rate(url: str, key: str, rate: float, seconds: int, every: float) -> dict[str, Any]:
    count, step_ms = round(rate * every), round(every * 1000)
    with drilling(url, key) as (api, job, target):
        now = round(time.time() * 1000)
        begin = now + LEAD_MS + count * 1000 // _SEEDS_PER_S
        plot = plot_of(api, job)

        def rhythm(number: int) -> tuple[IntervalBaseline, int]:
            return IntervalBaseline(step_ms), begin - step_ms + number * step_ms // count

        with seeded(plot, count, target.url, now, rhythm), step(f"{rate:g} runs a second for {seconds} s"):
            _seeded_by(now, begin / 1000)
            time.sleep(max(begin / 1000 - time.time(), 0) + seconds + 2)
            last = begin + seconds * 1000
            calls = [call for call in list(target.seen) if call.slot < last]
    return measured(round(rate * seconds), calls)


def _seeded_by(began: int, due: float) -> float:
    """How long seeding took, in seconds; raises Trouble when it left the tick too little time before `due`."""
    now = time.time()
    if due - now < _TICK_S:
        raise Trouble(f"seeding took {now - began / 1000:.0f} s, too long for this machine; ask for fewer")
    return now - began / 1000


def _pace(calls: list[Call], due: float) -> dict[str, Any]:
    if not calls:
        return {}
    last_s = max(call.at for call in calls) / 1000 - due
    return {"lastAfterS": round(last_s, 1), "callsPerS": round(len(calls) / last_s, 1)}


def _await(target: Target, count: int, deadline: float) -> None:
    while len(target.seen) < count and time.time() < deadline:
        time.sleep(_POLL_S)


def _whole_minute(instant_s: float) -> float:
    return (instant_s // 60 + 1) * 60
