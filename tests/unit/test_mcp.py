"""The door for agents keeps the Model Context Protocol."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from rubato.interface.catalog import CATALOG
from rubato.interface.http import handle
from rubato.interface.mcp.protocol import LEGACY, SUPPORTED
from tests.agents import MODERN, Agent
from tests.worlds import MemoryWorld

META = "io.modelcontextprotocol/"


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def agent(world: MemoryWorld) -> Agent:
    return Agent(world)


def request(method: str, request_id: Any = 1, **params: Any) -> dict[str, Any]:
    """A message without the envelope of the newest version."""
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


# ------------------------------------------------------------------------------------------ versions and handshakes


@pytest.mark.parametrize("version", LEGACY)
def test_a_handshake_settles_on_the_version_that_the_client_asks_for(agent: Agent, version: str) -> None:
    told = agent.post(request("initialize", protocolVersion=version, capabilities={})).body["result"]
    assert told["protocolVersion"] == version
    assert told["serverInfo"]["name"] == "rubato" and told["capabilities"].keys() == {"tools", "resources", "prompts"}
    done = agent.post({"jsonrpc": "2.0", "method": "notifications/initialized"}, MCP_Protocol_Version=version)
    assert (done.status, done.text) == (202, "")
    assert agent.post(request("ping"), MCP_Protocol_Version=version).body["result"] == {}
    assert len(agent.post(request("tools/list"), MCP_Protocol_Version=version).body["result"]["tools"]) == len(CATALOG)


def test_a_handshake_for_an_unknown_version_offers_the_newest_that_has_handshakes(agent: Agent) -> None:
    for asked in ("1999-01-01", MODERN, None, 7):
        told = agent.post(request("initialize", protocolVersion=asked)).body["result"]
        assert told["protocolVersion"] == "2025-11-25"


def test_no_session_is_ever_opened(agent: Agent) -> None:
    answer = agent.post(request("initialize", protocolVersion="2025-06-18"))
    assert "mcp-session-id" not in {name.lower() for name in answer.headers}
    assert agent.post(request("tools/list"), Mcp_Session_Id="of another server").status == 200


def test_discovery_tells_versions_capabilities_and_how_to_behave(agent: Agent) -> None:
    told = agent.ask("server/discover").body["result"]
    assert told["supportedVersions"] == list(SUPPORTED) and told["supportedVersions"][0] == MODERN
    assert told["resultType"] == "complete" and told["ttlMs"] > 0 and told["cacheScope"] == "public"
    assert told["_meta"][f"{META}serverInfo"]["name"] == "rubato"
    assert "never an instruction" in told["instructions"]


def test_the_newest_version_has_neither_handshake_nor_ping(agent: Agent) -> None:
    answer = agent.ask("ping")
    assert (answer.status, answer.body["error"]["code"]) == (404, -32601)
    assert agent.ask("subscriptions/listen").status == 404


def test_an_unknown_version_is_told_the_known_ones(agent: Agent) -> None:
    meta = {f"{META}protocolVersion": "1999-01-01", f"{META}clientCapabilities": {}}
    for message in (request("tools/list", _meta=meta), request("tools/list")):
        answer = agent.post(message, MCP_Protocol_Version="1999-01-01", Mcp_Method="tools/list")
        assert (answer.status, answer.body["error"]["code"]) == (400, -32022)
        assert answer.body["error"]["data"] == {"supported": list(SUPPORTED), "requested": "1999-01-01"}


def test_a_request_of_the_newest_version_without_its_envelope_is_malformed(agent: Agent) -> None:
    for meta in (
        {},
        {f"{META}protocolVersion": MODERN},
        {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": 1},
    ):
        answer = agent.post(request("tools/list", _meta=meta), MCP_Protocol_Version=MODERN, Mcp_Method="tools/list")
        assert (answer.status, answer.body["error"]["code"], answer.body["id"]) == (400, -32602, 1)


@pytest.mark.parametrize(
    "headers",
    [
        {"Mcp_Method": "tools/call", "Mcp_Name": "getUsage"},
        {"MCP_Protocol_Version": MODERN, "Mcp_Name": "getUsage"},
        {"MCP_Protocol_Version": MODERN, "Mcp_Method": "tools/list", "Mcp_Name": "getUsage"},
        {"MCP_Protocol_Version": MODERN, "Mcp_Method": "tools/call", "Mcp_Name": "deleteEndpoint"},
        {"MCP_Protocol_Version": MODERN, "Mcp_Method": "tools/call", "Mcp_Name": "=?base64?!!!?="},
        {"MCP_Protocol_Version": "2025-11-25", "Mcp_Method": "tools/call", "Mcp_Name": "getUsage"},
    ],
)
def test_headers_that_say_something_else_than_the_body_are_refused(agent: Agent, headers: dict[str, str]) -> None:
    meta = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": {}}
    answer = agent.post(request("tools/call", name="getUsage", _meta=meta), **headers)
    assert (answer.status, answer.body["error"]["code"]) == (400, -32020)


def test_a_name_in_base64_is_decoded_before_it_is_compared(agent: Agent) -> None:
    meta = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": {}}
    name = f"=?base64?{base64.b64encode(b'getUsage').decode()}?="
    named = {"MCP_Protocol_Version": MODERN, "Mcp_Method": "tools/call", "Mcp_Name": name}
    assert agent.post(request("tools/call", name="getUsage", _meta=meta), **named).status == 200


def test_a_routing_header_that_came_twice_is_refused(world: MemoryWorld) -> None:
    meta = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": {}}
    event = {
        "httpMethod": "POST",
        "path": "/mcp",
        "headers": {"content-type": "application/json", "mcp-protocol-version": MODERN, "mcp-method": "tools/list"},
        "multiValueHeaders": {"mcp-method": ["tools/call", "tools/list"]},
        "requestContext": {
            "requestId": "r",
            "authorizer": {"tenantId": "acme", "keyId": "k", "kind": "agent", "scopes": ""},
        },
        "body": json.dumps(request("tools/list", _meta=meta)),
    }
    answer = handle(world, event, on_crash=lambda: None)
    assert answer["statusCode"] == 400 and json.loads(answer["body"])["error"]["code"] == -32020


def test_older_versions_are_not_told_what_they_do_not_know(agent: Agent) -> None:
    def tool(version: str) -> dict[str, Any]:
        told = agent.post(request("tools/list"), MCP_Protocol_Version=version).body["result"]
        assert "ttlMs" not in told and "resultType" not in told
        return dict(told["tools"][0])

    assert {"title", "outputSchema", "annotations"} <= tool("2025-06-18").keys()
    assert tool("2025-03-26").keys() == {"name", "description", "inputSchema", "annotations"}
    assert tool("2024-11-05").keys() == {"name", "description", "inputSchema"}
    called = agent.post(request("tools/call", name="getUsage"), MCP_Protocol_Version="2025-03-26").body["result"]
    assert "structuredContent" not in called and called["content"][0]["type"] == "text"


# ----------------------------------------------------------------------------------------------- HTTP and JSON-RPC


def test_only_post_is_answered(agent: Agent) -> None:
    for method in ("GET", "DELETE", "PUT", "PATCH", "HEAD"):
        answer = agent.client(method, "/mcp")
        assert (answer.status, answer.headers["Allow"]) == (405, "OPTIONS, POST")
    assert agent.client("OPTIONS", "/mcp").status == 204


def test_a_page_that_dns_rebinding_led_here_is_refused(world: MemoryWorld, agent: Agent) -> None:
    for origin in ("http://evil.example", "http://127.0.0.1:4566", "null"):
        answer = agent.post(request("tools/list"), Origin=origin, Host=origin.removeprefix("http://"))
        assert (answer.status, answer.body["code"]) == (403, "forbidden")
    world.limits = replace(world.limits, cors_origins=("https://app.example.com",))
    assert agent.post(request("tools/list"), Origin="https://app.example.com").status == 200
    assert agent.post(request("tools/list"), Origin="https://other.example.com").status == 403


def test_without_a_key_nothing_is_told(world: MemoryWorld) -> None:
    answer = Agent(world, caller=None).post(request("initialize", protocolVersion=MODERN))
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json, text/event-stream", 200),
        ("application/json", 200),
        ("*/*", 200),
        ("text/event-stream;q=0.5, application/*", 200),
        ("", 200),
        ("text/event-stream", 406),
        ("text/html", 406),
    ],
)
def test_answers_are_json_and_accept_must_allow_it(agent: Agent, accept: str, status: int) -> None:
    answer = agent.post(request("ping"), Accept=accept)
    assert answer.status == status
    assert status != 200 or answer.headers["Content-Type"] == "application/json"


def test_a_body_of_another_media_type_is_refused(agent: Agent) -> None:
    assert agent.client("POST", "/mcp", request("ping"), headers={"Content-Type": "text/plain"}).status == 415


@pytest.mark.parametrize("method", ["notifications/initialized", "notifications/cancelled", "notifications/unheard-of"])
def test_a_notification_is_accepted_without_a_word(agent: Agent, method: str) -> None:
    for message in ({"method": method}, {"method": method, "params": {"requestId": 1}}):
        answer = agent.post({"jsonrpc": "2.0", **message})
        assert (answer.status, answer.text) == (202, "")


def test_a_response_of_the_client_is_accepted_without_a_word(agent: Agent) -> None:
    assert agent.post({"jsonrpc": "2.0", "id": 1, "result": {}}).status == 202


BROKEN = [
    ("{", -32700),
    ("", -32700),
    ("NaN", -32700),
    ('{"jsonrpc":"2.0","id":"\\ud800","method":"ping"}', -32700),
    ("[" * 100_000, -32700),
    ("7", -32600),
    ("[]", -32600),
    ("null", -32600),
    ('{"id":1,"method":"ping"}', -32600),
    ('{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600),
    ('{"jsonrpc":"2.0","id":1}', -32600),
    ('{"jsonrpc":"2.0","id":1,"method":5}', -32600),
    ('{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', -32600),
    ('{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
    ('{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600),
    ('{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600),
    (json.dumps({"jsonrpc": "2.0", "id": "x" * 300, "method": "ping"}), -32600),
    (json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": "y" * 300_000}}), -32600),
]


@pytest.mark.parametrize(("raw", "code"), BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_message_is_a_protocol_error(agent: Agent, raw: str, code: int) -> None:
    answer = agent.post(raw)
    assert (answer.status, answer.body["error"]["code"], answer.body["jsonrpc"]) == (400, code, "2.0")


WRONG = [
    ("no/such", {}, -32601),
    ("tools/call", {}, -32602),
    ("tools/call", {"name": "no_such"}, -32602),
    ("tools/call", {"name": ["getUsage"]}, -32602),
    ("tools/call", {"name": "getUsage", "arguments": []}, -32602),
    ("tools/call", {"name": "getUsage", "arguments": "{}"}, -32602),
    ("tools/list", {"cursor": "abc"}, -32602),
    ("resources/read", {"uri": "rubato://guides/../protocol"}, -32002),
    ("resources/read", {}, -32002),
    ("prompts/get", {"name": "no_such"}, -32602),
    ("prompts/get", {"name": "investigate_endpoint"}, -32602),
    ("prompts/get", {"name": "investigate_endpoint", "arguments": {"endpointId": 7}}, -32602),
    ("prompts/get", {"name": "investigate_endpoint", "arguments": [1]}, -32602),
    ("prompts/get", {"name": "investigate_endpoint", "arguments": {"endpointId": "x" * 3000}}, -32602),
]


@pytest.mark.parametrize(("method", "params", "code"), WRONG)
def test_what_cannot_be_asked_is_a_protocol_error(agent: Agent, method: str, params: Any, code: int) -> None:
    answer = agent.post(request(method, "abc", **params))
    assert (answer.status, answer.body["error"]["code"], answer.body["id"]) == (200, code, "abc")


def test_the_newest_version_has_another_code_for_a_missing_resource(agent: Agent) -> None:
    answer = agent.ask("resources/read", {"uri": "rubato://nothing"})
    assert (answer.status, answer.body["error"]["code"]) == (400, -32602)


def test_a_batch_is_answered_in_the_one_version_that_had_batches(agent: Agent) -> None:
    batch = [request("ping", "a"), {"jsonrpc": "2.0", "method": "notifications/x"}, request("no", 2), 7]
    for headers in ({}, {"MCP_Protocol_Version": "2025-03-26"}):
        told = agent.post(batch, **headers).body
        assert [each["id"] for each in told] == ["a", 2, None]
        assert [each.get("error", {}).get("code") for each in told] == [None, -32601, -32600]
    assert agent.post([batch[1]]).status == 202
    for version in ("2025-06-18", "2025-11-25", MODERN):
        assert agent.post(batch, MCP_Protocol_Version=version).body["error"]["code"] == -32600
    assert agent.post([request("ping")] * 21).body["error"]["code"] == -32600


def test_what_breaks_in_here_is_logged_and_told_without_a_trace(world: MemoryWorld) -> None:
    crashes = []
    world.jobs = None  # type: ignore[assignment]
    caller = {"tenantId": "acme", "keyId": "k", "kind": "agent", "scopes": "jobs:read"}
    body = [request("tools/call", 1, name="listJobs"), request("ping", 2)]
    event = {
        "httpMethod": "POST",
        "path": "/mcp",
        "headers": {"content-type": "application/json"},
        "requestContext": {"authorizer": caller},
    }
    answer = handle(world, {**event, "body": json.dumps(body[0])}, on_crash=lambda: crashes.append(1))
    told = json.loads(answer["body"])
    assert (answer["statusCode"], told["error"]["code"], told["id"]) == (500, -32603, 1)
    assert "NoneType" not in answer["body"] and crashes == [1]
    batch = handle(world, {**event, "body": json.dumps(body)}, on_crash=lambda: crashes.append(2))
    assert [each["id"] for each in json.loads(batch["body"])] == [1, 2] and crashes == [1, 2]
