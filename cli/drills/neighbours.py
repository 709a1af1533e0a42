"""Drills of bad neighbours: a target that is slow or dead must not delay the others."""

import socket
import threading
import time
from datetime import datetime
from typing import Annotated, Any

import typer

from cli.api import Api, Key, Url
from cli.drills.field import add_endpoints, drilling, kept, measured, slots_until, tell
from cli.local.progress import step
from cli.target import Answer, Call, Target

_FAST_MS = 2000
_FAST_P99_MS = 1000.0
_SLOW_TIMEOUT_MS = 60_000
_SETTLE_S = 5
# In units of the interval, from the first run on: each failure doubles the gap.
_DEAD_SLOTS = [0, 2, 6, 14, 30]


def slow(
    url: Url,
    key: Key,
    fast: Annotated[int, typer.Option(min=1, help="How many fast endpoints, every 2 s.")] = 10,
    slow: Annotated[int, typer.Option(min=1, help="How many slow ones; more than there are dispatchers.")] = 12,
    answer_s: Annotated[float, typer.Option(min=1, max=50, help="How long a slow target takes.")] = 30,
    seconds: Annotated[int, typer.Option(min=20, help="How long to watch, each time.")] = 90,
) -> None:
    """Slow targets among fast ones: how late are the fast ones without them, with them, and while they are new?

    What the slow ones hold before anybody knows them is told, and judged only for runs early or doubled: as many of
    them at once as there are dispatchers hold all of these for a call.
    """
    over = threading.Event()

    def drag(_call: Call) -> Answer:
        over.wait(answer_s)
        return Answer()

    with drilling(url, key, {f"/slow/{number}": drag for number in range(slow)}) as (api, job, target):
        made = add_endpoints(api, job, target, fast, {"intervalMs": _FAST_MS})
        alone = _watched(target, made, seconds, "alone")
        _add_slow(api, job, target, slow)
        new = _watched(target, made, round(answer_s) + 2 * _SETTLE_S, f"beside {slow} slow ones that are new")
        beside = _watched(target, made, seconds, f"beside {slow} slow ones")
        dragged = sum(1 for call in list(target.seen) if call.path.startswith("/slow/"))
        over.set()
    facts = {"drill": "slow", "fast": fast, "slow": slow, "answerS": answer_s, "slowCalls": dragged}
    fine = not (new["early"] or new["doubled"]) and kept(beside, {"p99": _FAST_P99_MS})
    tell({**facts, "alone": alone, "whileNew": new, "beside": beside}, fine)


def dead(
    url: Url,
    key: Key,
    every: Annotated[float, typer.Option(min=1, help="Interval in seconds; the drill takes 32 of them.")] = 2,
    dead: Annotated[int, typer.Option(min=1, help="How many endpoints whose target refuses connections.")] = 5,
    alive: Annotated[int, typer.Option(min=1, help="How many endpoints whose target answers, every 2 s.")] = 5,
) -> None:
    """A dead target: do its runs back off as the semantics say, and are the others on time meanwhile?"""
    with drilling(url, key) as (api, job, target):
        made = add_endpoints(api, job, target, alive, {"intervalMs": _FAST_MS})
        gone = [_add_dead(api, job, number, every) for number in range(dead)]
        beside = _watched(target, made, round(every * 32) + 5, f"beside {dead} dead ones")
        tables = [_failures(api, endpoint, every) for endpoint in gone]
    backed_off = all(table == {"slots": _DEAD_SLOTS, "errorKinds": ["connect"]} for table in tables)
    facts = {"drill": "dead", "everyS": every, "table": _DEAD_SLOTS, "dead": tables, "backedOff": backed_off}
    tell({**facts, "alive": beside}, backed_off and kept(beside, {"p99": _FAST_P99_MS}))


def _watched(target: Target, made: list[dict[str, Any]], seconds: int, how: str) -> dict[str, Any]:
    """Lateness of the fast ones whose slots fall into the next `seconds`, the last of their intervals aside."""
    begin = time.time() * 1000
    with step(f"watching fast endpoints {how} for {seconds} s"):
        time.sleep(seconds)
    last = begin + seconds * 1000 - 2 * _FAST_MS
    paths = {f"/{number}" for number in range(len(made))}
    calls = [call for call in list(target.seen) if call.path in paths and begin < call.slot <= last]
    return measured(slots_until(made, _FAST_MS, last) - slots_until(made, _FAST_MS, begin), calls)


def _add_slow(api: Api, job: str, target: Target, count: int) -> None:
    for number in range(count):
        request = {"url": f"{target.url}/slow/{number}"}
        wanted = {"name": f"slow {number}", "request": request, "timeoutMs": _SLOW_TIMEOUT_MS}
        api.call("POST", f"/jobs/{job}/endpoints", {**wanted, "baseline": {"intervalMs": 1000 + number}})


def _add_dead(api: Api, job: str, number: int, every: float) -> str:
    request = {"url": f"http://127.0.0.1:{_closed_port()}/"}
    wanted = {"name": f"dead {number}", "request": request, "baseline": {"intervalMs": round(every * 1000)}}
    return str(api.call("POST", f"/jobs/{job}/endpoints", wanted)["endpointId"])


def _failures(api: Api, endpoint: str, every: float) -> dict[str, Any]:
    runs = list(api.every("/runs", endpointId=endpoint, status="failure"))[::-1][: len(_DEAD_SLOTS)]
    slots = [datetime.fromisoformat(run["slot"]).timestamp() for run in runs]
    return {
        "slots": [round((slot - slots[0]) / every, 3) for slot in slots],
        "errorKinds": sorted({str(run["errorKind"]) for run in runs}),
    }


def _closed_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
