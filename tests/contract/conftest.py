"""Each contract test runs twice: over the fakes in memory, and over DynamoDB and SQS as moto has them."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from rubato.adapters.dynamodb.agents import DynamoAgents
from rubato.adapters.dynamodb.analyses import DynamoAnalyses
from rubato.adapters.dynamodb.connection import open_tables
from rubato.adapters.dynamodb.custody import DynamoSecrets, DynamoSigningKeys
from rubato.adapters.dynamodb.endpoints import DynamoEndpoints
from rubato.adapters.dynamodb.idempotency import DynamoIdempotency
from rubato.adapters.dynamodb.jobs import DynamoJobs
from rubato.adapters.dynamodb.keys import DynamoKeys
from rubato.adapters.dynamodb.rules import DynamoRuleLedgers
from rubato.adapters.dynamodb.runs import DynamoRuns
from rubato.adapters.dynamodb.trail import DynamoTrail
from rubato.adapters.dynamodb.usage import DynamoUsage
from rubato.adapters.memory import MemoryRunQueue
from rubato.adapters.sqs import SqsRunQueue, lane_for, load_message, open_client
from rubato.adapters.ssm import SsmVault
from rubato.adapters.ssm import open_client as open_ssm
from rubato.domain.lane import Lane
from rubato.domain.messages import Message
from tests.tables import create_tables
from tests.worlds import MIDNIGHT, MemoryWorld

_RETENTION_S = 30 * 86_400


class MemoryBox:
    """The memory queue in the same clothes."""

    def __init__(self, queue: MemoryRunQueue) -> None:
        self._queue = queue

    def send(self, messages: Any, now: int) -> list[Message]:
        """The fake under test."""
        return self._queue.send(messages, now)

    def sent(self, lane: Lane = Lane.FAST) -> list[Message]:
        """What is visible at midnight in that lane."""
        visible = self._queue.receive(MIDNIGHT)
        self._queue.waiting += [(MIDNIGHT, message) for message in visible if lane_for(message) is not lane]
        return [message for message in visible if lane_for(message) is lane]


class SqsBox:
    """Implements what tests ask of the memory queue, over SQS: sends for real, shows what was sent and when."""

    def __init__(self, client: Any, urls: dict[Lane, str]) -> None:
        self._queue = SqsRunQueue(client, urls)
        self._client, self._urls = client, urls

    def send(self, messages: Any, now: int) -> list[Message]:
        """The adapter under test."""
        return self._queue.send(messages, now)

    def sent(self, lane: Lane = Lane.FAST) -> list[Message]:
        """What can be received at once in that lane; messages with a delay stay hidden."""
        answer = self._client.receive_message(QueueUrl=self._urls[lane], MaxNumberOfMessages=10)
        return [load_message(message["Body"]) for message in answer.get("Messages", [])]


@pytest.fixture(params=["memory", "aws"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A world whose store is either the fake or the real adapters."""
    if request.param == "memory":
        world: Any = MemoryWorld()
        world.box = MemoryBox(world.queue)
        yield world
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    with mock_aws():
        yield _aws_world()


def _aws_world() -> Any:
    world: Any = MemoryWorld()
    names = create_tables(boto3.client("dynamodb", region_name="eu-central-1"))
    connection = open_tables(names, "eu-central-1")
    world.jobs = DynamoJobs(connection, _RETENTION_S)
    world.rule_ledgers = DynamoRuleLedgers()
    world.endpoints = DynamoEndpoints(connection, world.limits.shards, _RETENTION_S)
    world.runs = DynamoRuns(_RETENTION_S)
    world.keys = DynamoKeys(connection, _RETENTION_S)
    world.agents = DynamoAgents(connection, _RETENTION_S)
    world.idempotency = DynamoIdempotency()
    world.trail = DynamoTrail()
    world.secrets = DynamoSecrets(connection, _RETENTION_S)
    world.signing_keys = DynamoSigningKeys(connection, _RETENTION_S)
    world.vault = SsmVault(lambda: open_ssm("eu-central-1"), "aws-test")
    world.usage = DynamoUsage()
    world.analyses = DynamoAnalyses(connection, _RETENTION_S)
    queues = boto3.client("sqs", region_name="eu-central-1")
    urls = {lane: queues.create_queue(QueueName=lane.value)["QueueUrl"] for lane in Lane}
    world.box = SqsBox(open_client("eu-central-1"), urls)
    return world
