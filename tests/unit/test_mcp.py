"""The door for agents keeps the Model Context Protocol, and lets a key do through it what it may do elsewhere."""

import base64
import json
import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from rubato.domain.access import ALL_SCOPES, Scope, implied
from rubato.domain.exchange import Reply
from rubato.interface.catalog import CATALOG
from rubato.interface.http import handle
from rubato.interface.mcp import prompts, resources
from rubato.interface.mcp.calls import MAX_CHARACTERS, MAX_TEXT
from rubato.interface.mcp.protocol import LEGACY, SUPPORTED
from rubato.interface.tools import as_mcp, tools
from tests.agents import MODERN, Agent, text_of
from tests.examples import API_MD
from tests.unit.test_http import ENDPOINT, VALID
from tests.worlds import ANNE, MALLORY, MemoryWorld, Stage

META = "io.modelcontextprotocol/"


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def agent(world: MemoryWorld) -> Agent:
    return Agent(world)


@pytest.fixture
def endpoint_id(agent: Agent) -> str:
    job_id = agent.call("createJob", name="shop")["structuredContent"]["jobId"]
    return str(agent.call("addEndpointToJob", jobId=job_id, **ENDPOINT)["structuredContent"]["endpointId"])


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


# ----------------------------------------------------------------------------------------- what a key may do, and not

SCOPE_SETS = {
    "none": frozenset[Scope](),
    "read-only": frozenset(scope for scope in Scope if scope.endswith(":read")),
    "writers": frozenset(scope for scope in Scope if scope.endswith(":write")),
    "all": ALL_SCOPES,
    **{scope.value: frozenset({scope}) for scope in Scope},
}


@pytest.mark.parametrize("scopes", SCOPE_SETS.values(), ids=SCOPE_SETS)
def test_the_tools_are_those_of_the_key_and_others_are_refused(world: MemoryWorld, scopes: frozenset[Scope]) -> None:
    agent = Agent(world, replace(ANNE, scopes=scopes))
    allowed = [each.name for each in CATALOG if each.scope is None or each.scope in implied(scopes)]
    assert agent.names() == allowed
    for action in CATALOG:
        if action.name not in allowed:
            result = agent.call(action.name)
            assert result["isError"] and text_of(result).startswith("Not allowed (403 forbidden).")
            assert str(action.scope) in text_of(result)


def test_a_read_only_key_has_only_tools_that_read(world: MemoryWorld) -> None:
    agent = Agent(world, replace(ANNE, scopes=SCOPE_SETS["read-only"]))
    listed = agent.ask("tools/list").body["result"]["tools"]
    assert listed and all(tool["annotations"]["readOnlyHint"] for tool in listed)


def test_the_list_of_one_key_is_not_kept_for_another(agent: Agent) -> None:
    assert agent.ask("tools/list").body["result"]["cacheScope"] == "private"


def test_what_belongs_to_another_tenant_is_not_there(world: MemoryWorld, agent: Agent, endpoint_id: str) -> None:
    Stage(world).play_seconds(61)
    run = agent.call("listRuns")["structuredContent"]["items"][0]
    made = agent.call("createApiKey", label="x", kind="agent", scopes=["jobs:read"])
    ids = {"jobId": run["jobId"], "endpointId": endpoint_id, "runId": run["runId"]}
    ids["keyId"] = "key_none" if made["isError"] else made["structuredContent"]["keyId"]
    mallory = Agent(world, MALLORY)
    for action in CATALOG:
        named = {name: ids[name] for name in action.pattern.groupindex}
        if named:
            result = mallory.call(action.name, **named, **VALID.get(action.name, {}))
            assert result["isError"] and text_of(result).startswith("Not found (404 not_found)."), action.name
    assert mallory.call("listRuns")["structuredContent"]["items"] == []


# ------------------------------------------------------------------------------------------------ what a model is told


def test_an_answer_is_structured_and_the_same_as_text(agent: Agent) -> None:
    result = agent.call("createJob", name="shop")
    assert result["isError"] is False and json.loads(text_of(result)) == result["structuredContent"]


