"""The run queue in SQS: delays in whole seconds, rounded down; the dispatcher waits out the rest."""

import json
from collections.abc import Sequence
from typing import Any

from rubato.domain.instant import SECOND
from rubato.domain.messages import JobMessage, Message, RunMessage, TellMessage, TenantMessage

_MAX_DELAY_S = 900
_BATCH = 10
_VERSION = 1
_CONNECT_TIMEOUT_S = 2
_READ_TIMEOUT_S = 5
_CONNECTIONS = 32
_ATTEMPTS = 4


class SqsRunQueue:
    """Implements ports.RunQueue over a botocore SQS client."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, messages: Sequence[Message], now: int) -> list[Message]:
        """In batches of ten."""
        unsent: list[Message] = []
        for start in range(0, len(messages), _BATCH):
            unsent += self._send_batch(messages[start : start + _BATCH], now)
        return unsent

    def _send_batch(self, messages: Sequence[Message], now: int) -> list[Message]:
        entries = [
            {"Id": str(number), "MessageBody": dump_message(message), "DelaySeconds": delay_s(message.due, now)}
            for number, message in enumerate(messages)
        ]
        answer = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
        return [messages[int(failure["Id"])] for failure in answer.get("Failed", ())]


def delay_s(due: int, now: int) -> int:
    """Whole seconds until `due`, rounded down, at most what SQS can delay."""
    return min(max(due - now, 0) // SECOND, _MAX_DELAY_S)


def dump_message(message: Message) -> str:
    """The message's body."""
    body: dict[str, Any] = {"v": _VERSION, "due": message.due}
    if isinstance(message, JobMessage):
        body["jobId"] = message.job_id
    elif isinstance(message, TenantMessage):
        body["tenantId"] = message.tenant_id
    elif isinstance(message, TellMessage):
        body |= {"endpointId": message.endpoint_id, "tell": True}
    else:
        body["endpointId"] = message.endpoint_id
        if message.run_id is not None:
            body |= {"runId": message.run_id, "fence": message.fence}
    return json.dumps(body, separators=(",", ":"))


def load_message(body: str) -> Message:
    """From a message's body; unknown fields are ignored. Raises ValueError when it is no message of ours."""
    try:
        plain = json.loads(body)
        if "jobId" in plain:
            return JobMessage(job_id=str(plain["jobId"]), due=int(plain["due"]))
        if "tenantId" in plain:
            return TenantMessage(tenant_id=str(plain["tenantId"]), due=int(plain["due"]))
        if plain.get("tell"):
            return TellMessage(endpoint_id=str(plain["endpointId"]), due=int(plain["due"]))
        return RunMessage(
            endpoint_id=str(plain["endpointId"]),
            due=int(plain["due"]),
            run_id=plain.get("runId"),
            fence=int(plain.get("fence", 0)),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a run message: {type(error).__name__} {error}") from error


def open_client(region: str | None, session: Any = None) -> Any:
    """A botocore client: boto3 would only add its import time. Sessions are costly; give one that is open already."""
    from botocore.config import Config
    from botocore.session import get_session

    config = Config(
        connect_timeout=_CONNECT_TIMEOUT_S,
        read_timeout=_READ_TIMEOUT_S,
        max_pool_connections=_CONNECTIONS,
        retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
    )
    return (session or get_session()).create_client("sqs", region_name=region, config=config)
