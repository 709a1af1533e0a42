"""Load on the local stack: slow targets beside fast ones, poison on the queue, ticks that share their work."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from cli.local.emulator import credentials
from cli.target import Answer, Call, Target
from rubato.domain.lane import SLOW_MS
from tests.e2e.conftest import LocalStack, rubato
from tests.e2e.test_loop import add
from tests.e2e.watchers import until

_SLOW = 8
_SLOW_DISPATCHERS = 2  # of samconfig.toml
_FAST = 4


class Hanging:
    """A target whose paths below /slow hang: the first call until it counts as slow, the later ones until released."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.target = Target({f"/slow/{n}": self._hang for n in range(_SLOW)})

    def _hang(self, call: Call) -> Answer:
        self.released.wait(SLOW_MS / 1000 + 0.2 if call.count == 1 else 60)
        return Answer()

    def called(self, times: int) -> int:
        """How many of the slow paths were called so often."""
        return sum(len(self.target.calls(f"/slow/{n}")) >= times for n in range(_SLOW))


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    made = Hanging()
    with made.target:
        yield made
        made.released.set()


@pytest.fixture
def job(stack: LocalStack) -> Iterator[str]:
    made: str = stack.client.post("/jobs", json={"name": "load"}).raise_for_status().json()["jobId"]
    yield made
    stack.client.delete(f"/jobs/{made}").raise_for_status()


def test_targets_that_hang_do_not_delay_those_that_answer(stack: LocalStack, job: str, hanging: Hanging) -> None:
    target = hanging.target
    for n in range(_SLOW):
        add(stack, job, f"slow {n}", f"{target.url}/slow/{n}", {"intervalMs": 1000}, timeoutMs=60_000)
    until(lambda: hanging.called(1) == _SLOW and hanging.called(2) >= _SLOW_DISPATCHERS, 60, "a slow lane that is full")
    for n in range(_FAST):
        add(stack, job, f"fast {n}", f"{target.url}/fast/{n}", {"intervalMs": 2000})
    until(
        lambda: all(len(target.calls(f"/fast/{n}")) >= 3 for n in range(_FAST)), 30, "three calls of each fast target"
    )
    # The median: a process that starts on a busy machine takes seconds. None waited for a call that hangs, or it would
    # not have been called three times by now.
    late = sorted(call.lateness_ms for call in target.seen if call.path.startswith("/fast"))
    assert late[0] >= 0 and late[len(late) // 2] < 1000, late
    assert not hanging.released.is_set() and hanging.called(3) == 0


def test_a_poisoned_message_is_buried_listed_and_discarded_and_good_ones_are_replayed(
    stack: LocalStack, job: str, hanging: Hanging
) -> None:
    queues, dead = aws(stack, "sqs"), outputs_of(stack)["DeadLetterQueueUrl"]
    endpoint = add(stack, job, "dormant", hanging.target.url, {"manual": True})["endpointId"]
    wake = json.dumps({"v": 1, "endpointId": endpoint, "due": 0})
    good = queues.send_message(QueueUrl=dead, MessageBody=wake)["MessageId"]

    def lying_there() -> dict[str, dict[str, Any]]:
        return {each["messageId"]: each for each in json.loads(dlq(stack, "list"))}

    listed = until(lambda: found if stack.poison in (found := lying_there()) else None, 90, "the poison to be buried")
    assert (listed[stack.poison]["kind"], listed[good]["kind"]) == ("unreadable", "wake")
    assert listed[good]["about"] == endpoint
    told = json.loads(dlq(stack, "replay", "--discard"))
    assert (told["discarded"], told["left"]) == (1, 0) and told["replayed"] >= 1
    assert not {stack.poison, good} & set(lying_there())


def test_a_tick_shares_its_shards_out(stack: LocalStack) -> None:
    functions, logs = aws(stack, "lambda"), aws(stack, "logs")
    resource = aws(stack, "cloudformation").describe_stack_resource(
        StackName="rubato-local", LogicalResourceId="TickFunction"
    )["StackResourceDetail"]["PhysicalResourceId"]
    since = int(time.time() * 1000)
    functions.invoke(FunctionName=resource, Payload=b"{}")

    def shares() -> list[list[int]] | None:
        found = logs.filter_log_events(logGroupName="/aws/lambda/rubato-local-tick", startTime=since)["events"]
        told = [json.loads(each["message"]) for each in found if '"shards"' in each["message"]]
        return [each["shards"] for each in told if each.get("shards")]

    assert until(shares, 30, "a worker's share")[0] == list(range(1, 16, 2))


def dlq(stack: LocalStack, *words: str) -> str:
    return rubato("dlq", *words, "--local", str(stack.port), "--json", timeout=60)


def aws(stack: LocalStack, service: str) -> Any:
    return boto3.client(service, **credentials(stack.port))


def outputs_of(stack: LocalStack) -> dict[str, str]:
    found = aws(stack, "cloudformation").describe_stacks(StackName="rubato-local")["Stacks"][0]["Outputs"]
    return {each["OutputKey"]: each["OutputValue"] for each in found}