def test_a_refusal_names_each_field_and_the_remedy(agent: Agent, endpoint_id: str) -> None:
    result = agent.call("applyIntervalHint", endpointId=endpoint_id, intervalMs="soon", ttl=5)
    assert result["isError"] and "structuredContent" not in result
    lines = text_of(result).splitlines()
    assert lines[0] == "Invalid input (422 invalid)." and lines[-1] == "Correct these arguments and call again."
    assert "- intervalMs: Input should be a valid integer" in lines and "- ttl: unknown field; remove it" in lines


def test_a_rule_across_fields_is_told_though_the_schema_does_not_say_it(agent: Agent, endpoint_id: str) -> None:
    told = text_of(agent.call("scheduleOneShotRun", endpointId=endpoint_id))
    assert "give exactly one of runAt and runInMs" in told


def test_what_is_unknown_says_where_ids_come_from(agent: Agent) -> None:
    assert "Ids come from listJobs" in text_of(agent.call("getEndpoint", endpointId="made up"))


@pytest.mark.parametrize("odd", ["", "x" * 256, None, 7, ["a"], {"a": 1}, True])
def test_an_id_of_an_impossible_shape_is_refused_before_anything_is_read(agent: Agent, odd: Any) -> None:
    for tool in ("getJob", "getEndpoint", "getRunDetails", "revokeApiKey", "triggerRun"):
        name = next(iter(next(each for each in CATALOG if each.name == tool).pattern.groupindex))
        assert f"- {name}: " in text_of(agent.call(tool, **{name: odd}))


def test_a_change_can_be_bound_to_the_version_that_was_read(agent: Agent, endpoint_id: str) -> None:
    version = agent.call("getEndpoint", endpointId=endpoint_id)["structuredContent"]["version"]
    assert not agent.call("updateEndpointConfig", endpointId=endpoint_id, name="a", ifVersion=version)["isError"]
    told = text_of(agent.call("updateEndpointConfig", endpointId=endpoint_id, name="b", ifVersion=version))
    assert "(412 precondition_failed)" in told and "Read it again" in told
    assert "- ifVersion: " in text_of(
        agent.call("updateEndpointConfig", endpointId=endpoint_id, name="b", ifVersion="1")
    )


def test_a_call_whose_answer_was_lost_can_be_repeated(agent: Agent) -> None:
    first, again = (agent.call("createJob", name="shop", idempotencyKey="k1")["structuredContent"] for _ in range(2))
    assert first == again and len(agent.call("listJobs")["structuredContent"]["items"]) == 1
    assert "(409 conflict)" in text_of(agent.call("createJob", name="other", idempotencyKey="k1"))
    assert "- idempotencyKey: " in text_of(agent.call("createJob", name="shop", idempotencyKey="\n"))
    assert "unknown field" in text_of(agent.call("listJobs", idempotencyKey="k1"))


def test_who_did_it_stands_in_the_audit_trail(world: MemoryWorld, endpoint_id: str) -> None:
    agent = Agent(world, replace(ANNE, key_id="key_agent"))
    agent.call("applyIntervalHint", endpointId=endpoint_id, intervalMs=30_000, reason="look closer")
    event = agent.call("listEndpointEvents", endpointId=endpoint_id)["structuredContent"]["items"][0]
    assert (event["actor"], event["action"], event["reason"]) == ("key_agent", "applyIntervalHint", "look closer")


def test_long_words_of_a_target_are_cut_and_it_is_told(world: MemoryWorld, agent: Agent, endpoint_id: str) -> None:
    world.outbound.answer = lambda _call: Reply(duration_ms=0, status_code=200, body=b"x" * 60_000)
    Stage(world).play_seconds(61)
    run_id = agent.call("listRuns")["structuredContent"]["items"][0]["runId"]
    result = agent.call("getRunDetails", runId=run_id)
    assert len(result["structuredContent"]["response"]["body"]) == MAX_TEXT
    assert result["content"][1]["text"] == "response.body is cut after 20,000 of 60,000 characters."


