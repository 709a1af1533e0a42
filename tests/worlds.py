"""Worlds for tests: the real use cases over fakes that are real code, under a clock that the test owns."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rubato.adapters.memory import (
    MemoryEndpoints,
    MemoryJobs,
    MemoryRunQueue,
    MemoryRuns,
    MemoryTrail,
)
from rubato.adapters.memory_analyses import MemoryAnalyses
from rubato.adapters.memory_custody import MemorySecrets, MemorySigningKeys, MemoryVault
from rubato.adapters.memory_idempotency import MemoryIdempotency
from rubato.adapters.memory_identities import MemoryAgents, MemoryKeys
from rubato.adapters.memory_notifications import MemoryNotifications
from rubato.adapters.memory_rules import MemoryRuleLedgers
from rubato.adapters.memory_tick_workers import MemoryTickWorkers
from rubato.adapters.memory_usage import MemoryUsage
from rubato.adapters.scripted import ScriptedModel
from rubato.domain.access import ALL_SCOPES, ApiKey, Caller, Scope
from rubato.domain.endpoint import Endpoint, EndpointConfig, TargetRequest
from rubato.domain.exchange import Call, Reply
from rubato.domain.hints import ActorKind
from rubato.domain.instant import MINUTE, SECOND
from rubato.domain.jobs import Job
from rubato.domain.limits import Limits
from rubato.domain.schedule import Baseline, IntervalBaseline
from rubato.usecases.add_endpoint import add_endpoint
from rubato.usecases.claim_due import claim_due
from rubato.usecases.create_job import create_job
from rubato.usecases.handle_message import handle_message
from rubato.usecases.manage_keys import KeyDraft, create_key, operator
from rubato.usecases.run_tick import run_tick

MIDNIGHT = 1_735_689_600_000  # 2025-01-01T00:00:00Z
ANNE = Caller(tenant_id="acme", key_id="key_anne", kind=ActorKind.HUMAN, scopes=ALL_SCOPES)
MALLORY = Caller(tenant_id="evil", key_id="key_mallory", kind=ActorKind.HUMAN, scopes=ALL_SCOPES)


class TestClock:
    """A clock that moves only when the test, or a sleeper, moves it."""

    __test__ = False

    def __init__(self, now: int = MIDNIGHT) -> None:
        self.instant = now

    def now(self) -> int:
        """Where the test left it."""
        return self.instant

    def sleep_until(self, instant_ms: int) -> None:
        """Jumps."""
        self.instant = max(self.instant, instant_ms)


class CountedEntropy:
    """Different bytes at each call, the same in each test."""

    def __init__(self) -> None:
        self._calls = 0

    def bytes(self, count: int) -> bytes:
        """Up to 32."""
        self._calls += 1
        return hashlib.sha256(str(self._calls).encode()).digest()[:count]


@dataclass
class ScriptedTarget:
    """Implements ports.Outbound: answers by script and remembers when it was called. `takes_ms` passes on the clock."""

    clock: TestClock
    answer: Callable[[Call], Reply] = lambda _call: Reply(duration_ms=0, status_code=200, body=b"ok")
    takes_ms: int = 0
    calls: list[tuple[int, Call]] = field(default_factory=list)

    def send(self, call: Call) -> Reply:
        """The scripted answer."""
        self.calls.append((self.clock.now(), call))
        reply = self.answer(call)
        self.clock.instant += self.takes_ms
        return reply

    def seconds(self) -> list[float]:
        """When the calls came, in seconds after midnight."""
        return [(at - MIDNIGHT) / SECOND for at, _ in self.calls]


class QuietTelemetry:
    """Implements ports.Telemetry: keeps what it is told."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.warnings: list[str] = []
        self.peaks: dict[str, int] = {}

    def count(self, metric: str, value: int = 1) -> None:
        """Sums up."""
        self.counts[metric] = self.counts.get(metric, 0) + value

    def measure(self, metric: str, milliseconds: int) -> None:
        """Ignored."""

    def peak(self, metric: str, milliseconds: int) -> None:
        """Kept."""
        self.peaks[metric] = max(self.peaks.get(metric, 0), milliseconds)

    def note(self, **fields: Any) -> None:
        """Ignored."""

    def debug(self, message: str, **fields: Any) -> None:
        """Ignored."""

    def info(self, message: str, **fields: Any) -> None:
        """Ignored."""

    def warn(self, message: str, **fields: Any) -> None:
        """Kept."""
        self.warnings.append(message)


