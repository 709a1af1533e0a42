"""A deployment in one thread: the real handlers over the seam, a clock that the test owns, workers that may die.

Once a fault has struck and its invocation is over, the world moves into memory and the clock runs on there: what
follows needs no faults, only the same store and queue, and the contract tests hold both stores to the same promises.
"""

import importlib.util
import pickle
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from rubato import bootstrap
from rubato.adapters.dynamodb.endpoints import DynamoEndpoints
from rubato.adapters.sqs import load_message
from rubato.bootstrap import AwsWorld
from rubato.domain.endpoint import Endpoint
from rubato.domain.exchange import Call, ErrorKind, Reply
from rubato.domain.instant import MINUTE, SECOND
from rubato.settings import Settings
from tests.faults.seam import Killed, Seam
from tests.worlds import MIDNIGHT, CountedEntropy, MemoryWorld, QuietTelemetry, Stage, TestClock

ROOT = Path(__file__).parents[2]
REGION = "eu-central-1"
# A message whose worker failed or died comes back after this long.
_VISIBILITY_MS = 70 * SECOND
_STALL_MS = {"api": 25 * SECOND, "tick": 50 * SECOND, "dispatcher": 150 * SECOND, "rules": 110 * SECOND}


class InlinePool:
    """ThreadPoolExecutor in one thread: all are done, whoever fails; only a kill ends it."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        pass

    def __enter__(self) -> "InlinePool":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, work: Callable[..., Any], *items: Iterable[Any]) -> Iterator[Any]:
        """Everything first, then the results in order."""
        futures = [self.submit(work, *each) for each in zip(*items, strict=False)]
        return (future.result() for future in futures)

    def submit(self, work: Callable[..., Any], *args: Any) -> "_Done":
        """Done at once."""
        try:
            return _Done(work(*args), None)
        except Exception as error:  # noqa: BLE001 - as a future keeps it
            return _Done(None, error)

    def shutdown(self, *_args: Any, **_kwargs: Any) -> None:
        """Nothing runs."""


class _Done:
    def __init__(self, value: Any, error: Exception | None) -> None:
        self._value, self._error = value, error

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._value


class Log(QuietTelemetry):
    """What Lambda's telemetry has beside the port."""

    @contextmanager
    def about(self, **_fields: Any) -> Iterator[None]:
        """Ignored."""
        yield

    def error(self, message: str, **fields: Any) -> None:
        """Kept like a warning."""
        self.warn(message, **fields)

    def flush(self) -> None:
        """Nothing to do."""


class Target:
    """Implements ports.Outbound through the seam. `failing` names paths that answer 500."""

    def __init__(self, clock: TestClock, seam: Seam) -> None:
        self.clock, self.seam = clock, seam
        self.failing: dict[str, int] = {}
        self.deadly = False
        self.calls: list[tuple[int, Call]] = []

    def send(self, call: Call) -> Reply:
        """Takes two seconds; a path in `failing` fails so many times."""
        fault = self.seam.reached("target")
        if fault == "killed before":
            raise Killed("target")
        self.calls.append((self.clock.now(), call))
        if fault == "killed after" or self.deadly:
            raise Killed("target")
        if fault == "stalled":
            self.seam.stall()
        self.clock.instant += 2 * SECOND
        if fault == "broken":
            raise OSError("a defect of the transport")
        if fault == "timed out":
            return Reply(duration_ms=2000, error_kind=ErrorKind.TIMEOUT, error_message="no answer within 30000 ms")
        name = call.url.rpartition("/")[2]
        if self.failing.get(name, 0) > 0:
            self.failing[name] -= 1
            return Reply(duration_ms=2000, status_code=500)
        return Reply(duration_ms=2000, status_code=200, body=b"ok")


