"""Where faults are let in: every request that the AWS client sends, and every call of a target, in one numbered row.

DynamoDB is moto's, in this process; SQS is a few lines of its own, whose delays follow the test's clock.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber

WRITES = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "SendMessageBatch")
REQUESTED = ("throttled once", "throttled", "timed out", "killed before")
WRITTEN = ("answer lost once", "answer lost", "killed after")
CALLED = ("killed before", "killed after", "timed out", "broken", "stalled")
EXTRA = {
    "SendMessageBatch": ("refused",),
    "BatchGetItem": ("unprocessed once", "unprocessed"),
    "TransactWriteItems": ("conflict once", "conflict", "stalled"),
    "PutItem": ("conflict once", "conflict", "stalled"),
}
OVERCOME = frozenset({"throttled once", "answer lost once", "unprocessed once"})
"""Faults that the SDK, or the adapter, repeats away: nobody may notice anything at all."""

LASTING = frozenset({"unprocessed", "conflict"})
"""Faults that Rubato itself repeats away, and so must meet again until it gives up."""


class Killed(BaseException):
    """The worker is gone: nothing more runs in it."""


@dataclass(frozen=True)
class Site:
    """One call of the world: which, and who made it."""

    operation: str
    place: str

    def faults(self) -> tuple[str, ...]:
        """What can go wrong there."""
        if self.operation == "target":
            return CALLED
        written = WRITTEN if self.operation in WRITES else ()
        return (*REQUESTED, *written, *EXTRA.get(self.operation, ()))


@dataclass
class Seam:
    """Counts the calls since it was armed, and lets one fault in at one of them."""

    sites: list[Site] = field(default_factory=list)
    armed: bool = False
    at: int | None = None
    fault: str = ""
    struck: bool = False
    meanwhile: Callable[[], None] = lambda: None
    written: Callable[[], None] = lambda: None
    answer_queue: Callable[[str, dict[str, Any]], dict[str, Any]] = lambda _operation, _asked: {}

    def arm(self, at: int | None, fault: str) -> None:
        """From now on calls count; `fault` comes at number `at`."""
        self.sites, self.armed, self.at, self.fault, self.struck = [], True, at, fault, False

    def attach(self, client: Any) -> None:
        """Stand between a botocore client and moto, which is asked here and nowhere else: botocore asks every handler."""
        botocore_stubber.enabled = False
        client.meta.events.register_first("before-call", self._begin)
        client.meta.events.register_first("before-send", self._send)

    def reached(self, operation: str) -> str | None:
        """Count a call; gives the fault that is to come there."""
        if not self.armed:
            return None
        self.sites.append(Site(operation, _place()))
        if self.struck and self.fault in LASTING and operation == self.sites[self.at or 0].operation:
            return self.fault
        if len(self.sites) - 1 != self.at:
            return None
        self.struck = True
        return self.fault

    def stall(self) -> None:
        """The world goes on while this call hangs."""
        self.armed = False
        self.meanwhile()

    def _begin(self, model: Any, **_: Any) -> None:
        self._fault, self._sent = self.reached(model.name), 0

    def _send(self, event_name: str, request: Any, **_: Any) -> AWSResponse:
        operation = event_name.split(".")[2]
        fault, self._sent = self._fault, self._sent + 1
        if fault is None or (fault.endswith(" once") and self._sent > 1):
            return self._respond(operation, request)
        return self._strike(fault.removesuffix(" once"), operation, request)

    def _strike(self, fault: str, operation: str, request: Any) -> AWSResponse:
        if fault == "throttled":
            return _refusal(request, "ThrottlingException")
        if fault == "killed before":
            raise Killed(operation)
        if fault == "timed out":
            raise ReadTimeoutError(endpoint_url=request.url)
        if fault == "conflict":
            return _conflict(request, operation)
        if fault == "refused":
            return _answer(request, 200, _refused(json.loads(request.body)))
        if fault == "unprocessed":
            return _answer(request, 200, {"Responses": {}, "UnprocessedKeys": json.loads(request.body)["RequestItems"]})
        if fault == "stalled":
            self._fault = None
            self.stall()
            return self._respond(operation, request)
        self._respond(operation, request)
        if fault == "killed after":
            raise Killed(operation)
        raise ReadTimeoutError(endpoint_url=request.url)

    def _respond(self, operation: str, request: Any) -> AWSResponse:
        if ".sqs." in request.url or request.url.startswith("https://sqs."):
            return _answer(request, 200, self.answer_queue(operation, json.loads(request.body)))
        botocore_stubber.enabled = True
        try:
            answer = botocore_stubber("before-send", request)
        finally:
            botocore_stubber.enabled = False
        assert answer is not None
        if operation in WRITES:
            self.written()
        return answer


def _place() -> str:
    """The use case and the adapter's function on the way to the call."""
    found: dict[str, str] = {}
    frame = sys._getframe(2)
    while frame.f_back is not None:
        _, _, path = frame.f_code.co_filename.partition("rubato/layers/core/rubato/")
        path = path or frame.f_code.co_filename.partition("/layers/core/rubato/")[2]
        part = path.partition("/")[0]
        if part in ("usecases", "adapters") and not frame.f_code.co_name.startswith("<"):
            found.setdefault(part, f"{path.removesuffix('.py').removeprefix(part + '/')}.{frame.f_code.co_name}")
        frame = frame.f_back
    return " < ".join(found[part] for part in ("adapters", "usecases") if part in found)


def _answer(request: Any, status: int, body: dict[str, Any]) -> AWSResponse:
    raw = MockRawResponse(json.dumps(body))
    return AWSResponse(request.url, status, {"Content-Type": "application/x-amz-json-1.0"}, raw)


def _refusal(request: Any, code: str, **fields: Any) -> AWSResponse:
    return _answer(request, 400, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code, **fields})


def _conflict(request: Any, operation: str) -> AWSResponse:
    if operation == "PutItem":
        return _refusal(request, "TransactionConflictException")
    reasons = [{"Code": "TransactionConflict"} for _ in json.loads(request.body)["TransactItems"]]
    return _refusal(request, "TransactionCanceledException", CancellationReasons=reasons)


def _refused(asked: dict[str, Any]) -> dict[str, Any]:
    failed = [{"Id": each["Id"], "Code": "InternalError", "SenderFault": False} for each in asked["Entries"]]
    return {"Successful": [], "Failed": failed}
