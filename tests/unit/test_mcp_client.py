"""The official client is at home here: in every version that it can speak, directly and through the bridge."""

import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from typing import Any

import anyio
import httpx
import httpx2
import mcp_types
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from cli.mcp import Bridge
from rubato.domain.access import ALL_SCOPES, Scope
from rubato.interface.catalog import CATALOG
from rubato.interface.mcp.protocol import LEGACY
from rubato.interface.tools import as_anthropic, as_mcp, as_openai, tools
from tests.agents import MODERN, InProcess, transport
from tests.unit.test_http import ENDPOINT
from tests.worlds import ANNE, MemoryWorld
from tests.wsgi import Wsgi


def with_client(mode: str, use: Callable[[Client], Any], world: MemoryWorld | None = None) -> None:
    """Connect in this process and run `use`."""

    async def connected() -> None:
        async with (
            httpx2.AsyncClient(transport=InProcess(world or MemoryWorld())) as http,
            Client(transport(http), mode=mode) as client,
        ):
            await use(client)

    anyio.run(connected)


@pytest.mark.parametrize(("mode", "version"), [("auto", MODERN), (MODERN, MODERN), ("legacy", LEGACY[0])])
def test_it_finds_tools_guides_and_prompts_and_calls_them(mode: str, version: str) -> None:
    """It also holds every answer against the output schema of its tool."""

    async def use(client: Client) -> None:
        assert client.session.protocol_version == version
        assert [tool.name for tool in (await client.list_tools()).tools] == [action.name for action in CATALOG]
        made = await client.call_tool("createJob", {"name": "shop"})
        assert made.structured_content is not None and not made.is_error
        job_id = made.structured_content["jobId"]
        added = await client.call_tool("addEndpointToJob", {"jobId": job_id, **ENDPOINT})
        assert added.structured_content is not None
        gone = await client.call_tool("deleteEndpoint", {"endpointId": added.structured_content["endpointId"]})
        assert not gone.is_error and gone.structured_content is None
        refused = await client.call_tool("getJob", {"jobId": "made up"})
        assert refused.is_error and isinstance(refused.content[0], mcp_types.TextContent)
        uri = (await client.list_resources()).resources[0].uri
        assert (await client.read_resource(uri)).contents[0].uri == uri
        assert len((await client.list_prompts()).prompts) == 3
        filled = await client.get_prompt("calm_alert_storm", {"jobId": job_id})
        assert job_id in str(filled.messages[0].content)
        with pytest.raises(MCPError, match="no tool 'fly'"):
            await client.call_tool("fly", {})

    with_client(mode, use)


@pytest.mark.parametrize("version", LEGACY)
def test_it_can_shake_hands_in_every_older_version(version: str) -> None:
    """Left to itself the client asks for the newest handshake only."""

    async def use(client: Client) -> None:
        asked = mcp_types.InitializeRequest(
            params=mcp_types.InitializeRequestParams(
                protocol_version=version,
                capabilities=mcp_types.ClientCapabilities(),
                client_info=mcp_types.Implementation(name="test", version="1"),
            )
        )
        told = await client.session.send_request(asked, mcp_types.InitializeResult)
        assert told.protocol_version == version
        client.session.adopt(told)
        await client.session.send_notification(mcp_types.InitializedNotification())
        assert len((await client.list_tools()).tools) == len(CATALOG)
        called = await client.call_tool("createJob", {"name": "shop"})
        assert (called.structured_content is not None) == (version >= "2025-06-18") and not called.is_error
        await client.session.send_ping()

    with_client("legacy", use)


def bridged(lines: list[Any], status: int | None = None) -> list[Any]:
    """What the bridge writes for these messages, over the door in this process, or over one that answers `status`."""

    def gone(_request: httpx.Request) -> httpx.Response:
        if status:
            return httpx.Response(status, json={"detail": "send a valid API key in x-api-key"})
        raise httpx.ConnectError("refused")

    app: Any = httpx.WSGITransport(Wsgi(MemoryWorld())) if status is None else httpx.MockTransport(gone)
    out = io.BytesIO()
    with httpx.Client(transport=app, headers={"x-api-key": Wsgi.key}) as client:
        bridge = Bridge(client, "http://rubato.test/v1/mcp", out)
        for line in lines:
            bridge.relay(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")
    return [json.loads(line) for line in out.getvalue().splitlines()]


SHAKE = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-06-18"}}
PING = {"jsonrpc": "2.0", "id": "p", "method": "ping"}


def test_the_bridge_answers_each_request_with_one_line_and_a_notification_with_none() -> None:
    said = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    told = bridged([SHAKE, said, PING])
    assert [each["id"] for each in told] == [0, "p"] and told[0]["result"]["protocolVersion"] == "2025-06-18"


def test_the_bridge_mirrors_the_body_in_the_headers_that_the_newest_version_wants() -> None:
    meta = {f"io.modelcontextprotocol/{name}": value for name, value in
            [("protocolVersion", MODERN), ("clientCapabilities", {})]}  # fmt: skip
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "getUsage", "_meta": meta}}
    odd = {"jsonrpc": "2.0", "id": 2, "method": "resources/read", "params": {"uri": "rubato://\u00fc", "_meta": meta}}
    told = bridged([call, odd])
    assert told[0]["result"]["resultType"] == "complete" and told[1]["error"]["code"] == -32602


def test_the_bridge_outlives_garbage_and_a_server_that_is_gone_or_refuses() -> None:
    assert [each["error"]["code"] for each in bridged([b"{\n", b"[" * 100_000])] == [-32700, -32700]
    told = bridged([PING, {"jsonrpc": "2.0", "method": "notifications/initialized"}, PING], status=0)
    assert [(each["id"], each["error"]["code"]) for each in told] == [("p", -32603)] * 2
    assert "can't be reached (ConnectError)" in told[0]["error"]["message"]
    (refused,) = bridged([PING], status=401)
    assert refused["error"]["message"] == "401 send a valid API key in x-api-key"


def test_the_bridge_never_tells_the_key(capsys: pytest.CaptureFixture[str]) -> None:
    with redirect_stdout(io.StringIO()) as out:
        bridged([PING, b"{"], status=0)
        bridged([PING], status=500)
    said = capsys.readouterr()
    assert Wsgi.key not in said.err + said.out + out.getvalue() and "rubato mcp: " in said.err


READING = frozenset({Scope.JOBS_READ, Scope.ENDPOINTS_READ, Scope.RUNS_READ})
STEERING = READING | {Scope.SCHEDULE_WRITE}


def test_what_the_tools_cost_a_model_is_printed(record_property: Callable[[str, object], None]) -> None:
    """Tokens are estimated as characters of compact JSON by four."""
    forms = {"MCP": as_mcp, "OpenAI": as_openai, "Anthropic": as_anthropic}
    for name, form in forms.items():
        text = json.dumps([form(tool) for tool in tools().values()], separators=(",", ":"), ensure_ascii=False)
        record_property(f"tokens of all tools for {name}, estimated", len(text) // 4)
    for holder, scopes in {"all": ALL_SCOPES, "a steering agent's": STEERING, "a reading agent's": READING}.items():
        shown = [tool for tool in tools().values() if replace(ANNE, scopes=scopes).may(tool.action.scope)]
        bare = [{k: v for k, v in as_mcp(tool).items() if k != "outputSchema"} for tool in shown]
        tokens = len(json.dumps(bare, separators=(",", ":"))) // 4
        record_property(f"tokens of {holder} {len(shown)} tools for MCP without output schemas, estimated", tokens)
