"""Messages that Lambda received: which of those that failed go back to their queue, and when they come again."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from rubato.adapters.sqs import load_message
from rubato.domain.lane import Lane
from rubato.domain.messages import AnalysisMessage, Message, RuleMessage, RunMessage
from rubato.domain.redelivery import RECEIVES, backoff_s, patience_s

if TYPE_CHECKING:
    from rubato.observability import LambdaTelemetry

Record = Mapping[str, Any]


class SqsDeliveries:
    """Messages that Lambda received from these queues. `record` as in Lambda's event."""

    def __init__(self, client: Any, queue_urls: Mapping[Lane, str]) -> None:
        self._client = client
        self._urls_by_name = {url.rpartition("/")[2]: url for url in queue_urls.values()}

    def postpone(self, record: Record) -> None:
        """Let a message that failed come back after its backoff; without this it waits for its visibility timeout.

        Raises KeyError for a queue that is none of ours, and what SQS raises.
        """
        wait_s = backoff_s if _is_covered(record) else patience_s
        self._client.change_message_visibility(
            QueueUrl=self._urls_by_name[record["eventSourceARN"].rpartition(":")[2]],
            ReceiptHandle=record["receiptHandle"],
            VisibilityTimeout=wait_s(record["messageId"], _received(record)),
        )


class Receiver(Protocol):
    """What a function has that works off a queue."""

    @property
    def deliveries(self) -> SqsDeliveries:
        """Where its messages came from."""
        ...

    @property
    def telemetry(self) -> "LambdaTelemetry":
        """Where it tells of them."""
        ...


def give_back(here: Receiver, record: Record) -> bool:
    """A message failed: whether its queue is to keep it, then postponed. Raises nothing.

    NOTE: a look that the schedule asks for again anyway is let go at its last receive. Among the dead letters it would
    only keep an alarm up, after any minute in which the store was down, that somebody has to empty by hand.
    """
    with here.telemetry.about(messageId=record["messageId"]):
        if _received(record) >= RECEIVES and isinstance(_message_in(record), RuleMessage | AnalysisMessage):
            here.telemetry.count("let_go")
            here.telemetry.warn("message let go", received=_received(record))
            return False
        try:
            here.deliveries.postpone(record)
        except Exception:  # noqa: BLE001 - it comes back all the same, only much later
            here.telemetry.error("message not postponed")
        return True


def failures(kept: Iterable[Record]) -> dict[str, Any]:
    """What Lambda is told of a batch of which the queue is to keep these; it deletes the others."""
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in kept]}


def _received(record: Record) -> int:
    return int(record["attributes"]["ApproximateReceiveCount"])


def _is_covered(record: Record) -> bool:
    """Whether nothing is lost with the message: a run's lease or a job's next look brings it back.

    What is unreadable tells nothing.
    """
    message = _message_in(record)
    return message is None or isinstance(message, RunMessage | RuleMessage | AnalysisMessage)


def _message_in(record: Record) -> Message | None:
    try:
        return load_message(record["body"])
    except ValueError:
        return None