class MemoryWorld:
    """Everything in memory."""

    def __init__(self, now: int = MIDNIGHT) -> None:
        self.clock = TestClock(now)
        self.entropy = CountedEntropy()
        self.telemetry = QuietTelemetry()
        self.limits = Limits(allowed_target_cidrs="127.0.0.0/8")
        self.trail = MemoryTrail()
        self.jobs = MemoryJobs(self.trail)
        self.rule_ledgers = MemoryRuleLedgers()
        self.usage = MemoryUsage()
        self.endpoints = MemoryEndpoints(self.trail, self.usage, self.limits.shards)
        self.runs = MemoryRuns()
        self.keys = MemoryKeys(self.trail)
        self.agents = MemoryAgents(self.trail)
        self.vault = MemoryVault()
        self.secrets = MemorySecrets(self.trail)
        self.signing_keys = MemorySigningKeys(self.trail)
        self.idempotency = MemoryIdempotency()
        self.analyses = MemoryAnalyses()
        self.model: Any = ScriptedModel()
        self.queue = MemoryRunQueue()
        self.tick_workers = MemoryTickWorkers()
        self.outbound = ScriptedTarget(self.clock)
        self.notifications = MemoryNotifications()


def a_key(
    world: Any,
    tenant: str = "acme",
    *,
    scopes: frozenset[Scope] = ALL_SCOPES,
    kind: ActorKind = ActorKind.HUMAN,
    label: str = "own",
    **draft: Any,
) -> tuple[ApiKey, str]:
    """A stored key and its token, made by the operator."""
    return create_key(world, operator(tenant), KeyDraft(label=label, kind=kind, scopes=scopes, **draft))


def a_job(world: Any, caller: Caller = ANNE, name: str = "shop") -> Job:
    """A stored job."""
    return create_job(world, caller, Job(job_id="", tenant_id="", name=name, created_at=0, updated_at=0))


def an_endpoint(
    world: Any, baseline: Baseline | None = None, job: Job | None = None, caller: Caller = ANNE, **config: Any
) -> Endpoint:
    """A stored endpoint, by default with an interval of one minute."""
    draft = EndpointConfig(
        endpoint_id="",
        tenant_id="",
        job_id="",
        name=config.pop("name", "probe"),
        request=config.pop("request", TargetRequest(url="http://127.0.0.1/probe")),
        baseline=baseline or IntervalBaseline(MINUTE),
        created_at=0,
        updated_at=0,
        **config,
    )
    return add_endpoint(world, caller, job or a_job(world, caller), draft)


class Stage:
    """Plays a memory world through time: a tick each minute, messages as they become visible."""

    def __init__(self, world: MemoryWorld, ticking: bool = True) -> None:
        self.world = world
        self.ticking = ticking
        self._next_tick = world.clock.now()

    def play(self, until: int) -> None:
        """Everything that happens up to and including `until` (ms)."""
        while (moment := self._next_moment()) is not None and moment <= until:
            self.world.clock.sleep_until(moment)
            if self.ticking and self._next_tick <= self.world.clock.now():
                self.tick()
                self._next_tick += MINUTE
            for message in self.world.queue.receive(self.world.clock.now()):
                handle_message(self.world, message)
        self.world.clock.sleep_until(until)

    def play_seconds(self, seconds: float) -> None:
        """The same, in seconds after midnight."""
        self.play(MIDNIGHT + round(seconds * SECOND))

    def tick(self) -> None:
        """One tick with all its workers, now."""
        deadline = self.world.clock.now() + MINUTE
        run_tick(self.world, deadline)
        while self.world.tick_workers.started:
            claim_due(self.world, self.world.tick_workers.started.pop(), deadline)

    def _next_moment(self) -> int | None:
        moments = [at for at, _ in self.world.queue.waiting]
        if self.ticking:
            moments.append(self._next_tick)
        return min(moments, default=None)
