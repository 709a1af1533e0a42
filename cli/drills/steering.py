"""Drills of steering: is each change of tempo effective when it should be, by the clock of the target?"""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated, Any

import typer

from cli.api import Api, Key, Url
from cli.drills.field import PARALLEL, add_endpoints, drilling, report
from cli.local.progress import step
from cli.target import Answer, Call, Target

_POLL_S = 0.02
_HOUR_MS = 3_600_000
_FAILURES = 3
# In units of the interval, from the first run on: fail, fail, fail, succeed, succeed.
_BACKOFF_TABLE = [0, 2, 6, 14, 15]


def one_shots(
    url: Url,
    key: Key,
    count: Annotated[int, typer.Option(min=1, help="How many one-shots, each on an endpoint of its own.")] = 100,
    spread: Annotated[int, typer.Option(min=1, help="Seconds over which their times are spread.")] = 30,
) -> None:
    """One-shots on sleeping endpoints: is each called exactly once, and never before its time?"""
    with drilling(url, key) as (api, job, target):
        with step(f"adding {count} sleeping endpoints"):
            ids = [each["endpointId"] for each in add_endpoints(api, job, target, count, {"manual": True})]
        begin = time.time() * 1000 + 10_000 + count * 30
        asked = [int(begin) + number * spread * 1000 // count for number in range(count)]
        with step(f"asking for a one-shot each, over {spread} s"), ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(lambda each: _one_shot_at(api, *each), zip(ids, asked, strict=True)))
        with step("waiting for the last one, and for a second call of any"):
            _sleep_until(asked[-1] + 15_000)
        calls = list(target.seen)
    wanted = {f"/{number}": at for number, at in enumerate(asked)}
    assert all(call.slot == wanted[call.path] for call in calls), "a one-shot ran under another slot"
    report({"drill": "one-shots", "expected": count}, calls)


def tempo(url: Url, key: Key) -> None:
    """An hourly endpoint: a 10 s hint, a one-shot in 5 s, clear, pause and resume; when did each take effect?"""
    with drilling(url, key) as (api, job, target):
        endpoint = add_endpoints(api, job, target, 1, {"intervalMs": _HOUR_MS})[0]["endpointId"]
        told = {
            "hint of 10 s": _hinted(api, target, endpoint),
            "one-shot in 5 s": _shot(api, target, endpoint),
            "cleared": _silenced(api, target, endpoint, lambda: api.call("DELETE", f"/endpoints/{endpoint}/hints")),
            "paused": _paused(api, target, endpoint),
            "resumed": _resumed(api, target, endpoint),
        }
    typer.echo(json.dumps({"drill": "tempo", "steps": told}))
    if not all(step["ok"] for step in told.values()):
        raise typer.Exit(1)


def backoff(
    url: Url,
    key: Key,
    every: Annotated[float, typer.Option(min=1, help="Interval in seconds; the table takes fifteen of them.")] = 2,
) -> None:
    """A target that fails three times and recovers: do the runs come as the table of the semantics says?"""
    failing: Callable[[Call], Answer] = lambda call: Answer(503 if call.count <= _FAILURES else 200)  # noqa: E731
    with drilling(url, key, {"/0": failing}) as (api, job, target), step(f"watching for {every * 17:g} s"):
        add_endpoints(api, job, target, 1, {"intervalMs": round(every * 1000)})
        _wait(lambda: len(target.seen) >= len(_BACKOFF_TABLE), every * 17 + 5)
        calls = list(target.seen)[: len(_BACKOFF_TABLE)]
    slots = [round((call.slot - calls[0].slot) / every / 1000, 3) for call in calls]
    facts = {"drill": "backoff", "everyS": every, "slots": slots, "table": _BACKOFF_TABLE}
    report({**facts, "expected": len(_BACKOFF_TABLE)}, calls)
    if slots != _BACKOFF_TABLE:
        raise typer.Exit(1)


def _one_shot_at(api: Api, endpoint: str, at: int) -> None:
    run_at = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
    api.call("POST", f"/endpoints/{endpoint}/hints/one-shot", {"runAt": run_at})


def _hinted(api: Api, target: Target, endpoint: str) -> dict[str, Any]:
    asked = api.call("POST", f"/endpoints/{endpoint}/hints/interval", {"intervalMs": 10_000, "ttlMinutes": 5})
    calls = _calls_after(target, 0, 2, 25)
    gaps = [later.slot - call.slot for call, later in pairwise(calls)]
    return _told(calls, gaps == [10_000] and bool(calls) and calls[0].slot == _instant(asked["nextRunAt"]))


def _shot(api: Api, target: Target, endpoint: str) -> dict[str, Any]:
    known = len(target.seen)
    asked = api.call("POST", f"/endpoints/{endpoint}/hints/one-shot", {"runInMs": 5000})
    at = _instant(asked["hint"]["runAt"])
    calls = [call for call in _calls_after(target, known, 2, 15) if call.slot == at]
    return _told(calls, len(calls) == 1)


def _silenced(api: Api, target: Target, endpoint: str, act: Callable[[], Any]) -> dict[str, Any]:
    act()
    known = len(target.seen)
    time.sleep(12)
    following = _instant(api.call("GET", f"/endpoints/{endpoint}")["nextRunAt"])
    return {"ok": len(target.seen) == known and following > time.time() * 1000 + 60_000, "calls": 0}


def _paused(api: Api, target: Target, endpoint: str) -> dict[str, Any]:
    api.call("POST", f"/endpoints/{endpoint}/hints/interval", {"intervalMs": 2000, "ttlMinutes": 5})
    _calls_after(target, len(target.seen), 2, 10)
    api.call("POST", f"/endpoints/{endpoint}/pause", {"pauseUntil": "indefinite"})
    time.sleep(1)  # a run that was in flight may end
    known = len(target.seen)
    time.sleep(6)
    return {"ok": len(target.seen) == known, "calls": len(target.seen) - known}


def _resumed(api: Api, target: Target, endpoint: str) -> dict[str, Any]:
    known, asked = len(target.seen), time.time() * 1000
    api.call("POST", f"/endpoints/{endpoint}/pause", {"pauseUntil": None})
    calls = _calls_after(target, known, 1, 5)
    return {**_told(calls, bool(calls)), "afterAskingMs": round(calls[0].at - asked) if calls else None}


def _told(calls: list[Call], ok: bool) -> dict[str, Any]:
    late = [round(call.lateness_ms, 1) for call in calls]
    return {"ok": ok and min(late, default=-1) >= 0, "latenessMs": late}


def _calls_after(target: Target, known: int, count: int, within_s: float) -> list[Call]:
    _wait(lambda: len(target.seen) >= known + count, within_s)
    return list(target.seen)[known:]


def _wait(until: Callable[[], bool], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not until() and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _sleep_until(instant_ms: float) -> None:
    time.sleep(max(instant_ms / 1000 - time.time(), 0))


def _instant(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
