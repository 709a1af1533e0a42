"""Functions, their triggers, logs and the API in front of them."""

import json
import re
import tomllib
from typing import Any

import pytest

from cli.bench.sizing import DISPATCHER_MB, PLANNER_MB, TICK_MB
from cli.simulate.capacity.limits import FULL_PROCESSOR
from rubato.domain.analysis import LEASE_MS, MAX_DURATION_MS
from rubato.domain.lane import Lane
from rubato.domain.limits import Planning
from rubato.interface import synthetic
from tests.infrastructure.conftest import ROOT, Template

OPEN = {"/", "/health", "/openapi.json", "/docs"}
SYNTHETIC = set(synthetic.TARGETS)
METHODS = {"get", "head", "post", "put", "patch", "delete", "options"}


def test_every_function_has_its_folder_and_every_folder_its_function(template: Template) -> None:
    sources = {each["CodeUri"] for each in template.functions.values()}
    assert sources == {f"functions/{path.parent.name}" for path in (ROOT / "functions").glob("*/handler.py")}
    assert {f"functions/{path.name}" for path in (ROOT / "functions").iterdir() if path.is_dir()} == sources


def test_the_tick_has_a_whole_processor(template: Template) -> None:
    assert template.functions["TickFunction"]["MemorySize"] >= FULL_PROCESSOR.value


def test_costs_are_reckoned_with_the_memory_that_functions_have(template: Template) -> None:
    usual = template.body["Globals"]["Function"]["MemorySize"]
    sizes = {name: each.get("MemorySize", usual) for name, each in template.functions.items()}
    assert sizes["DispatcherFunction"] == DISPATCHER_MB
    assert sizes["TickFunction"] == TICK_MB
    assert sizes["PlannerFunction"] == PLANNER_MB


def test_every_parameter_says_what_it_is_for_and_has_a_default(template: Template) -> None:
    for parameter in template.body["Parameters"].values():
        assert parameter["Description"] and "Default" in parameter