class Post:
    """SQS: messages, when each becomes visible, and how often it was received."""

    def __init__(self, clock: TestClock) -> None:
        self.clock = clock
        self.waiting: list[dict[str, Any]] = []
        self.sent = 0

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """The requests that Rubato makes."""
        if operation == "ChangeMessageVisibility":
            for each in self.waiting:
                if each["id"] == asked["ReceiptHandle"]:
                    each["at"] = self.clock.now() + asked["VisibilityTimeout"] * SECOND
            return {}
        done = []
        for entry in asked["Entries"]:
            self.sent += 1
            at = self.clock.now() + entry.get("DelaySeconds", 0) * SECOND
            queue = asked["QueueUrl"].rpartition("/")[2]
            body = entry["MessageBody"]
            self.waiting.append({"id": f"m{self.sent}", "at": at, "queue": queue, "body": body, "received": 0})
            done.append({"Id": entry["Id"], "MessageId": f"m{self.sent}", "MD5OfMessageBody": ""})
        return {"Successful": done, "Failed": []}

    def next_at(self) -> int | None:
        """When the next message becomes visible."""
        return min((each["at"] for each in self.waiting), default=None)

    def receive(self) -> dict[str, Any] | None:
        """One visible message; it hides until it is deleted or its visibility ends."""
        for each in self.waiting:
            if each["at"] <= self.clock.now():
                each["at"] = self.clock.now() + _VISIBILITY_MS
                each["received"] += 1
                return each
        return None

    def delete(self, message: dict[str, Any]) -> None:
        """It was handled."""
        self.waiting = [each for each in self.waiting if each["id"] != message["id"]]


class Context:
    """What the handlers use of Lambda's context."""

    aws_request_id = "faults"

    def get_remaining_time_in_millis(self) -> int:
        """A minute."""
        return 60_000


class Play:
    """One deployment, from its first endpoint to the end of its story."""

    def __init__(self, house: "House", env: dict[str, str]) -> None:
        self.house, self.seam, self._env = house, house.seam, env
        self.clock = TestClock()
        self.entropy = CountedEntropy()
        self.telemetry = Log()
        self.post = Post(self.clock)
        self.target = Target(self.clock, self.seam)
        self.next_tick = MIDNIGHT
        self.ticking = True
        self._versions: dict[str, tuple[int, int]] = {}
        self.overwritten: list[str] = []
        self._role = "api"
        self.seam.answer_queue, self.seam.meanwhile = self.post.answer, self._meanwhile
        self.seam.written = self._watch_writes
        self.seam.armed = self.seam.struck = False
        self.start_worker()

    def start_worker(self) -> None:
        """A fresh process."""
        settings = Settings.from_env({**self.house.env, **self._env})
        self.world = AwsWorld(settings, clock=self.clock, entropy=self.entropy, outbound=self.target)
        self.world.telemetry = self.telemetry  # type: ignore[assignment]
        self.world.__dict__["_connection"] = self.house.connection
        bootstrap._world = self.world

    def play(self, until: int) -> None:
        """Up to and including `until` (ms), or until a fault has struck and its invocation is over."""
        while not self.seam.struck and (moment := self._next_moment()) <= until:
            self.clock.sleep_until(moment)
            if self.ticking and self.next_tick <= self.clock.now():
                self.next_tick += MINUTE
                self.invoke("tick", lambda: self.house.tick.handler({}, Context()))
            elif (message := self.post.receive()) is not None:
                self._dispatch(message)
        if not self.seam.struck:
            self.clock.sleep_until(until)

    def invoke(self, role: str, work: Callable[[], Any]) -> tuple[bool, Any]:
        """One invocation: whether it ended well, and what it gave or raised. A worker that is killed is replaced."""
        outer, self._role = self._role, role
        here = self.world
        try:
            return True, work()
        except Killed as killed:
            self.start_worker()
            return False, killed
        except Exception as error:  # noqa: BLE001 - Lambda notes it and goes on
            return False, error
        finally:
            self._role = outer
            bootstrap._world = self.world if self.world is not here else here

    def _dispatch(self, message: dict[str, Any]) -> None:
        record = {
            "messageId": message["id"],
            "receiptHandle": message["id"],
            "body": message["body"],
            "attributes": {"ApproximateReceiveCount": str(message["received"])},
            "eventSourceARN": f"arn:aws:sqs:{REGION}:{DEFAULT_ACCOUNT_ID}:{message['queue']}",
        }
        event = {"Records": [record]}
        role = "rules" if message["queue"] == "rules" else "dispatcher"
        handler = self.house.rules if role == "rules" else self.house.dispatcher
        ok, answer = self.invoke(role, lambda: handler.handler(event, Context()))
        if ok and not answer["batchItemFailures"]:
            self.post.delete(message)

    def _next_moment(self) -> int:
        moments = [self.next_tick] if self.ticking else []
        at = self.post.next_at()
        return min([*moments, *([at] if at is not None else [])], default=1 << 60)

    def _meanwhile(self) -> None:
        """Others work on while one worker hangs."""
        self.seam.struck = False
        mine = self.world
        self.start_worker()
        self.play(self.clock.now() + _STALL_MS[self._role])
        self.seam.struck = True
        self.world = bootstrap._world = mine

    def _watch_writes(self) -> None:
        for pk, version, fence in self.house.versions():
            before = self._versions.get(pk, (version - 1, fence))
            if (version, fence) != before and (version != before[0] + 1 or fence < before[1]):
                self.overwritten.append(f"{pk}: {before} -> {(version, fence)}")
            self._versions[pk] = (version, fence)

    def into_memory(self) -> MemoryWorld:
        """The same store, queue, target and clock, in memory."""
        self.seam.armed = False
        self.start_worker()
        memory = MemoryWorld()
        memory.clock, memory.entropy, memory.limits = self.clock, self.entropy, self.world.limits
        memory.outbound = self.target  # type: ignore[assignment]
        memory.endpoints._shards = memory.limits.shards
        for endpoint in self.house.endpoints(self.world):
            memory.endpoints._endpoints[endpoint.id] = endpoint
            memory.usage.endpoints[endpoint.config.tenant_id] += 1
        for job_id in self.house.keys_of("jobs"):
            job = self.world.jobs.get(job_id)
            assert job is not None
            memory.jobs._jobs[job_id] = job
        for run_id in self.house.runs():
            run = self.world.runs.get(run_id)
            assert run is not None
            memory.runs._runs[run_id] = run
        for endpoint_id in memory.endpoints._endpoints:
            memory.trail.events += self.world.trail.of_subject(endpoint_id, 1000, None).items
        for job_id in self.house.keys_of("rules"):
            memory.rule_ledgers._ledgers[job_id] = self.world.rule_ledgers.get(job_id)
        self.house.copy_usage(memory.usage)
        memory.queue.waiting = [(each["at"], load_message(each["body"])) for each in self.post.waiting]
        return memory

    def run_on(self, until: int) -> MemoryWorld:
        """To the end, without further faults."""
        memory = self.into_memory()
        stage = Stage(memory, self.ticking)
        stage._next_tick = self.next_tick
        stage.play(until)
        return memory


