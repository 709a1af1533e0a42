"""Whatever is sent to the door for agents, the answer is JSON-RPC or a problem, and nothing breaks."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rubato.interface.tools import tools
from tests.agents import Agent
from tests.worlds import MemoryWorld

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
METHODS = st.sampled_from(
    ["initialize", "server/discover", "ping", "tools/list", "tools/call", "resources/list", "resources/read",
     "resources/templates/list", "prompts/list", "prompts/get", "notifications/cancelled"]
)  # fmt: skip
VERSIONS = st.sampled_from(["", "2026-07-28", "2025-11-25", "2025-03-26", "2024-11-05", "x"])
NAMES = st.sampled_from([*tools(), "calm_alert_storm", "rubato://guides/rules"]) | VALUES
META: st.SearchStrategy[Any] = st.fixed_dictionaries({}, optional={
    "io.modelcontextprotocol/protocolVersion": VERSIONS | VALUES,
    "io.modelcontextprotocol/clientCapabilities": st.just({}) | VALUES,
})  # fmt: skip
PARAMS = st.fixed_dictionaries({}, optional={
    "name": NAMES, "uri": NAMES, "arguments": VALUES, "_meta": META | VALUES, "cursor": VALUES, "protocolVersion": VALUES,
})  # fmt: skip
MESSAGES = st.fixed_dictionaries(
    {},
    optional={"jsonrpc": st.just("2.0") | VALUES, "id": VALUES, "method": METHODS | VALUES, "params": PARAMS | VALUES},
)
REQUESTS = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0"), "id": st.integers() | st.text(max_size=9), "method": METHODS, "params": PARAMS}
)
AGENT = Agent(MemoryWorld())


def check(raw: str, **headers: str) -> None:
    """The client of the test raises what breaks in the door."""
    answer = AGENT.post(raw, **headers)
    assert answer.status in (200, 202, 400, 404), answer.text
    if answer.status == 202:
        assert answer.text == ""
        return
    for each in answer.body if isinstance(answer.body, list) else [answer.body]:
        assert each["jsonrpc"] == "2.0" and ("result" in each) != ("error" in each)
    assert "Traceback" not in answer.text and answer.text.encode()


@given(message=MESSAGES | st.lists(MESSAGES, max_size=3) | VALUES, version=VERSIONS)
def test_messages_of_any_shape(message: Any, version: str) -> None:
    check(json.dumps(message), MCP_Protocol_Version=version)


@given(message=REQUESTS, version=VERSIONS)
def test_requests_with_any_parameters(message: Any, version: str) -> None:
    name = message["params"].get("name", message["params"].get("uri"))
    check(json.dumps(message), MCP_Protocol_Version=version, Mcp_Method=message["method"], Mcp_Name=str(name))


@given(tool=st.sampled_from(list(tools())), data=st.data())
def test_calls_with_any_arguments(tool: str, data: st.DataObject) -> None:
    fields = tools()[tool].takes["properties"]
    arguments = data.draw(
        st.dictionaries(st.sampled_from([*fields, "ifVersion", "idempotencyKey"]), VALUES, max_size=5)
    )
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
    check(json.dumps(message))


@given(raw=st.text(max_size=60))
def test_bodies_that_are_any_text(raw: str) -> None:
    check(raw)


def test_arguments_that_nest_deeply_or_are_huge() -> None:
    for value in ("[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900, "[" * 5000 + "]" * 5000, "9" * 5000, "1e999"):
        for tool in ("createJob", "addEndpointToJob", "getJob", "fly"):
            call = f'{{"name":"{tool}","arguments":{{"jobId":"j","metadata":{value}}}}}'
            check(f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{call}}}')