def test_a_page_that_no_model_can_read_is_refused_with_what_to_do(agent: Agent, endpoint_id: str) -> None:
    job_id = agent.call("getEndpoint", endpointId=endpoint_id)["structuredContent"]["jobId"]
    for number in range(50):
        body = {**ENDPOINT, "name": f"e{number}", "metadata": {"notes": "x" * 3000}}
        agent.call("addEndpointToJob", jobId=job_id, **body)
    result = agent.call("listJobEndpoints", jobId=job_id)
    assert result["isError"] and "smaller limit" in text_of(result)
    page = agent.call("listJobEndpoints", jobId=job_id, limit=10)
    assert len(text_of(page)) < MAX_CHARACTERS and page["structuredContent"]["nextCursor"]
    rest = agent.call("listJobEndpoints", jobId=job_id, limit=10, cursor=page["structuredContent"]["nextCursor"])
    assert len(rest["structuredContent"]["items"]) == 10


def test_an_export_says_how_to_go_on(world: MemoryWorld, agent: Agent, endpoint_id: str) -> None:
    Stage(world).play_seconds(200)
    first = text_of(agent.call("exportRuns", limit=1))
    cursor = first.splitlines()[-1].removeprefix("(More: call again with cursor ").removesuffix(")")
    second = text_of(agent.call("exportRuns", limit=1, cursor=cursor))
    assert json.loads(first.splitlines()[0])["runId"] != json.loads(second.splitlines()[0])["runId"]


def test_requests_of_people_do_not_wait_for_what_only_agents_need() -> None:
    """Schemas and guides are imported and drawn when the first agent asks."""
    program = "import sys, rubato.interface.http; print(*(each for each in sys.modules if each.startswith('rubato.')))"
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert "rubato.interface.http" in told.split()
    for late in ("rubato.interface.mcp", "rubato.interface.tools", "rubato.interface.schemas"):
        assert late not in told.split()


# ---------------------------------------------------------------------------------------------- resources and prompts


def test_every_guide_can_be_read_and_names_only_tools_that_exist(agent: Agent) -> None:
    listed = agent.ask("resources/list").body["result"]["resources"]
    assert [each["name"] for each in listed] == ["overview", "scheduling", "steering", "rules"]
    for each in listed:
        (contents,) = agent.ask("resources/read", {"uri": each["uri"]}).body["result"]["contents"]
        assert contents["uri"] == each["uri"] and contents["text"].startswith("# ") and len(contents["text"]) < 6_000
        assert _foreign_words(contents["text"]) == set()
    assert agent.ask("resources/templates/list").body["result"]["resourceTemplates"] == []


def test_every_prompt_is_filled_with_what_is_given(agent: Agent) -> None:
    listed = agent.ask("prompts/list").body["result"]["prompts"]
    assert [each["name"] for each in listed] == ["set_up_monitoring", "investigate_endpoint", "calm_alert_storm"]
    for each in listed:
        given = {name["name"]: f"<{name['name']}>" for name in each["arguments"]}
        told = agent.ask("prompts/get", {"name": each["name"], "arguments": given}).body["result"]
        text = told["messages"][0]["content"]["text"]
        assert all(value in text for value in given.values()) and "{" not in text
        assert _foreign_words(text) == set()
        required = {name["name"]: "x" for name in each["arguments"] if name["required"]}
        bare = agent.ask("prompts/get", {"name": each["name"], "arguments": required}).body["result"]
        assert "{" not in bare["messages"][0]["content"]["text"]


def test_the_page_on_agents_has_configurations_that_parse_and_names_what_there_is() -> None:
    text = API_MD.with_name("mcp.md").read_text()
    for block in re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        assert json.loads(block)["mcpServers"]["rubato"]
    assert all(version in text for version in SUPPORTED)
    for known in (resources.listed(), prompts.listed()):
        assert all(each["name"] in text for each in known)


def _foreign_words(text: str) -> set[str]:
    """Words that look like names of this API and are none."""
    known = json.dumps([as_mcp(tool) for tool in tools().values()])
    return {word for word in re.findall(r"\b[a-z]+(?:[A-Z][a-z]+)+\b", text) if f'"{word}"' not in known}
