"""The HTTP door as a WSGI application, for tools that want one."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from rubato.domain.access import Caller
from rubato.interface import http, synthetic
from rubato.interface.gateway import context_of
from tests.worlds import ANNE, MemoryWorld


class Wsgi:
    """API Gateway in small: turns each request into a proxy event, of the one caller if it has the key."""

    key = "the key"

    def __init__(self, world: MemoryWorld, caller: Caller = ANNE) -> None:
        self.world, self.caller = world, caller
        self.requests = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """PEP 3333."""
        self.requests += 1
        event = self._event(environ)
        door = synthetic if event["path"] in synthetic.TARGETS else http  # as template.yaml tells them apart
        answer = door.handle(self.world, event, on_crash=_reraise)
        status = HTTPStatus(answer["statusCode"])
        start_response(f"{status.value} {status.phrase}", list(answer["headers"].items()))
        return [answer["body"].encode()]

    def _event(self, environ: dict[str, Any]) -> dict[str, Any]:
        query = parse_qs(environ["QUERY_STRING"], keep_blank_values=True)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length).decode(errors="replace")
        headers = {key[5:].replace("_", "-"): value for key, value in environ.items() if key.startswith("HTTP_")}
        full = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        return {
            "httpMethod": environ["REQUEST_METHOD"],
            "path": full.removeprefix("/v1"),
            "headers": {**headers, "Content-Type": environ.get("CONTENT_TYPE", "")},
            "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
            "multiValueQueryStringParameters": query or None,
            "requestContext": {
                "requestId": "req-1",
                "path": full,
                "authorizer": context_of(self.caller) if headers.get("X-API-KEY") == self.key else None,
            },
            "body": body or None,
        }


def _reraise() -> None:
    raise
