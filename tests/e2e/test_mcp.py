"""An agent on the local stack: the official client calls each action, directly and through `rubato mcp`.

To read what was said: .venv/bin/pytest -s tests/e2e/test_mcp.py
"""

import json
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client, StdioServerParameters

from cli.target import Target
from rubato.interface.catalog import CATALOG
from rubato.interface.mcp.protocol import LEGACY
from tests.agents import MODERN, transport
from tests.e2e.conftest import LocalStack
from tests.unit.test_tools import THE_17

_WIDTH = 200
_PATIENCE_S = 30
Use = Callable[["Transcript"], Awaitable[None]]


class Transcript:
    """Calls tools, prints what is said, and remembers which tools were called."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.called: set[str] = set()

    async def __call__(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured answer; a refusal fails the test."""
        self.called.add(tool)
        _say(f"-> {tool} {json.dumps(arguments)}")
        result = await self.client.call_tool(tool, arguments)
        text = getattr(result.content[0], "text", "")
        _say(f"<- {text}")
        assert not result.is_error, text
        return dict(result.structured_content or {})


async def _over_http(stack: LocalStack, mode: str, use: Use) -> None:
    key = {"Authorization": f"Bearer {stack.api_key}"}
    async with (
        httpx2.AsyncClient(headers=key, timeout=30, trust_env=False) as http,
        Client(transport(http, f"{stack.url}/mcp"), mode=mode) as client,
    ):
        await use(Transcript(client))


async def _over_stdio(stack: LocalStack, mode: str, use: Use) -> None:
    where = {"RUBATO_URL": stack.url, "RUBATO_API_KEY": stack.api_key}
    command = StdioServerParameters(command=str(Path(sys.executable).parent / "rubato"), args=["mcp"], env=where)
    async with Client(command, mode=mode) as client:
        await use(Transcript(client))


def test_an_agent_can_do_each_of_the_17_things(stack: LocalStack) -> None:
    with Target() as target:

        async def use(tool: Transcript) -> None:
            await _look_around(tool.client)
            await _all_17(tool, target.url)
            assert tool.called == set(THE_17.split())
            await _those_beside_them(tool)
            assert tool.called == {action.name for action in CATALOG}

        anyio.run(_over_http, stack, "auto", use)
        assert target.calls("/probe")


async def _look_around(client: Client) -> None:
    """What the client found when it connected, and all that it can list."""
    session = client.session
    assert session.protocol_version == MODERN
    _say(f"-> server/discover\n<- {session.server_info} speaks {session.protocol_version}: {session.instructions}")
    tools = [tool.name for tool in (await client.list_tools()).tools]
    assert tools == [action.name for action in CATALOG]
    _say(f"-> tools/list\n<- {len(tools)} tools")
    for name in tools:
        _say(f"   {name}")
    guides = [str(each.uri) for each in (await client.list_resources()).resources]
    prompts = [each.name for each in (await client.list_prompts()).prompts]
    _say(f"-> resources/list\n<- {', '.join(guides)}\n-> prompts/list\n<- {', '.join(prompts)}")
    assert len(guides) == 4 and len(prompts) == 3


