"""The API without a network: the real door, entered as API Gateway would."""

from typing import Any
from urllib.parse import parse_qs

import httpx

from rubato.domain.access import ALL_SCOPES, Caller
from rubato.domain.hints import ActorKind
from rubato.interface.gateway import allow
from rubato.interface.http import handle
from rubato.ports import World

URL = "http://in-process/v1"
OWNER = Caller(tenant_id="simulation", key_id="key_simulation", kind=ActorKind.SERVICE, scopes=ALL_SCOPES)


class InProcess(httpx.BaseTransport):
    """A transport for httpx: each request becomes a proxy event of the owner's key."""

    def __init__(self, world: World) -> None:
        self._world = world

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The door's answer; what breaks behind it is raised."""
        answer = handle(self._world, _event(request), on_crash=_reraise)
        return httpx.Response(answer["statusCode"], headers=answer["headers"], text=answer["body"])


def _event(request: httpx.Request) -> dict[str, Any]:
    query = parse_qs(request.url.query.decode(), keep_blank_values=True)
    return {
        "httpMethod": request.method,
        "path": request.url.path.removeprefix("/v1"),
        "headers": dict(request.headers),
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "requestContext": {"requestId": "simulation", "authorizer": allow(OWNER, "arn/stage")["context"]},
        "body": request.content.decode() or None,
    }


def _reraise() -> None:
    raise
