"""Playing runs over the real adapters, with a clock, a target and a queue's delays that the bench owns.

DynamoDB and SQS are moto's, in this process. Messages become visible as SQS would have it; a batch of them is handled
as by one dispatcher: its threads begin together, and it is billed until the last one ends.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import boto3

from cli.bench.meter import Meter
from cli.bench.tables import create_tables, describe_tables
from rubato.adapters.memory import MemoryRunQueue
from rubato.adapters.sqs import SqsRunQueue, open_client
from rubato.bootstrap import AwsWorld
from rubato.domain.exchange import Call, Reply
from rubato.domain.instant import MINUTE
from rubato.domain.lane import Lane
from rubato.domain.limits import Limits
from rubato.domain.messages import Message
from rubato.settings import Settings
from rubato.usecases.handle_message import handle_message
from rubato.usecases.run_tick import run_tick

REGION = "us-east-1"
MIDNIGHT = 1_735_689_600_000  # 2025-01-01T00:00:00Z
TARGET_MS = 200
# Neither on a whole minute nor on a whole second, as EventBridge has it.
_TICK_OFFSET_MS = 13_500
_RETENTION_S = 30 * 86_400
_ENDS = ("success", "failure", "synthetic_success", "synthetic_failure", "gated", "lease_lost")


class Clock:
    """Implements ports.Clock: moves when somebody sleeps."""

    def __init__(self) -> None:
        self.instant = MIDNIGHT

    def now(self) -> int:
        """Where it stands."""
        return self.instant

    def sleep_until(self, instant_ms: int) -> None:
        """Jumps."""
        self.instant = max(self.instant, instant_ms)


class CountingEntropy:
    """Implements ports.Entropy: different at each call, the same in each bench."""

    def __init__(self) -> None:
        self._calls = 0

    def bytes(self, count: int) -> bytes:
        """The number of the call."""
        self._calls += 1
        return self._calls.to_bytes(count, "big")


class Target:
    """Implements ports.Outbound: answers as `answer` says, after TARGET_MS."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.answer: Callable[[Call], Reply] = answer_ok

    def send(self, call: Call) -> Reply:
        """The answer."""
        self._clock.instant += TARGET_MS
        return self.answer(call)


class Silence:
    """Implements ports.Telemetry: logs are not measured."""

    def peak(self, metric: str, milliseconds: int) -> None:
        """Ignored."""

    def note(self, **fields: object) -> None:
        """Ignored."""

    def debug(self, message: str, **fields: object) -> None:
        """Ignored."""

    def count(self, metric: str, value: int = 1) -> None: ...
    def measure(self, metric: str, milliseconds: int) -> None: ...
    def info(self, message: str, **fields: Any) -> None: ...
    def warn(self, message: str, **fields: Any) -> None: ...


class DelayedQueue:
    """Implements ports.RunQueue: sends to SQS, and keeps what was sent until the bench's clock makes it visible."""

    def __init__(self, queue: SqsRunQueue) -> None:
        self._queue = queue
        self.delayed = MemoryRunQueue()

    def send(self, messages: Sequence[Message], now: int) -> list[Message]:
        """Through the adapter."""
        unsent = self._queue.send(messages, now)
        self.delayed.send([message for message in messages if message not in unsent], now)
        return unsent


def create_queues(client: Any) -> dict[Lane, str]:
    """One for each lane; gives their addresses."""
    return {lane: client.create_queue(QueueName=f"runs-{lane.value}")["QueueUrl"] for lane in Lane}


class Stage:
    """A world, its meter, and time. `batch` is how many messages a dispatcher gets at once."""

    def __init__(self, world: AwsWorld, meter: Meter, queue: DelayedQueue, batch: int) -> None:
        self.world, self.meter = world, meter
        self.clock: Any = world.clock
        self.target: Any = world.outbound
        self._queue, self._batch = queue, batch
        self._next_tick = MIDNIGHT + _TICK_OFFSET_MS
        self.forget()

    def forget(self) -> None:
        """Begin to count anew."""
        self.meter.bills.clear()
        self.runs = self.batches = self.ticks = self.worker_ms = 0

    def play_until(self, done: Callable[[], bool]) -> None:
        """Ticks and messages in their order, until `done`."""
        while not done():
            due = min((at for at, _ in self._queue.delayed.waiting), default=self._next_tick)
            self.clock.sleep_until(min(due, self._next_tick))
            if self._next_tick <= self.clock.now():
                self._tick()
            else:
                self._receive()

    def _tick(self) -> None:
        self._next_tick += MINUTE
        self.ticks += 1
        with self.meter.charging("tick"):
            run_tick(self.world, self.clock.now() + MINUTE)

    def _receive(self) -> None:
        messages = self._queue.delayed.receive(self.clock.now())
        for start in range(0, len(messages), self._batch):
            with self.meter.charging("dispatcher"):
                self._dispatch(messages[start : start + self._batch])

    def _dispatch(self, messages: list[Message]) -> None:
        began, ends = self.clock.now(), []
        for message in messages:
            self.clock.instant = began
            self.runs += handle_message(self.world, message) in _ENDS
            ends.append(self.clock.now())
        self.world.usage.flush()
        self.batches += 1
        self.worker_ms += max(ends) - began
        self.clock.instant = max(ends)


@contextmanager
def stage(batch: int = 1, shards: int = 1) -> Iterator[Stage]:
    """A deployment without endpoints, at midnight.

    What a run costs does not depend on the shards; one makes each tick of the bench a matter of milliseconds.
    """
    from moto import mock_aws

    with mock_aws():
        peek: Any = boto3.client("dynamodb", region_name=REGION)
        names = create_tables(peek)
        urls = create_queues(boto3.client("sqs", region_name=REGION))
        client = open_client(REGION)
        meter, clock, queue = Meter(describe_tables(), peek), Clock(), DelayedQueue(SqsRunQueue(client, urls))
        settings = Settings(tables=names, region=REGION, retention_s=_RETENTION_S, limits=Limits(shards=shards))
        ports: dict[str, Any] = {"clock": clock, "entropy": CountingEntropy(), "telemetry": Silence(), "queue": queue}
        world = AwsWorld(settings, **ports, outbound=Target(clock))
        for watched in (client, world._connection.client):
            meter.watch(watched)
        yield Stage(world, meter, queue, batch)


def answer_ok(_call: Call) -> Reply:
    """A short answer with the headers that servers send."""
    return _reply(200, b'{"ok":true,"items":42}')


def answer_large(_call: Call) -> Reply:
    """16 KB of hexadecimal digits: some 8 KB when compressed."""
    return _reply(200, "".join(sha256(bytes([n])).hexdigest() for n in range(256)).encode())


def answer_error(_call: Call) -> Reply:
    """The target is down."""
    return _reply(503, b"try again later")


def answer_second_time(call: Call) -> Reply:
    """The first attempt of each run fails."""
    return (answer_error if dict(call.headers)["Rubato-Attempt"] == "1" else answer_ok)(call)


def _reply(status: int, body: bytes) -> Reply:
    headers = (
        ("Date", "Wed, 01 Jan 2025 00:00:00 GMT"),
        ("Server", "nginx/1.27.3"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("X-Request-Id", "0f8fad5b-d9cb-469f-a165-70867728950e"),
    )
    return Reply(duration_ms=TARGET_MS, status_code=status, headers=headers, body=body)