async def _all_17(tool: Transcript, url: str) -> None:
    """One story: set up, look, steer, look back, tidy up."""
    job = {"jobId": (await tool("createJob", name="agents", tags=["mcp"]))["jobId"]}
    assert (await tool("listJobs", tag="mcp"))["items"][0]["jobId"] == job["jobId"]
    assert (await tool("updateJob", **job, description="watched by an agent", ifVersion=1))["version"] == 2
    probe = {"name": "probe", "request": {"url": f"{url}/probe"}, "baseline": {"intervalMs": 3_600_000}}
    endpoint = {"endpointId": (await tool("addEndpointToJob", **job, **probe, idempotencyKey="e"))["endpointId"]}
    assert (await tool("updateEndpointConfig", **endpoint, tier="health"))["tier"] == "health"
    hinted = await tool("applyIntervalHint", **endpoint, intervalMs=60_000, ttlMinutes=5, reason="look closer")
    assert hinted["source"] == "ai-interval"
    assert (await tool("clearAdaptiveHints", **endpoint))["clearedCount"] == 1
    assert (await tool("scheduleOneShotRun", **endpoint, runInMs=0))["source"] == "ai-oneshot"
    run = await _finished_run(tool, endpoint)
    details = await tool("getRunDetails", runId=run["runId"])
    assert (details["status"], details["statusCode"], details["source"]) == ("success", 200, "ai-oneshot")
    assert (await tool("summarizeEndpointHealth", **endpoint, windowHours=1))["successRate"] == 1
    assert (await tool("pauseOrResumeEndpoint", **endpoint, pauseUntil="indefinite"))["nextRunAt"] is None
    assert (await tool("resetFailureCount", **endpoint))["failureCount"] == 0
    assert (await tool("listJobEndpoints", **job))["items"][0]["pausedUntil"] == "indefinite"
    assert (await tool("getJob", **job))["health"] == "healthy"
    await tool("deleteEndpoint", **endpoint, reason="done")
    assert (await tool("archiveJob", **job, reason="done"))["status"] == "archived"


async def _finished_run(tool: Transcript, endpoint: dict[str, Any]) -> dict[str, Any]:
    with anyio.fail_after(_PATIENCE_S):
        while not (items := (await tool("listRuns", **endpoint, status="success"))["items"]):
            await anyio.sleep(0.25)
    return dict(items[0])


async def _those_beside_them(tool: Transcript) -> None:
    """Where a target would be called nothing is: the endpoint is dormant, and nobody listens on port 9."""
    job = {"jobId": (await tool("createJob", name="agents beside"))["jobId"]}
    quiet = {"name": "quiet", "request": {"url": "http://127.0.0.1:9/"}, "baseline": {"manual": True}}
    endpoint = {"endpointId": (await tool("addEndpointToJob", **job, **quiet))["endpointId"]}
    assert (await tool("getEndpoint", **endpoint))["state"] == "dormant"
    assert (await tool("triggerRun", **endpoint))["runId"]
    assert len((await tool("previewSchedule", baseline={"cron": "@daily"}, count=2))["items"]) == 2
    assert (await tool("listEndpointEvents", **endpoint))["items"]
    await tool("exportRuns", limit=1)
    assert (await tool("previewRules", **job))["items"] == []
    assert (await tool("listAnalyses", **endpoint))["items"] == []
    key = await tool("createApiKey", label="mcp", kind="agent", scopes=["runs:read"])
    assert key["keyId"] in {each["keyId"] for each in (await tool("listApiKeys"))["items"]}
    await tool("revokeApiKey", keyId=key["keyId"])
    await _agents(tool)
    await _custody(tool, job, endpoint)
    assert (await tool("getUsage"))["endpoints"] >= 1
    assert len((await tool("describeServiceCatalog"))["actions"]) == len(CATALOG)
    await tool("archiveJob", **job)


async def _agents(tool: Transcript) -> None:
    agent = {"agentId": (await tool("registerAgent", name="told apart", owner="shop team"))["agentId"]}
    assert (await tool("listAgents"))["items"][0]["owner"] == "shop team"
    assert (await tool("listAgentEvents", **agent))["items"] == []
    await tool("retireAgent", **agent)


async def _custody(tool: Transcript, job: dict[str, Any], endpoint: dict[str, Any]) -> None:
    """What is kept for requests and never told: keys that sign them, and secrets."""
    signing = {"signingKeyId": (await tool("createSigningKey", **endpoint))["signingKeyId"]}
    second = {"signingKeyId": (await tool("rotateSigningKey", **signing))["signingKeyId"]}
    assert {**second, **endpoint}.items() <= (await tool("listSigningKeys"))["items"][-1].items()
    for each in (signing, second):
        await tool("deleteSigningKey", **each)
    await tool("putSecret", **job, secretName="TOKEN", value="hunter2-hunter2")
    assert [each["name"] for each in (await tool("listSecrets", **job))["items"]] == ["TOKEN"]
    await tool("deleteSecret", **job, secretName="TOKEN")


