"""Drills of rhythms: is each run on time, once, and never lost?"""

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from cli.api import Key, Url
from cli.drills.field import PARALLEL, add_endpoints, drilling, report, slots_until
from cli.local.progress import step

_POLL_S = 0.25


def interval(
    url: Url,
    key: Key,
    every: Annotated[float, typer.Option(min=1, help="Interval in seconds.")] = 5,
    seconds: Annotated[int, typer.Option(min=10, help="How long to watch.")] = 120,
    count: Annotated[int, typer.Option(min=1, help="How many endpoints.")] = 1,
) -> None:
    """Endpoints on a short interval: lateness by the target's clock; early, doubled and missing calls."""
    with drilling(url, key) as (api, job, target):
        step_ms = round(every * 1000)
        with step(f"watching {count} endpoints every {every:g} s for {seconds} s"):
            made = add_endpoints(api, job, target, count, {"intervalMs": step_ms})
            # Slots of the last interval may still be on their way when the watch ends: they don't count.
            last = time.time() * 1000 + (seconds - every) * 1000
            time.sleep(seconds)
        calls = [call for call in list(target.seen) if call.slot <= last]
    expected = slots_until(made, step_ms, last)
    report({"drill": "interval", "everyS": every, "endpoints": count, "expected": expected}, calls)


def herd(
    url: Url,
    key: Key,
    count: Annotated[int, typer.Option(min=1, help="How many endpoints.")] = 100,
    within: Annotated[int, typer.Option(min=10, help="Seconds to wait after the slot.")] = 120,
) -> None:
    """Endpoints that are all due at one second: are all called once, and how long does it take to the last?"""
    with drilling(url, key) as (api, job, target):
        # Beyond the look-ahead, so that the tick claims them; on a whole minute, as cron has it.
        due = datetime.now(UTC) + timedelta(seconds=180 + count // PARALLEL)
        due = due.replace(second=0, microsecond=0)
        with step(f"adding {count} endpoints for {due:%H:%M}"):
            add_endpoints(api, job, target, count, {"cron": f"{due.minute} {due.hour} * * *"})
        with step("waiting for the slot and the last call"):
            deadline = due.timestamp() + within
            while len(target.seen) < count and time.time() < deadline:
                time.sleep(_POLL_S)
        calls = list(target.seen)
    report({"drill": "herd", "endpoints": count, "expected": count}, calls)
