"""What lies in the dead-letter queues: taken out to be looked at, sent again, or put back untouched."""

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rubato.adapters.sqs import delay_s, lane_for, load_message
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

_BATCH = 10
_HIDDEN_S = 300
# Waiting asks every server of the queue; without it some messages would stay unseen.
_WAIT_S = 1
_EXCERPT = 160


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message of the queue at `url`. `sent_at` in ms.

    `message` is None for what is no message of ours, and `trouble` then says why.
    """

    url: str
    message_id: str
    handle: str
    body: str
    sent_at: int
    received: int
    message: Message | None
    trouble: str | None

    @property
    def kind(self) -> str:  # noqa: C901, PLR0911 - one for each kind of message
        """What it asks of a dispatcher."""
        match self.message:
            case RunMessage(run_id=None):
                return "wake"
            case RunMessage():
                return "run"
            case JobMessage():
                return "job"
            case TenantMessage():
                return "quota"
            case TellMessage():
                return "followers"
            case NotifyMessage():
                return "notice"
            case RuleMessage():
                return "rules"
            case AnalysisMessage():
                return "analysis"
            case SigningMessage():
                return "signing"
            case None:
                return "unreadable"

    @property
    def about(self) -> str:
        """Whom it concerns, or why nobody can tell, with the body's beginning; safe to print."""
        match self.message:
            case RunMessage(endpoint_id=endpoint_id, run_id=run_id):
                return f"{endpoint_id} {run_id}" if run_id else endpoint_id
            case NotifyMessage(run_id=run_id, turn=turn):
                return f"{run_id} {turn.kind.value}"
            case JobMessage(job_id=subject) | RuleMessage(job_id=subject):
                return subject
            case TenantMessage(tenant_id=subject) | SigningMessage(tenant_id=subject):
                return subject
            case TellMessage(endpoint_id=subject) | AnalysisMessage(endpoint_id=subject):
                return subject
            case None:
                return _printable(f"{self.trouble or ''}: {self.body}"[:_EXCERPT])

    def age_s(self, now: int) -> int:
        """Seconds since it was first sent; `now` in ms."""
        return max(now - self.sent_at, 0) // SECOND

    @property
    def lane(self) -> Lane:
        """The queue that it belongs on."""
        return lane_for(self.message) if self.message is not None else Lane.FAST


class DeadLetterQueue:
    """The dead-letter queues as one, and the queues that feed them, over a boto3 SQS client."""

    def __init__(self, client: Any, urls: Sequence[str], run_urls: dict[Lane, str]) -> None:
        self._client, self._urls, self._run_urls = client, urls, run_urls
        self._removed: set[str] = set()

    @contextmanager
    def taken(self, limit: int) -> Iterator[list[DeadLetter]]:
        """Up to `limit` messages, hidden from others meanwhile; what was not removed is visible again at the end."""
        letters: list[DeadLetter] = []
        try:
            for url in self._urls:
                while len(letters) < limit and (page := self._receive(url, min(_BATCH, limit - len(letters)))):
                    letters += page
            yield letters
        finally:
            self._release([letter for letter in letters if letter.message_id not in self._removed])

    def send_again(self, letters: Sequence[DeadLetter], now: int) -> int:
        """Put them on their queues as they are, and remove what was sent; gives how many."""
        return sum(
            self._move(lane, batch, now)
            for lane in Lane
            for batch in _batches([letter for letter in letters if letter.lane is lane])
        )

    def remove(self, letters: Sequence[DeadLetter]) -> None:
        """For ever; those that SQS does not let go stay and are visible again."""
        for url, batch in self._by_queue(letters):
            entries = [{"Id": str(n), "ReceiptHandle": letter.handle} for n, letter in enumerate(batch)]
            answer = self._client.delete_message_batch(QueueUrl=url, Entries=entries)
            self._removed.update(batch[int(each["Id"])].message_id for each in answer.get("Successful", ()))

    def _move(self, lane: Lane, batch: Sequence[DeadLetter], now: int) -> int:
        # NOTE: sent before removed. A command that dies in between leaves a duplicate, which calls nobody.
        entries = [
            {"Id": str(n), "MessageBody": letter.body, "DelaySeconds": _delay_s(letter, now)}
            for n, letter in enumerate(batch)
        ]
        answer = self._client.send_message_batch(QueueUrl=self._run_urls[lane], Entries=entries)
        sent = [batch[int(each["Id"])] for each in answer.get("Successful", ())]
        self.remove(sent)
        return len(sent)

    def _receive(self, url: str, count: int) -> list[DeadLetter]:
        answer = self._client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=count,
            VisibilityTimeout=_HIDDEN_S,
            WaitTimeSeconds=_WAIT_S,
            AttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
        )
        return [_letter(url, each) for each in answer.get("Messages", ())]

    def _release(self, letters: Sequence[DeadLetter]) -> None:
        for url, batch in self._by_queue(letters):
            entries = [
                {"Id": str(n), "ReceiptHandle": letter.handle, "VisibilityTimeout": 0} for n, letter in enumerate(batch)
            ]
            self._client.change_message_visibility_batch(QueueUrl=url, Entries=entries)

    def _by_queue(self, letters: Sequence[DeadLetter]) -> Iterator[tuple[str, Sequence[DeadLetter]]]:
        for url in self._urls:
            for batch in _batches([letter for letter in letters if letter.url == url]):
                yield url, batch


def _letter(url: str, received: dict[str, Any]) -> DeadLetter:
    message, trouble = _read(received["Body"])
    return DeadLetter(
        url=url,
        message_id=received["MessageId"],
        handle=received["ReceiptHandle"],
        body=received["Body"],
        sent_at=int(received["Attributes"]["SentTimestamp"]),
        received=int(received["Attributes"]["ApproximateReceiveCount"]),
        message=message,
        trouble=trouble,
    )


def _read(body: str) -> tuple[Message | None, str | None]:
    try:
        return load_message(body), None
    except ValueError as error:
        return None, str(error)


def _delay_s(letter: DeadLetter, now: int) -> int:
    return delay_s(letter.message.due, now) if letter.message is not None else 0


def _printable(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join(" " if unicodedata.category(each).startswith("C") else each for each in text)


def _batches(letters: Sequence[DeadLetter]) -> list[Sequence[DeadLetter]]:
    return [letters[start : start + _BATCH] for start in range(0, len(letters), _BATCH)]
