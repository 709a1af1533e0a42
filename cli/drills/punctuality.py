"""The drill of the promise: endpoints on a rhythm, how late is each call by the target's own clock?"""

import time
from contextlib import ExitStack
from typing import Annotated

import typer

from cli.api import Api, Key, Url
from cli.drills.field import add_endpoints, drilling, report, slots_until
from cli.drills.seeding import plot_of, seeded
from cli.local.progress import step
from cli.target import Target
from rubato.domain.instant import to_iso
from rubato.domain.schedule import IntervalBaseline

_AT_MOST_MS = {"p50": 100.0, "p99": 500.0}
# The tick comes once a minute and looks two minutes ahead.
LEAD_MS = 75_000


def punctuality(
    url: Url,
    key: Key,
    endpoints: Annotated[int, typer.Option(min=1, help="How many endpoints.")] = 60,
    every: Annotated[float, typer.Option(min=1, help="Interval in seconds.")] = 10,
    seconds: Annotated[int, typer.Option(min=10, help="How long to watch.")] = 180,
    together: Annotated[bool, typer.Option("--together", help="All slots at one moment, not as made.")] = False,
) -> None:
    """Lateness of many endpoints on a rhythm: none early, doubled or missing, p50 within 0.1 s, p99 within 0.5 s."""
    step_ms = round(every * 1000)
    with ExitStack() as until_then:
        api, job, target = until_then.enter_context(drilling(url, key))
        with step(f"adding {endpoints} endpoints"):
            first, made = _made(until_then, api, job, target, endpoints, step_ms, together)
        time.sleep(max(first / 1000 - time.time(), 0))
        with step(f"watching {endpoints} endpoints every {every:g} s for {seconds} s"):
            last = time.time() * 1000 + (seconds - every) * 1000
            time.sleep(seconds)
        calls = [call for call in list(target.seen) if call.slot <= last]
    facts = {"drill": "punctuality", "everyS": every, "endpoints": endpoints, "together": together}
    report({**facts, "expected": slots_until(made, step_ms, last)}, calls, _AT_MOST_MS)


def _made(
    until_then: ExitStack, api: Api, job: str, target: Target, count: int, step_ms: int, together: bool
) -> tuple[float, list[dict[str, str]]]:
    """When watching may begin (ms), and the endpoints with their first slots."""
    now = round(time.time() * 1000)
    if not together:
        return now, add_endpoints(api, job, target, count, {"intervalMs": step_ms})
    # On a whole second, as many people's rhythms are.
    anchor = (now + LEAD_MS) // 1000 * 1000 - step_ms
    seeds = seeded(plot_of(api, job), count, target.url, now, lambda _: (IntervalBaseline(step_ms), anchor))
    until_then.enter_context(seeds)
    return anchor + step_ms, [{"nextRunAt": to_iso(anchor + step_ms)}] * count