def test_a_budget_holds_however_many_changes_come_at_once_and_each_is_laid_at_the_agents_door(
    stack: LocalStack,
) -> None:
    job = stack.client.post("/jobs", json={"name": "budgeted"}).raise_for_status().json()["jobId"]
    quiet = {"name": "quiet", "request": {"url": "http://127.0.0.1:9/"}, "baseline": {"manual": True}}
    endpoint = stack.client.post(f"/jobs/{job}/endpoints", json=quiet).raise_for_status().json()["endpointId"]
    agent = stack.client.post("/agents", json={"name": "busy", "owner": "shop team"}).raise_for_status().json()
    wanted = {"label": "busy", "kind": "agent", "scopes": ["schedule:write"], "agentId": agent["agentId"]}
    budget = {"changesPerHour": 4, "jobIds": [job]}
    key = stack.client.post("/api-keys", json={**wanted, "budget": budget}).raise_for_status().json()["apiKey"]
    results: list[bool] = []

    async def one(http: httpx2.AsyncClient, number: int) -> None:
        params = {"name": "pauseOrResumeEndpoint", "arguments": {"endpointId": endpoint, "pauseUntil": "indefinite"}}
        message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
        answer = (await http.post(f"{stack.url}/mcp", json=message)).json()
        results.append(not answer["result"]["isError"])

    async def all_at_once() -> None:
        async with (
            httpx2.AsyncClient(headers={"x-api-key": key}, timeout=60, trust_env=False) as http,
            anyio.create_task_group() as tasks,
        ):
            for number in range(12):
                tasks.start_soon(one, http, number)

    anyio.run(all_at_once)
    # The hour of the clock may have ended in between: then there were two budgets.
    assert results.count(True) in (4, 8) and len(results) == 12
    events = stack.client.get(f"/agents/{agent['agentId']}/events").raise_for_status().json()["items"]
    assert {(each["subject"], each["onBehalfOf"], each["door"]) for each in events} == {(endpoint, "shop team", "mcp")}
    stack.client.delete(f"/agents/{agent['agentId']}").raise_for_status()
    stack.client.delete(f"/jobs/{job}").raise_for_status()


@pytest.mark.parametrize(("mode", "version"), [("auto", MODERN), ("legacy", LEGACY[0])])
def test_clients_that_speak_stdio_only_come_through_the_bridge(stack: LocalStack, mode: str, version: str) -> None:
    async def use(tool: Transcript) -> None:
        assert tool.client.session.protocol_version == version
        assert len((await tool.client.list_tools()).tools) == len(CATALOG)
        made = await tool("createJob", name="bridged")
        await tool("archiveJob", jobId=made["jobId"])
        refused = await tool.client.call_tool("getJob", {"jobId": "made up"})
        assert refused.is_error

    anyio.run(_over_stdio, stack, mode, use)


def test_either_header_lets_an_agent_in_and_none_does_not(stack: LocalStack) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    for headers, status in [
        ({"Authorization": f"Bearer {stack.api_key}"}, 200),
        ({"x-api-key": stack.api_key}, 200),
        ({}, 401),
    ]:
        answer = httpx2.post(f"{stack.url}/mcp", json=ping, headers=headers, timeout=30, trust_env=False)
        assert answer.status_code == status
        assert status == 200 or answer.json()["code"] == "unauthenticated"
    key = {"Authorization": f"Bearer {stack.api_key}"}
    for method in ("GET", "DELETE"):
        answer = httpx2.request(method, f"{stack.url}/mcp", headers=key, timeout=30, trust_env=False)
        assert (answer.status_code, answer.headers["allow"]) == (405, "OPTIONS, POST")


def _say(line: str) -> None:
    line = re.sub(r"rbt_\w+", "rbt_***", line)
    sys.stdout.write((line if len(line) <= _WIDTH else f"{line[:_WIDTH]} ... ({len(line)} characters)") + "\n")
