"""All functions together: queues deliver, time passes, and every call to AWS is noted with the function that made it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.client import BaseClient

from rubato.bootstrap import AwsWorld
from rubato.domain.instant import MINUTE, SECOND
from tests.functions.conftest import Context, event, load
from tests.tables import LOGICAL

Used = tuple[str, str, str]
"""(function, IAM action, resource): of tables, indexes and queues the logical id in the template, else the name."""

QUEUES = {"runs": "RunQueue", "slow-runs": "SlowRunQueue", "rules": "RuleQueue", "analyses": "AnalysisQueue"}
READS = {"RunQueue": "dispatcher", "SlowRunQueue": "dispatcher", "RuleQueue": "rules", "AnalysisQueue": "planner"}
# IAM's names where they differ from those of the operations.
_ACTIONS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "lambda:Invoke": "lambda:InvokeFunction",
    "bedrock:Converse": "bedrock:InvokeModel",
}
_IN_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
_NAMED_BY = {
    "ssm": ("Name", "Path", "Names"),
    "sns": ("TopicArn",),
    "lambda": ("FunctionName",),
    "bedrock": ("modelId",),
}


class House:
    """The functions over one world. `used` is what they asked of AWS; `delivered` is the message that came last."""

    def __init__(self, world: AwsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.used = world, set[Used]()
        self.delivered = ""
        self._inside: str | None = None
        self._waiting: list[tuple[int, str, str]] = []
        self._handlers = {
            name: load(name).handler for name in {*READS.values(), "api", "authorizer", "synthetic", "tick"}
        }
        call = BaseClient._make_api_call

        def noted(client: Any, operation: str, given: dict[str, Any]) -> Any:
            if self._inside is not None:
                self._note(self._inside, client.meta.service_model.signing_name, operation, given)
            return call(client, operation, given)

        monkeypatch.setattr(BaseClient, "_make_api_call", noted)

    @contextmanager
    def inside(self, function: str) -> Iterator[Any]:
        """What is asked of AWS meanwhile is this function's doing; gives its handler."""
        outer, self._inside = self._inside, function
        try:
            yield self._handlers[function]
        finally:
            self._inside = outer

    def call(self, function: str, given: dict[str, Any]) -> Any:
        """One invocation."""
        with self.inside(function) as handler:
            return handler(given, Context())

    def play(self, minutes: int, *schedules: str) -> None:
        """So many minutes, with these functions on their schedules and whatever lies in the queues."""
        for _ in range(minutes):
            for function in schedules:
                self.call(function, event(f"{function}-scheduled"))
            self.deliver(self.world.clock.now() + MINUTE)

    def deliver(self, until: int) -> None:
        """Every message that is due by then (ms), each at its time."""
        while due := sorted(each for each in self._waiting if each[0] <= until):
            at, queue, body = due[0]
            self._waiting.remove(due[0])
            self.world.clock.sleep_until(at)
            self.delivered = body
            self.call(READS[queue], batch(queue, body))
        self.world.clock.sleep_until(until)

    def deliver_one(self, queue: str) -> None:
        """The next message of this queue; all others are lost."""
        body = next(body for _, to, body in sorted(self._waiting) if to == queue)
        self.lose_messages()
        self.call(READS[queue], batch(queue, body))

    def lose_messages(self) -> None:
        """All that are on their way."""
        self._waiting.clear()

    def _note(self, function: str, service: str, operation: str, given: dict[str, Any]) -> None:
        if operation == "SendMessageBatch":
            for entry in given["Entries"]:
                at = self.world.clock.now() + entry.get("DelaySeconds", 0) * SECOND
                self._waiting.append((at, QUEUES[given["QueueUrl"].rpartition("/")[2]], entry["MessageBody"]))
        self.used |= {(function, *each) for each in _asked(service, operation, given)}


def batch(queue: str, body: str) -> dict[str, Any]:
    """One message, as its function gets it."""
    name = next(name for name, logical in QUEUES.items() if logical == queue)
    attributes = {"ApproximateReceiveCount": "1"}
    record = {"messageId": "m", "receiptHandle": "x", "body": body, "attributes": attributes}
    return {"Records": [{**record, "eventSourceARN": f"arn:aws:sqs:eu-central-1:123456789012:{name}"}]}


def _asked(service: str, operation: str, given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if operation == "TransactWriteItems":
        for kind, write in ((kind, write) for item in given["TransactItems"] for kind, write in item.items()):
            yield f"dynamodb:{_IN_TRANSACTION[kind]}", LOGICAL[write["TableName"]]
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        yield from ((f"dynamodb:{operation}", LOGICAL[table]) for table in given["RequestItems"])
    elif service == "dynamodb":
        index = f"/index/{given['IndexName']}" if given.get("IndexName") else ""
        yield f"dynamodb:{operation}", LOGICAL[given["TableName"]] + index
    else:
        action = f"{service}:{operation}"
        yield from ((_ACTIONS.get(action, action), name) for name in _resources(service, given))


def _resources(service: str, given: dict[str, Any]) -> list[str]:
    if service == "sqs":
        return [QUEUES[given["QueueUrl"].rpartition("/")[2]]]
    if service == "events":
        return [each["EventBusName"] for each in given["Entries"]]
    if service == "secretsmanager":
        return [given["SecretId"]]
    named = next(given[field] for field in _NAMED_BY[service] if field in given)
    return named if isinstance(named, list) else [named]


def api_event(
    method: str, path: str, key_id: str, body: str | None, query: dict[str, str], headers: Any
) -> dict[str, Any]:
    """A request with every scope."""
    asked = json.loads(json.dumps(event("api-create-job")))
    asked["requestContext"]["authorizer"] |= {"tenantId": "acme", "keyId": key_id}
    asked |= {"httpMethod": method, "path": path, "body": body or None, "queryStringParameters": query or None}
    return {**asked, "headers": {"Content-Type": "application/json", **headers}}
