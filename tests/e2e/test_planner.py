"""The planner on the local stack: its schedule, its queue, and a model behind the emulator's Bedrock."""

import json
from typing import Any

import boto3

from cli.local.emulator import credentials
from tests.e2e.conftest import LocalStack
from tests.e2e.watchers import until
from tests.functions.conftest import event


def test_a_model_of_bedrock_looks_at_an_endpoint_and_its_hint_lives(stack: LocalStack) -> None:
    job = stack.client.post("/jobs", json={"name": "shop", "planner": {"enabled": True}}).json()["jobId"]
    request = {"url": "http://127.0.0.1:9/"}
    config = {"name": "probe", "request": request, "baseline": {"intervalMs": 3_600_000}}
    made = stack.client.post(f"/jobs/{job}/endpoints", json=config).raise_for_status().json()["endpointId"]
    functions: Any = boto3.client("lambda", **credentials(stack.port))
    planner = _function(stack)
    known = functions.get_function_configuration(FunctionName=planner)["Environment"]["Variables"]
    model = {"MODEL_PROVIDER": "bedrock", "MODEL_ID": "amazon.nova-micro-v1:0"}
    functions.update_function_configuration(FunctionName=planner, Environment={"Variables": {**known, **model}})
    try:
        looked = functions.invoke(FunctionName=planner, Payload=json.dumps(event("planner-scheduled")).encode())
        assert json.loads(looked["Payload"].read())["sent"] >= 1
        (kept,) = until(lambda: _ended(stack, made), 40, "an analysis")
    finally:
        functions.update_function_configuration(FunctionName=planner, Environment={"Variables": known})
        stack.client.delete(f"/jobs/{job}").raise_for_status()
    assert (kept["outcome"], kept["error"], kept["reasoning"]) == ("submitted", None, "hinted")
    assert (kept["model"], kept["inputTokens"]) == ("bedrock/amazon.nova-micro-v1:0", 2000)
    assert [call["name"] for call in kept["toolCalls"]] == ["propose_interval", "submit_analysis"]
    endpoint = stack.client.get(f"/endpoints/{made}").json()
    assert [(hint["authorKind"], hint["intervalMs"]) for hint in endpoint["hints"]] == [("planner", 30_000)]
    assert stack.client.get("/usage").json()["plannerTokensToday"] >= 2100


def _ended(stack: LocalStack, endpoint_id: str) -> list[dict[str, Any]]:
    items = stack.client.get(f"/endpoints/{endpoint_id}/analyses").raise_for_status().json()["items"]
    return [item for item in items if item["finishedAt"] is not None]


def _function(stack: LocalStack) -> str:
    stacks: Any = boto3.client("cloudformation", **credentials(stack.port))
    found = stacks.describe_stack_resource(StackName="rubato-local", LogicalResourceId="PlannerFunction")
    return str(found["StackResourceDetail"]["PhysicalResourceId"])
