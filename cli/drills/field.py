"""Where drills take place: a job, a target that watches, and the report."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
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


def add_endpoints(api: Api, job: str, target: Target, count: int, baseline: dict[str, Any]) -> list[dict[str, Any]]:
    """Add endpoints named 0, 1, ..., each with the target's path of that name; gives them as answered."""

    def add(number: int) -> dict[str, Any]:
        request = {"url": f"{target.url}/{number}"}
        wanted = {"name": str(number), "request": request, "baseline": baseline}
        return api.call("POST", f"/jobs/{job}/endpoints", wanted)

    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(add, range(count)))


def report(facts: dict[str, Any], calls: list[Call]) -> None:
    """Print what was measured against `facts["expected"]` calls; exit 1 unless all came, none early or twice."""
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
