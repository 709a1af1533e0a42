"""A client of the HTTP door, and what it gets back."""

import json
from typing import Any

from rubato.domain.access import Caller
from rubato.interface.gateway import context_of
from rubato.interface.http import handle
from tests.worlds import ANNE, MemoryWorld


class Client:
    """Speaks to the door as API Gateway would, as one caller."""

    def __init__(self, world: MemoryWorld, caller: Caller | None = ANNE) -> None:
        self.world, self.caller = world, caller

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        raw: str | None = None,
    ) -> "Answer":
        authorizer = context_of(self.caller) if self.caller else None
        text = raw if raw is not None else (json.dumps(body) if body is not None else None)
        event = {
            "httpMethod": method,
            "path": path,
            "headers": {"Content-Type": "application/json", **(headers or {})},
            "queryStringParameters": query,
            "requestContext": {"requestId": "req-1", "authorizer": authorizer},
            "body": text,
        }

        def crash() -> None:
            raise

        return Answer(handle(self.world, event, on_crash=crash))


class Answer:
    """What came back."""

    def __init__(self, event: dict[str, Any]) -> None:
        self.status = event["statusCode"]
        self.headers = event["headers"]
        self.text: str = event["body"]
        is_json = self.headers.get("Content-Type", "").endswith(("/json", "+json"))
        self.body: Any = json.loads(self.text) if self.text and is_json else None

    def paths(self) -> list[str]:
        """The fields that were refused."""
        return [each["path"] for each in self.body["errors"]]
