"""Every action is a tool that models can use: names, texts, schemas, and the formats that providers take."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs
import pytest

from rubato.domain.access import ALL_SCOPES, Scope
from rubato.domain.hints import ActorKind
from rubato.interface import routes
from rubato.interface.catalog import CATALOG
from rubato.interface.tools import Tool, as_anthropic, as_mcp, as_openai, tools
from tests import examples
from tests.agents import Agent, text_of
from tests.unit.clients import Client
from tests.worlds import ANNE, MemoryWorld, a_key

TOOLS = list(tools().values())
# Agents know these by heart: a name that changes breaks somebody.
THE_17 = (
    "createJob getJob listJobs updateJob archiveJob addEndpointToJob updateEndpointConfig deleteEndpoint listJobEndpoints "
    "applyIntervalHint scheduleOneShotRun pauseOrResumeEndpoint clearAdaptiveHints resetFailureCount listRuns "
    "getRunDetails summarizeEndpointHealth"
)
BESIDE_THEM = (
    "getEndpoint triggerRun previewSchedule listEndpointEvents exportRuns createApiKey listApiKeys revokeApiKey getUsage "
    "describeServiceCatalog"
)
each_tool = pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.action.name)


def test_the_names_stay() -> None:
    assert {*THE_17.split(), *BESIDE_THEM.split()} <= tools().keys()
    assert len(THE_17.split()) == 17


def test_there_is_a_tool_for_each_action_and_none_else() -> None:
    assert [tool.action for tool in TOOLS] == list(CATALOG)
    assert Agent(MemoryWorld()).names() == [action.name for action in CATALOG]


@each_tool
def test_a_name_fits_every_provider(tool: Tool) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", tool.action.name)
    assert re.fullmatch(r"[A-Z][A-Za-z ]+", tool.title)


@each_tool
def test_a_description_is_short_and_says_more_than_the_name(tool: Tool) -> None:
    assert tool.description.startswith(tool.action.summary)
    assert 20 < len(tool.description) <= 300


@each_tool
def test_the_schemas_are_valid_whole_and_plain_at_the_top(tool: Tool) -> None:
    for schema in (as_mcp(tool)["inputSchema"], tool.takes, *([tool.gives] if tool.gives else [])):
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
        assert schema["type"] == "object" and "properties" in schema
        # Anthropic and OpenAI refuse these at the top; several clients lose references.
        assert not schema.keys() & {"oneOf", "anyOf", "allOf", "enum", "not", "$defs"}
        assert "$ref" not in json.dumps(schema)
    assert tool.takes["additionalProperties"] is False


@each_tool
def test_every_argument_says_what_it_is(tool: Tool) -> None:
    arguments = as_mcp(tool)["inputSchema"]["properties"]
    assert all(each["description"] for each in arguments.values())
    fields = {field.alias or name for name, field in tool.action.takes.model_fields.items()}
    assert arguments.keys() - fields <= {"ifVersion", "idempotencyKey"}


@each_tool
def test_the_hints_follow_the_marks_of_the_action(tool: Tool) -> None:
    hints = as_mcp(tool)["annotations"]
    assert hints["readOnlyHint"] == tool.action.read_only and hints["idempotentHint"] == tool.action.idempotent
    assert hints["destructiveHint"] == tool.action.destructive
    assert not (hints["readOnlyHint"] and hints["destructiveHint"])


def test_rules_across_fields_are_told_in_words() -> None:
    assert "runAt or runInMs, not both" in tools()["scheduleOneShotRun"].description
    fields = tools()["previewSchedule"].takes["properties"]
    assert fields["baseline"]["description"].endswith("Exactly one of intervalMs, cron, manual and after.")


def test_null_stands_only_where_it_means_something() -> None:
    assert '"null"' not in json.dumps(tools()["addEndpointToJob"].takes)
    assert {"type": "null"} in tools()["pauseOrResumeEndpoint"].takes["properties"]["pauseUntil"]["anyOf"]
    assert tools()["updateJob"].takes["properties"]["owner"]["type"] == ["string", "null"]


@each_tool
def test_nesting_and_size_stay_within_the_limits_of_strict_providers(tool: Tool) -> None:
    """OpenAI's of strict schemas: 10 levels and 5,000 properties in all, 120,000 characters of names and enums."""
    assert max(_depths(tool.takes)) <= 10
    assert len(_compact(tool.takes)) < 10_000


