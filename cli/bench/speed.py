"""How fast one worker is: claims of a tick, dispatches of a dispatcher, decisions of the governor.

Ticks and dispatchers run in this process, with their threads, over an emulator of their own; so the figures are those
of the emulator and of this machine, good for comparing one commit with another.
"""

import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import boto3

from cli.bench.kinds import OWNER, a_job, add
from cli.bench.stage import MIDNIGHT, DelayedQueue, Silence, create_queues
from cli.bench.tables import create_tables
from cli.local import emulator
from cli.local.home import Home
from cli.target import Target
from rubato.adapters.clock import SystemClock
from rubato.adapters.sqs import SqsRunQueue
from rubato.bootstrap import AwsWorld
from rubato.domain import governor
from rubato.domain.cron import CronExpression
from rubato.domain.endpoint import Clamp, Endpoint, EndpointConfig, EndpointState, TargetRequest
from rubato.domain.hints import Actor, ActorKind, Hint, HintKind
from rubato.domain.instant import HOUR, MINUTE, SECOND
from rubato.domain.limits import Limits
from rubato.domain.messages import Message
from rubato.domain.schedule import Baseline, CronBaseline, IntervalBaseline
from rubato.settings import Settings
from rubato.usecases.claim_due import claim_due
from rubato.usecases.create_job import create_job
from rubato.usecases.handle_message import handle_message

_ENDPOINTS = 200
_BATCH = 10
_PLAN_S = 0.5
Fact = dict[str, Any]


@dataclass
class AheadClock(SystemClock):
    """The system's clock, put ahead."""

    ahead_ms: int = 0

    def now(self) -> int:
        """As if it were later."""
        return super().now() + self.ahead_ms

    def sleep_until(self, instant_ms: int) -> None:
        """Never for longer than it must."""
        super().sleep_until(instant_ms - self.ahead_ms)


def worker_facts() -> Iterator[Fact]:
    """Hourly endpoints due together: a tick's claims, the next tick passing by, then dispatches in batches of ten."""
    with _emulated() as (world, queue), Target({}) as target:
        clock: Any = world.clock
        due = _add_endpoints(world, target)
        clock.ahead_ms = due - 30 * SECOND - SystemClock().now()
        tick = partial(claim_due, world, range(world.limits.shards))
        claiming = _effort(lambda: tick(clock.now() + MINUTE))
        passing = _effort(lambda: tick(clock.now() + MINUTE))
        clock.ahead_ms = due - SystemClock().now()
        messages = queue.delayed.receive(due + MINUTE)
        batches = [messages[start : start + _BATCH] for start in range(0, len(messages), _BATCH)]
        dispatching = _effort(partial(_dispatch_all, world, batches))
        called = len(target.seen)
    over = {"over": "ministack on this machine", "endpoints": _ENDPOINTS}
    yield {"bench": "claims", **over, **claiming.of(len(messages), "perSecondPerTick")}
    yield {"bench": "passes", **over, **passing.of(len(messages), "perSecondPerTick")}
    yield {"bench": "dispatches", **over, "batch": _BATCH, **dispatching.of(called, "perSecondPerDispatcher")}


def plan_facts() -> Iterator[Fact]:
    """Decisions of the governor, each for half a second."""
    for state, endpoint in _planned():
        calls, began = 0, time.perf_counter()
        while time.perf_counter() - began < _PLAN_S:
            governor.plan(MIDNIGHT + calls * SECOND, endpoint)
            calls += 1
        yield {"bench": "plan", "state": state, "perSecond": round(calls / (time.perf_counter() - began))}


def _planned() -> Iterator[tuple[str, Endpoint]]:
    actor = Actor(id="bench", kind=ActorKind.AGENT)
    hint = Hint(
        hint_id="hint_1",
        kind=HintKind.INTERVAL,
        author=actor,
        created_at=MIDNIGHT,
        expires_at=MIDNIGHT + 100 * 365 * 24 * HOUR,
        first_slot=MIDNIGHT,
        interval_ms=5 * SECOND,
        reason=None,
    )
    plain = _an_endpoint(IntervalBaseline(MINUTE))
    yield "interval", plain
    yield "interval, clamped", replace(plain, config=replace(plain.config, clamp=Clamp(min_interval_ms=90 * SECOND)))
    yield "hinted", replace(plain, hints=(hint,))
    yield "ten hints", replace(plain, hints=tuple(replace(hint, hint_id=f"hint_{n}") for n in range(10)))
    yield "cron", _an_endpoint(CronBaseline(CronExpression.parse("*/15 9-17 * * 1-5", "Europe/Berlin")))


def _an_endpoint(baseline: Baseline) -> Endpoint:
    config = EndpointConfig(
        endpoint_id="ep_1",
        tenant_id="acme",
        job_id="job_1",
        name="bench",
        request=TargetRequest(url="https://example.com/"),
        baseline=baseline,
        created_at=MIDNIGHT,
        updated_at=MIDNIGHT,
    )
    return Endpoint(config=config, state=EndpointState(anchor=MIDNIGHT, last_slot=MIDNIGHT))


def _add_endpoints(world: AwsWorld, target: Target) -> int:
    job = create_job(world, OWNER, a_job())
    request = TargetRequest(url=f"{target.url}/bench")
    made = [add(world, job, str(n), IntervalBaseline(HOUR), request=request) for n in range(_ENDPOINTS)]
    return max(each.state.next.due for each in made if each.state.next is not None)


def _dispatch_all(world: AwsWorld, batches: Sequence[Sequence[Message]]) -> None:
    for batch in batches:
        with ThreadPoolExecutor(_BATCH) as pool:
            list(pool.map(lambda message: handle_message(world, message), batch))
        world.usage.flush()


class Effort(NamedTuple):
    """Time on the wall, the emulator's included, and of this process's own processor."""

    wall_s: float
    cpu_s: float

    def of(self, count: int, rate: str) -> Fact:
        """How many in a second, by this name, and the CPU of each."""
        return {rate: round(count / self.wall_s), "cpuMsEach": round(self.cpu_s / count * 1000, 2)}


def _effort(act: Callable[[], object]) -> Effort:
    began, busy = time.perf_counter(), time.process_time()
    act()
    return Effort(time.perf_counter() - began, time.process_time() - busy)


@contextmanager
def _emulated() -> Iterator[tuple[AwsWorld, DelayedQueue]]:
    with tempfile.TemporaryDirectory() as folder:
        home = Home.at(_free_port(), Path(folder))
        emulator.start(home)
        try:
            yield _open(home.port)
        finally:
            emulator.stop(home)


def _open(port: int) -> tuple[AwsWorld, DelayedQueue]:
    reached = emulator.credentials(port)
    names = create_tables(boto3.client("dynamodb", **reached))
    queues: Any = boto3.client("sqs", **reached)
    queue = DelayedQueue(SqsRunQueue(queues, create_queues(queues)))
    settings = Settings(
        tables=names,
        region=reached["region_name"],
        retention_s=86_400,
        limits=Limits(allowed_target_cidrs="127.0.0.0/8", shards=1),  # pages as full as those of a busy deployment
        credentials={
            "host": reached["endpoint_url"],
            "aws_access_key_id": reached["aws_access_key_id"],
            "aws_secret_access_key": reached["aws_secret_access_key"],
        },
    )
    world = AwsWorld(settings, clock=AheadClock(), telemetry=Silence(), queue=queue)
    world.open("endpoints", "runs", "jobs", "outbound", "usage")
    return world, queue


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