def test_every_parameter_is_used_and_grouped(template: Template) -> None:
    groups = template.body["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template.body["Parameters"])
    text = (ROOT / "template.yaml").read_text()
    assert all(f"!Ref {name}" in text for name in template.body["Parameters"])


def test_logs_end_after_a_while_and_belong_to_one_function_each(template: Template) -> None:
    groups = template.of_type("AWS::Logs::LogGroup")
    assert all(group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups.values())
    used = [each["LoggingConfig"]["LogGroup"]["Ref"] for each in template.functions.values()]
    assert sorted(used) == sorted(groups)
    assert template.body["Parameters"]["LogRetentionDays"]["Default"] == 30


def test_only_the_dispatcher_and_rules_may_feed_themselves(template: Template) -> None:
    loops = {name: each["RecursiveLoop"] for name, each in template.functions.items() if "RecursiveLoop" in each}
    assert loops == {"DispatcherFunction": "Allow", "RulesFunction": "Allow"}


def test_no_function_outlives_what_waits_for_it(template: Template) -> None:
    timeouts = {name: each["Timeout"] for name, each in template.functions.items()}
    assert timeouts["ApiFunction"] <= 29 and timeouts["AuthorizerFunction"] <= 29  # API Gateway's own limit
    assert timeouts["TickFunction"] < 60  # ticks don't overlap
    assert timeouts["DispatcherFunction"] >= 600 + 30  # the longest timeoutMs, and time to record it
    planner_ms = timeouts["PlannerFunction"] * 1000
    assert MAX_DURATION_MS + 30_000 <= planner_ms <= LEASE_MS - 30_000  # whoever has a lease has ended before it does


def test_the_tick_comes_each_minute_and_is_not_repeated(template: Template) -> None:
    tick = template.functions["TickFunction"]
    assert tick["Events"]["EachMinute"]["Properties"]["Schedule"] == "rate(1 minute)"
    assert tick["EventInvokeConfig"]["MaximumRetryAttempts"] == 0


def test_every_queue_that_is_polled_is_a_lane_and_so_stands_in_the_books_of_the_bench(template: Template) -> None:
    events = [each for function in template.functions.values() for each in function.get("Events", {}).values()]
    assert len([each for each in events if each["Type"] == "SQS"]) == len(Lane)
    assert template.body["Parameters"]["PlannerMinutes"]["Default"] == Planning().minutes


def test_the_planner_looks_around_as_often_as_is_asked_for_and_analyses_one_at_a_time(template: Template) -> None:
    planner = template.functions["PlannerFunction"]
    every = planner["Events"]["Look"]["Properties"]["Schedule"]["Fn::If"]
    assert every[:2] == ["PlannerEachMinute", "rate(1 minute)"]
    assert every[2] == {"Fn::If": ["PlannerIsOff", "rate(5 minutes)", {"Fn::Sub": "rate(${PlannerMinutes} minutes)"}]}
    assert planner["EventInvokeConfig"]["MaximumRetryAttempts"] == 0
    source = planner["Events"]["Analyses"]["Properties"]
    assert source["Queue"]["Fn::GetAtt"] == ["AnalysisQueue", "Arn"]
    assert (source["BatchSize"], source["FunctionResponseTypes"]) == (1, ["ReportBatchItemFailures"])
    assert source["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "PlannerConcurrency"}}


@pytest.mark.parametrize(
    ("event", "queue", "concurrency"),
    [
        ("Runs", "RunQueue", "DispatcherConcurrency"),
        ("SlowRuns", "SlowRunQueue", "SlowDispatcherConcurrency"),
    ],
)
def test_the_dispatcher_reports_each_message_by_itself_and_each_lane_has_its_own_workers(
    template: Template, event: str, queue: str, concurrency: str
) -> None:
    source = template.functions["DispatcherFunction"]["Events"][event]["Properties"]
    assert source["Queue"]["Fn::GetAtt"] == [queue, "Arn"]
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (source["BatchSize"], source["MaximumBatchingWindowInSeconds"]) == (10, 0)
    assert source["ScalingConfig"] == {"MaximumConcurrency": {"Ref": concurrency}}


def test_rules_report_each_message_by_itself_and_wait_for_no_batch(template: Template) -> None:
    source = template.functions["RulesFunction"]["Events"]["Rules"]["Properties"]
    assert source["Queue"]["Fn::GetAtt"] == ["RuleQueue", "Arn"]
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (source["BatchSize"], source["MaximumBatchingWindowInSeconds"]) == (5, 0)


def _definition(template: Template) -> dict[str, Any]:
    body: dict[str, Any] = template.of_type("AWS::Serverless::Api")["Api"]["DefinitionBody"]
    return body


def test_every_route_but_the_open_ones_needs_a_key(template: Template) -> None:
    for path, methods in _definition(template)["paths"].items():
        assert set(methods) <= METHODS
        for method, operation in methods.items():
            is_open = path in OPEN | SYNTHETIC or method == "options"
            key = "agentKey" if path == "/mcp" else "key"
            assert operation.get("security", []) == ([] if is_open else [{key: []}]), f"{method} {path}"


def test_all_paths_and_methods_reach_the_function(template: Template) -> None:
    paths = _definition(template)["paths"]
    assert set(paths["/{proxy+}"]) == set(paths["/mcp"]) == METHODS
    for path, operation in ((path, each) for path, methods in paths.items() for each in methods.values()):
        integration = operation["x-amazon-apigateway-integration"]
        assert (integration["type"], integration["httpMethod"]) == ("aws_proxy", "POST")
        function = "SyntheticFunction" if path in SYNTHETIC else "ApiFunction"
        assert f"${{{function}.Arn}}" in integration["uri"]["Fn::Sub"]


def test_keys_are_remembered_for_a_minute_and_no_longer_than_five(template: Template) -> None:
    parameter = template.body["Parameters"]["AuthorizerCacheSeconds"]
    assert (parameter["Default"], parameter["MinValue"], parameter["MaxValue"]) == (60, 0, 300)
    scheme = _definition(template)["components"]["securitySchemes"]["key"]["x-amazon-apigateway-authorizer"]
    assert scheme["authorizerResultTtlInSeconds"] == {"Ref": "AuthorizerCacheSeconds"}
    assert scheme["identitySource"]["Fn::If"] == [
        "CacheAuthorizer",
        "method.request.header.x-api-key",
        {"Ref": "AWS::NoValue"},
    ]


def test_keys_of_agents_may_come_in_either_header_because_they_are_not_remembered(template: Template) -> None:
    schemes = _definition(template)["components"]["securitySchemes"]
    agents, others = (schemes[name]["x-amazon-apigateway-authorizer"] for name in ("agentKey", "key"))
    assert agents["authorizerResultTtlInSeconds"] == 0 and "identitySource" not in agents
    assert agents["authorizerUri"] == others["authorizerUri"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [("UNAUTHORIZED", 401), ("ACCESS_DENIED", 403), ("MISSING_AUTHENTICATION_TOKEN", 404), ("THROTTLED", 429),
     ("REQUEST_TOO_LARGE", 413), ("INTEGRATION_TIMEOUT", 504), ("DEFAULT_4XX", None), ("DEFAULT_5XX", None)],
)  # fmt: skip
def test_the_gateway_refuses_as_the_api_does(template: Template, kind: str, status: int | None) -> None:
    response = _definition(template)["x-amazon-apigateway-gateway-responses"][kind]
    assert response.get("statusCode") == status
    assert response["responseParameters"]["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
    problem = json.loads(response["responseTemplates"]["application/json"])
    assert problem.get("status") == status
    assert {"type", "title", "detail", "code", "errors", "requestId"} <= set(problem)
    assert problem["type"] == f"urn:rubato:problem:{problem['code']}"
    # Nothing of the request, and none of the gateway's own words, may come back.
    assert set(re.findall(r"\$[\w.]+", json.dumps(problem))) == {"$context.requestId"}


def test_the_api_is_throttled_and_logs_no_bodies(template: Template) -> None:
    api = template.of_type("AWS::Serverless::Api")["Api"]
    assert api["StageName"] == "v1"
    settings = api["MethodSettings"][0]
    assert (settings["HttpMethod"], settings["ResourcePath"]) == ("*", "/*")
    assert settings["ThrottlingRateLimit"] == {"Ref": "ApiRateLimit"}
    assert settings["ThrottlingBurstLimit"] == {"Ref": "ApiBurstLimit"}
    assert "DataTraceEnabled" not in settings


def test_the_local_configuration_sets_parameters_that_exist(template: Template) -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    overrides = dict(each.split("=", 1) for each in config["local"]["deploy"]["parameters"]["parameter_overrides"])
    assert set(overrides) <= set(template.body["Parameters"])
    assert overrides["AuthorizerCacheSeconds"] == "0"
    assert "parameter_overrides" not in config["default"]["deploy"]["parameters"]


def test_the_outputs_name_all_that_commands_need(template: Template) -> None:
    outputs = set(template.body["Outputs"])
    assert {"ApiUrl", "ApiId", "RunQueueUrl", "SlowRunQueueUrl", "RuleQueueUrl"} | {
        "DeadLetterQueueUrl",
        "RuleDeadLetterQueueUrl",
    } <= outputs
    assert {"AnalysisQueueUrl", "AnalysisDeadLetterQueueUrl"} <= outputs
    assert {f"{table}Name" for table in template.of_type("AWS::DynamoDB::Table")} <= outputs