def test_all_tools_together_leave_a_model_room() -> None:
    """Tokens are taken for characters of compact JSON by four; printed by test_mcp_client."""
    sizes = {form.__name__: len(_compact([form(tool) for tool in TOOLS])) // 4 for form in (as_openai, as_anthropic)}
    per_tool = max(sizes.values()) / len(TOOLS)
    assert per_tool < 450, sizes
    assert len(_compact([as_mcp(tool) for tool in TOOLS])) / 4 / len(TOOLS) < 900


def test_the_catalog_tells_every_action_and_which_ones_the_key_may_use() -> None:
    reader = Client(MemoryWorld(), replace(ANNE, scopes=frozenset({Scope.RUNS_READ})))
    told = {each["name"]: each for each in reader("GET", "/actions").body["actions"]}
    assert list(told) == [action.name for action in CATALOG]
    assert told["listRuns"]["allowed"] and not told["createJob"]["allowed"]
    assert (told["createJob"]["method"], told["createJob"]["path"]) == ("POST", "/jobs")
    assert told["createJob"]["scope"] == "jobs:write" and told["describeServiceCatalog"]["scope"] is None


def test_the_catalog_gives_the_tools_of_the_key_in_each_format() -> None:
    reader = Client(MemoryWorld(), replace(ANNE, scopes=frozenset({Scope.RUNS_READ})))

    def told(form: str) -> list[dict[str, Any]]:
        answer = reader("GET", "/actions", query={"format": form})
        assert answer.status == 200 and answer.body["format"] == form
        return list(answer.body["tools"])

    expected = [action.name for action in CATALOG if action.scope in (Scope.RUNS_READ, None)]
    assert [tool["name"] for tool in told("mcp")] == expected
    assert told("mcp") == Agent(MemoryWorld(), reader.caller).ask("tools/list").body["result"]["tools"]
    for tool in told("openai"):
        assert tool.keys() == {"type", "function"} and tool["type"] == "function"
        assert tool["function"].keys() == {"name", "description", "parameters", "strict"}
    assert [tool["function"]["name"] for tool in told("openai")] == expected
    for tool in told("anthropic"):
        assert tool.keys() == {"name", "description", "input_schema"}
    assert reader("GET", "/actions", query={"format": "yaml"}).paths() == ["format"]


def test_every_example_of_the_documentation_works_through_its_tool_as_well() -> None:
    """What satisfies the documentation satisfies the input schema, and what comes back the output schema."""
    world = MemoryWorld()
    key, _ = a_key(world, "acme", label="own", kind=ActorKind.HUMAN, scopes=ALL_SCOPES)
    caller = replace(ANNE, key_id=key.key_id)
    client, agent = Client(world, caller), Agent(world, caller)

    def send(method: str, path: str, headers: Mapping[str, str], body: str) -> tuple[int, str]:
        world.clock.instant += 1
        route, _, query = path.partition("?")
        found = [(action, match) for action, match in routes.matching(route) if action.method == method]
        if found:
            action, match = found[0]
            schema = as_mcp(tools()[action.name])["inputSchema"]
            arguments = {**match.groupdict(), **_typed(dict(parse_qsl(query)), schema), **_from_headers(headers)}
            plain = _json_object(body)
            result = agent.call(action.name, **arguments, **plain) if plain is not None else {"isError": True}
            if not result["isError"]:
                jsonschema_rs.validate(schema, {**arguments, **(plain or {})})
                return action.status, _answer(result, tools()[action.name])
        answer = client(method, route, raw=body, query=dict(parse_qsl(query)), headers=dict(headers))
        if found and plain is not None:
            assert f"({answer.status} {answer.body['code']})" in text_of(result)
        return answer.status, answer.text

    examples.play(list(examples.read(examples.API_MD.read_text())), send, {"unique": "8e03978e"})


def _answer(result: dict[str, Any], tool: Tool) -> str:
    if tool.gives is None:
        return "" if tool.action.gives is None else text_of(result)
    jsonschema_rs.validate(tool.gives, result["structuredContent"])
    assert json.loads(text_of(result)) == result["structuredContent"]
    return text_of(result)


def _typed(query: dict[str, str], schema: dict[str, Any]) -> dict[str, Any]:
    kinds = {name: schema["properties"].get(name, {}).get("type") for name in query}
    return {
        k: int(v) if kinds[k] == "integer" else v == "true" if kinds[k] == "boolean" else v for k, v in query.items()
    }


def _from_headers(headers: Mapping[str, str]) -> dict[str, Any]:
    named = {name.lower(): value for name, value in headers.items()}
    key, version = named.get("idempotency-key"), named.get("if-match", "").strip('"')
    return {**({"idempotencyKey": key} if key else {}), **({"ifVersion": int(version)} if version else {})}


def _json_object(body: str) -> dict[str, Any] | None:
    try:
        given = json.loads(body) if body else {}
    except ValueError:
        return None
    return given if isinstance(given, dict) else None


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _depths(schema: Any, depth: int = 0) -> Iterator[int]:
    yield depth
    if isinstance(schema, dict):
        for key, value in schema.items():
            yield from _depths(value, depth + (key == "properties"))
    if isinstance(schema, list):
        for value in schema:
            yield from _depths(value, depth)
