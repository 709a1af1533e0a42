"""Where drills take place: a job, a target that watches, and the report."""

import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import typer

from cli.api import Api, is_loopback
from cli.target import Call, Route, Target
from cli.trouble import Trouble

PARALLEL = 4


@contextmanager
def drilling(url: str, key: str, routes: Mapping[str, Route] | None = None) -> Iterator[tuple[Api, str, Target]]:
    """A job of its own and a target on this machine, for as long as the context lasts. For the local stack only."""
    if not is_loopback(url):
        raise Trouble("drills aim at the local stack only; start one with `rubato local up`")
    with Api(url, key) as api, Target(routes) as target:
        job = str(api.call("POST", "/jobs", {"name": "drill", "tags": ["drill"]})["jobId"])
        try:
            yield api, job, target
        finally:
            api.call("DELETE", f"/jobs/{job}")


def add_endpoints(
    api: Api, job: str, target: Target, count: int, baseline: dict[str, Any], **more: Any
) -> list[dict[str, Any]]:
    """Add endpoints named 0, 1, ..., each with the target's path of that name; gives them as answered."""

    def add(number: int) -> dict[str, Any]:
        request = {"url": f"{target.url}/{number}"}
        wanted = {"name": str(number), "request": request, "baseline": baseline, **more}
        return api.call("POST", f"/jobs/{job}/endpoints", wanted)

    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(add, range(count)))


def slots_until(made: list[dict[str, Any]], step_ms: int, last: float) -> int:
    """How many slots these endpoints, as answered when they were added, have up to `last` (ms since the epoch)."""
    first_slots = [datetime.fromisoformat(each["nextRunAt"]).timestamp() * 1000 for each in made]
    return sum(int(last - first) // step_ms + 1 for first in first_slots if first <= last)


def lateness_of(calls: list[Call]) -> dict[str, float] | None:
    """Percentiles of the lateness, in ms; None without calls."""
    late = sorted(call.lateness_ms for call in calls)
    if not late:
        return None
    shares = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
    return {name: round(late[min(int(len(late) * share), len(late) - 1)], 1) for name, share in shares}


def measured(expected: int, calls: list[Call]) -> dict[str, Any]:
    """Calls against what was expected of them: early, doubled, missing, and how late."""
    slots = {(call.path, call.slot) for call in calls}
    return {
        "called": len(calls),
        "early": sum(1 for call in calls if call.lateness_ms < 0),
        "doubled": len(calls) - len(slots),
        "missing": expected - len(slots),
        "latenessMs": lateness_of(calls),
        "load": machine_load(),
    }


def kept(told: dict[str, Any], at_most_ms: dict[str, float] | None = None) -> bool:
    """Whether what was `measured` is whole: none early, twice or missing, and the percentiles named not above these."""
    late = told["latenessMs"]
    whole = late is not None and not any(told[name] for name in ("early", "doubled", "missing"))
    return whole and all(late[name] <= bound for name, bound in (at_most_ms or {}).items())


def report(facts: dict[str, Any], calls: list[Call], at_most_ms: dict[str, float] | None = None) -> None:
    """Print what was measured against `facts["expected"]` calls; exit 1 unless it was `kept`."""
    told = measured(facts["expected"], calls)
    tell({**facts, **told}, kept(told, at_most_ms))


def tell(facts: dict[str, Any], ok: bool) -> None:
    """Print what was found; exit 1 unless it is as promised."""
    typer.echo(json.dumps({**facts, "ok": ok}))
    if not ok:
        raise typer.Exit(1)


def machine_load() -> float:
    """The load average of the last minute: others on this machine make figures worse."""
    return round(os.getloadavg()[0], 1)
