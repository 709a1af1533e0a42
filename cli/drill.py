"""`rubato drill`: put the promises to the test on a stack of this machine, and print what was measured as JSON."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from cli.api import Api, Key, Url, is_loopback
from cli.local.progress import step
from cli.target import Call, Target
from cli.trouble import Trouble

app = typer.Typer(help="Measure a local stack: is each run on time, once, and never lost?", no_args_is_help=True)

_POLL_S = 0.25
_PARALLEL = 4


@app.command()
def interval(
    url: Url,
    key: Key,
    every: Annotated[float, typer.Option(min=1, help="Interval in seconds.")] = 5,
    seconds: Annotated[int, typer.Option(min=10, help="How long to watch.")] = 120,
    count: Annotated[int, typer.Option(min=1, help="How many endpoints.")] = 1,
) -> None:
    """Endpoints on a short interval: lateness by the target's clock; early, doubled and missing calls."""
    with _drilling(url, key) as (api, job, target):
        step_ms = round(every * 1000)
        with step(f"watching {count} endpoints every {every:g} s for {seconds} s"):
            first_slots = _add(api, job, target, count, {"intervalMs": step_ms})
            # Slots of the last interval may still be on their way when the watch ends: they don't count.
            last = time.time() * 1000 + (seconds - every) * 1000
            time.sleep(seconds)
        calls = [call for call in list(target.seen) if call.slot <= last]
    expected = sum(int(last - first) // step_ms + 1 for first in first_slots if first <= last)
    _report({"drill": "interval", "everyS": every, "endpoints": count, "expected": expected}, calls)


@app.command()
def herd(
    url: Url,
    key: Key,
    count: Annotated[int, typer.Option(min=1, help="How many endpoints.")] = 100,
    within: Annotated[int, typer.Option(min=10, help="Seconds to wait after the slot.")] = 120,
) -> None:
    """Endpoints that are all due at one second: are all called once, and how long does it take to the last?"""
    with _drilling(url, key) as (api, job, target):
        # Beyond the look-ahead, so that the tick claims them; on a whole minute, as cron has it.
        due = datetime.now(UTC) + timedelta(seconds=180 + count // _PARALLEL)
        due = due.replace(second=0, microsecond=0)
        with step(f"adding {count} endpoints for {due:%H:%M}"):
            _add(api, job, target, count, {"cron": f"{due.minute} {due.hour} * * *"})
        with step("waiting for the slot and the last call"):
            deadline = due.timestamp() + within
            while len(target.seen) < count and time.time() < deadline:
                time.sleep(_POLL_S)
        calls = list(target.seen)
    _report({"drill": "herd", "endpoints": count, "expected": count}, calls)


@contextmanager
def _drilling(url: str, key: str) -> Iterator[tuple[Api, str, Target]]:
    if not is_loopback(url):
        raise Trouble("drills aim at the local stack only; start one with `rubato local up`")
    with Api(url, key) as api, Target() as target:
        job = str(api.call("POST", "/jobs", {"name": "drill", "tags": ["drill"]})["jobId"])
        try:
            yield api, job, target
        finally:
            api.call("DELETE", f"/jobs/{job}")


def _add(api: Api, job: str, target: Target, count: int, baseline: dict[str, Any]) -> list[float]:
    """Add the endpoints; gives the first slot of each, in ms."""

    def add(number: int) -> float:
        request = {"url": f"{target.url}/{number}"}
        wanted = {"name": str(number), "request": request, "baseline": baseline}
        made = api.call("POST", f"/jobs/{job}/endpoints", wanted)
        return datetime.fromisoformat(made["nextRunAt"]).timestamp() * 1000

    with ThreadPoolExecutor(_PARALLEL) as pool:
        return list(pool.map(add, range(count)))


def _report(facts: dict[str, Any], calls: list[Call]) -> None:
    lateness = sorted(call.lateness_ms for call in calls)
    slots = {(call.path, call.slot) for call in calls}
    measured = {
        "called": len(calls),
        "early": sum(1 for late in lateness if late < 0),
        "doubled": len(calls) - len(slots),
        "missing": facts["expected"] - len(slots),
        "latenessMs": {
            name: round(lateness[min(int(len(lateness) * share), len(lateness) - 1)], 1)
            for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
        }
        if lateness
        else None,
    }
    typer.echo(json.dumps({**facts, **measured}))
    if not lateness or any(measured[name] for name in ("early", "doubled", "missing")):
        raise typer.Exit(1)
