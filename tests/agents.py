"""An agent for tests: raw messages to /mcp, and the official client over the door in this process."""

import json
from typing import Any

import httpx2
from mcp.client.streamable_http import streamable_http_client

from rubato.domain.access import Caller
from rubato.interface.gateway import context_of
from rubato.interface.http import handle
from tests.unit.clients import Answer, Client
from tests.worlds import ANNE, MemoryWorld

MODERN = "2026-07-28"
_META = "io.modelcontextprotocol/"


class Agent:
    """Speaks the newest version in raw messages, as one caller."""

    def __init__(self, world: MemoryWorld, caller: Caller | None = ANNE) -> None:
        self.client = Client(world, caller)

    def post(self, message: Any, **headers: str) -> Answer:
        """Whatever it is, with these headers; their names have _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        raw = message if isinstance(message, str) else json.dumps(message)
        return self.client("POST", "/mcp", raw=raw, headers=named)

    def ask(self, method: str, params: dict[str, Any] | None = None) -> Answer:
        """A request as the specification wants it."""
        given = {**(params or {}), "_meta": {f"{_META}protocolVersion": MODERN, f"{_META}clientCapabilities": {}}}
        named = {"Mcp_Name": str(given.get("name", given.get("uri")))} if {"name", "uri"} & given.keys() else {}
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": given}
        return self.post(message, MCP_Protocol_Version=MODERN, Mcp_Method=method, **named)

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The result of a tool."""
        answer = self.ask("tools/call", {"name": tool, "arguments": arguments})
        assert answer.status == 200, answer.text
        result: dict[str, Any] = answer.body["result"]
        return result

    def names(self) -> list[str]:
        """The tools that are listed."""
        return [tool["name"] for tool in self.ask("tools/list").body["result"]["tools"]]


def text_of(result: dict[str, Any]) -> str:
    """What a model reads."""
    return "\n".join(block["text"] for block in result["content"])


class InProcess(httpx2.AsyncBaseTransport):
    """Carries requests of the official client to the door, as API Gateway would."""

    def __init__(self, world: MemoryWorld, caller: Caller = ANNE) -> None:
        self.world, self.caller = world, caller

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One proxy event."""
        event = {
            "httpMethod": request.method,
            "path": "/mcp",
            "headers": dict(request.headers),
            "multiValueHeaders": {name: [value] for name, value in request.headers.items()},
            "requestContext": {"requestId": "req-1", "authorizer": context_of(self.caller)},
            "body": (await request.aread()).decode() or None,
        }
        answer = handle(self.world, event, on_crash=_reraise)
        return httpx2.Response(answer["statusCode"], headers=answer["headers"], text=answer["body"])


def transport(http: httpx2.AsyncClient, url: str = "http://rubato.test/mcp") -> Any:
    """What mcp.Client takes."""
    return streamable_http_client(url, http_client=http)


def _reraise() -> None:
    raise
