"""The run queue in SQS: delays in whole seconds, rounded down; the dispatcher waits out the rest."""

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from rubato.domain.instant import SECOND
from rubato.domain.lane import Lane
from rubato.domain.messages import (
    AnalysisMessage,
    JobMessage,
    Message,
    NotifyMessage,
    RuleMessage,
    RunMessage,
    SigningMessage,
    TellMessage,
    TenantMessage,
)
from rubato.domain.notices import NoticeKind, Turn

_MAX_DELAY_S = 900
_BATCH = 10
_VERSION = 1
_CONNECT_TIMEOUT_S = 2
_READ_TIMEOUT_S = 5
_CONNECTIONS = 32
_ATTEMPTS = 4


class SqsRunQueue:
    """Implements ports.RunQueue over a botocore SQS client, with a queue for each lane."""

    def __init__(self, client: Any, queue_urls: Mapping[Lane, str]) -> None:
        self._client = client
        self._queue_urls = queue_urls

    def send(self, messages: Sequence[Message], now: int) -> list[Message]:
        """In batches of ten, each lane for itself: what one queue raises comes when the other has had its messages."""
        unsent: list[Message] = []
        errors: list[Exception] = []
        for lane, group in groupby(sorted(messages, key=lane_for), key=lane_for):
            try:
                unsent += self._send_all(self._queue_urls[lane], list(group), now)
            except Exception as error:  # noqa: BLE001 - see above
                errors.append(error)
        if errors:
            raise errors[0]
        return unsent

    def _send_all(self, queue_url: str, messages: Sequence[Message], now: int) -> list[Message]:
        batches = [messages[start : start + _BATCH] for start in range(0, len(messages), _BATCH)]
        return [message for batch in batches for message in self._send_batch(queue_url, batch, now)]

    def _send_batch(self, queue_url: str, messages: Sequence[Message], now: int) -> list[Message]:
        entries = [
            {"Id": str(number), "MessageBody": dump_message(message), "DelaySeconds": delay_s(message.due, now)}
            for number, message in enumerate(messages)
        ]
        answer = self._client.send_message_batch(QueueUrl=queue_url, Entries=entries)
        return [messages[int(failure["Id"])] for failure in answer.get("Failed", ())]


def lane_for(message: Message) -> Lane:
    """Only a run calls a target, and so only a run can be slow; rules and the planner have workers of their own."""
    if isinstance(message, RuleMessage):
        return Lane.RULES
    if isinstance(message, AnalysisMessage):
        return Lane.ANALYSES
    return message.lane if isinstance(message, RunMessage) else Lane.FAST


def delay_s(due: int, now: int) -> int:
    """Whole seconds until `due`, rounded down, at most what SQS can delay."""
    return min(max(due - now, 0) // SECOND, _MAX_DELAY_S)


def dump_message(message: Message) -> str:
    """The message's body."""
    body: dict[str, Any] = {"v": _VERSION, "due": message.due}
    if isinstance(message, JobMessage):
        body["jobId"] = message.job_id
    elif isinstance(message, RuleMessage):
        body |= {"rulesOf": message.job_id}
    elif isinstance(message, TenantMessage):
        body["tenantId"] = message.tenant_id
    elif isinstance(message, SigningMessage):
        body["signing"] = message.tenant_id
    elif isinstance(message, TellMessage):
        body |= {"endpointId": message.endpoint_id, "tell": True}
    elif isinstance(message, AnalysisMessage):
        body |= {"endpointId": message.endpoint_id, "analyse": True}
    elif isinstance(message, NotifyMessage):
        body |= {"endpointId": message.endpoint_id, "runId": message.run_id, "fence": message.fence}
        body["turn"] = {
            "kind": message.turn.kind.value,
            "failures": message.turn.failures,
            "succeededAt": message.turn.succeeded_at,
        }
    else:
        body["endpointId"] = message.endpoint_id
        if message.run_id is not None:
            body |= {"runId": message.run_id, "fence": message.fence}
        if message.lane is not Lane.FAST:
            body["lane"] = message.lane.value
    return json.dumps(body, separators=(",", ":"))


def load_message(body: str) -> Message:  # noqa: PLR0911 - one for each kind of message
    """From a message's body; unknown fields are ignored. Raises ValueError when it is no message of ours."""
    try:
        plain = json.loads(body)
        if "jobId" in plain:
            return JobMessage(job_id=str(plain["jobId"]), due=int(plain["due"]))
        if "rulesOf" in plain:
            return RuleMessage(job_id=str(plain["rulesOf"]), due=int(plain["due"]))
        if "tenantId" in plain:
            return TenantMessage(tenant_id=str(plain["tenantId"]), due=int(plain["due"]))
        if "signing" in plain:
            return SigningMessage(tenant_id=str(plain["signing"]), due=int(plain["due"]))
        if plain.get("tell"):
            return TellMessage(endpoint_id=str(plain["endpointId"]), due=int(plain["due"]))
        if plain.get("analyse"):
            return AnalysisMessage(endpoint_id=str(plain["endpointId"]), due=int(plain["due"]))
        if plain.get("turn"):
            return _load_notify(plain)
        return RunMessage(
            endpoint_id=str(plain["endpointId"]),
            due=int(plain["due"]),
            run_id=plain.get("runId"),
            fence=int(plain.get("fence", 0)),
            lane=Lane.SLOW if plain.get("lane") == Lane.SLOW else Lane.FAST,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a run message: {type(error).__name__} {error}") from error


def load_rule_message(body: str) -> RuleMessage:
    """The same for a queue that carries nothing else. Raises ValueError for any other message."""
    message = load_message(body)
    if not isinstance(message, RuleMessage):
        raise ValueError(f"not a message of rules: {type(message).__name__}")  # noqa: TRY004 - the text is what is wrong
    return message


def _load_notify(plain: dict[str, Any]) -> NotifyMessage:
    given = plain["turn"]
    return NotifyMessage(
        endpoint_id=str(plain["endpointId"]),
        due=int(plain["due"]),
        run_id=str(plain["runId"]),
        fence=int(plain["fence"]),
        turn=Turn(
            kind=NoticeKind(given["kind"]), failures=int(given["failures"]), succeeded_at=given.get("succeededAt")
        ),
    )


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
