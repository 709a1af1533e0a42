"""Through the door for agents a key may do what it may do elsewhere, and a model is told what it can act on."""

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
from rubato.interface.mcp import prompts, resources
from rubato.interface.mcp.calls import MAX_CHARACTERS, MAX_TEXT
from rubato.interface.mcp.protocol import SUPPORTED
from rubato.interface.tools import as_mcp, tools
from tests.agents import Agent, text_of
from tests.examples import API_MD
from tests.unit.test_http import ENDPOINT
from tests.worlds import ANNE, MemoryWorld, Stage


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