class House:
    """What all plays share: clients, tables, handlers. One after the other, never two at once."""

    def __init__(self, seam: Seam, connection: Any, env: dict[str, str]) -> None:
        self.seam, self.connection, self.env = seam, connection, env
        self.tick, self.dispatcher, self.rules = (_handler(name) for name in ("tick", "dispatcher", "rules"))

    @property
    def tables(self) -> dict[str, Any]:
        """Moto's."""
        tables: dict[str, Any] = get_backend("dynamodb")[DEFAULT_ACCOUNT_ID][REGION].tables
        return tables

    def clear(self) -> None:
        """Empty tables."""
        for table in self.tables.values():
            table.items = defaultdict(dict)

    def kept(self) -> bytes:
        """All items, to be put back."""
        return pickle.dumps({name: table.items for name, table in self.tables.items()})

    def put_back(self, kept: bytes) -> None:
        """As they were."""
        for name, items in pickle.loads(kept).items():
            self.tables[name].items = items

    def keys_of(self, table: str) -> list[str]:
        """Hash keys."""
        return [key.value for key in self.tables[table].items]

    def runs(self) -> list[str]:
        """Run ids."""
        return [run_id.value for items in self.tables["runs"].items.values() for run_id in items]

    def copy_usage(self, usage: Any) -> None:
        """Counters and notes of the quota."""
        for items in self.tables["usage"].items.values():
            for item in items.values():
                pk, sk = item.attrs["pk"].value, item.attrs["sk"].value
                used = int(item.attrs["used"].value)
                if sk.startswith("runs#"):
                    usage._runs[pk, sk.removeprefix("runs#")] = used
                elif pk.startswith("over#"):
                    usage._over[pk.removeprefix("over#"), sk] = used

    def endpoints(self, world: AwsWorld) -> list[Endpoint]:
        """Every endpoint, as stored."""
        assert isinstance(world.endpoints, DynamoEndpoints)
        loaded = (world.endpoints.load(pk) for pk, _, _ in list(self.versions()))
        return [endpoint for endpoint in loaded if endpoint is not None]

    def versions(self) -> Iterator[tuple[str, int, int]]:
        """Version and fence of each endpoint's state."""
        for items in self.tables["endpoints"].items.values():
            for item in items.values():
                if item.attrs["kind"].value == "state":
                    yield item.attrs["pk"].value, int(item.attrs["version"].value), int(item.attrs["fence"].value)


def _handler(function: str) -> ModuleType:
    path = ROOT / "functions" / function / "handler.py"
    spec = importlib.util.spec_from_file_location(f"{function}_under_faults", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
