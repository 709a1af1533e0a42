"""Least privilege: each function may do exactly what stands here."""

import re
from typing import Any

import pytest

from tests.infrastructure.conftest import Template

_WORK_OFF = {f"sqs:{each}Message" for each in ("Send", "Receive", "Delete")} | {
    "sqs:ChangeMessageVisibility",
    "sqs:GetQueueAttributes",
}
_LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}


def _dynamodb(*names: str) -> set[str]:
    return {f"dynamodb:{name}" for name in names}


_VAULT = "arn:AWS::Partition}:ssm:AWS::Region}:AWS::AccountId}:parameter/rubato/AWS::StackName}/"

GRANTS: dict[str, dict[str, set[str]]] = {
    "ApiFunction": {
        "ApiLogGroup": _LOG,
        "JobsTable": _dynamodb("GetItem", "PutItem"),
        "JobsTable/index/byTenantStatus": _dynamodb("Query"),
        "EndpointsTable": _dynamodb("BatchGetItem", "Query", "PutItem", "DeleteItem"),
        "RunsTable": _dynamodb("GetItem", "Query"),
        "RulesTable": _dynamodb("GetItem", "PutItem"),
        "RunsTable/index/byJob": _dynamodb("Query"),
        "AuditTable": _dynamodb("PutItem", "Query"),
        "AuditTable/index/byAgent": _dynamodb("Query"),
        "KeysTable": _dynamodb("GetItem", "PutItem", "UpdateItem"),
        "KeysTable/index/byTenant": _dynamodb("Query"),
        "IdempotencyTable": _dynamodb("GetItem", "PutItem", "DeleteItem"),
        _VAULT + "secrets/*": {"ssm:PutParameter", "ssm:DeleteParameter"},
        _VAULT + "signing/*": {"ssm:PutParameter", "ssm:DeleteParameter"},
        "UsageTable": _dynamodb("BatchGetItem", "UpdateItem"),
        "AnalysesTable": _dynamodb("Query"),
        "RunQueue": {"sqs:SendMessage"},
        "SlowRunQueue": {"sqs:SendMessage"},
        "RuleQueue": {"sqs:SendMessage"},
    },
    "AuthorizerFunction": {"AuthorizerLogGroup": _LOG, "KeysTable": _dynamodb("GetItem", "UpdateItem")},
    "TickFunction": {
        "TickLogGroup": _LOG,
        "EndpointsTable": _dynamodb("BatchGetItem", "Query", "PutItem", "DeleteItem"),
        "EndpointsTable/index/due": _dynamodb("Query"),
        "AuditTable": _dynamodb("PutItem"),
        "UsageTable": _dynamodb("Query", "DeleteItem"),
        "RunQueue": {"sqs:SendMessage"},
        "SlowRunQueue": {"sqs:SendMessage"},
        "TickFunction": {"lambda:InvokeFunction"},
    },
    "DispatcherFunction": {
        "DispatcherLogGroup": _LOG,
        "JobsTable": _dynamodb("GetItem"),
        "JobsTable/index/byTenantStatus": _dynamodb("Query"),
        "EndpointsTable": _dynamodb("BatchGetItem", "Query", "PutItem", "DeleteItem"),
        "RunsTable": _dynamodb("GetItem", "PutItem", "UpdateItem"),
        "AuditTable": _dynamodb("PutItem"),
        "UsageTable": _dynamodb("UpdateItem", "PutItem"),
        _VAULT + "secrets/*": {"ssm:GetParameters"},
        _VAULT + "signing/*": {"ssm:GetParameters"},
        "RunQueue": _WORK_OFF,
        "SlowRunQueue": _WORK_OFF,
        "RuleQueue": {"sqs:SendMessage"},
    },
    "RulesFunction": {
        "RulesLogGroup": _LOG,
        "JobsTable": _dynamodb("GetItem"),
        "RulesTable": _dynamodb("GetItem", "PutItem"),
        "EndpointsTable": _dynamodb("BatchGetItem", "Query", "PutItem", "DeleteItem"),
        "RunsTable": _dynamodb("GetItem", "Query"),
        "AuditTable": _dynamodb("GetItem", "PutItem"),
        "RunQueue": {"sqs:SendMessage"},
        "SlowRunQueue": {"sqs:SendMessage"},
        "RuleQueue": _WORK_OFF,
    },
    "SyntheticFunction": {"SyntheticLogGroup": _LOG},
    "PlannerFunction": {
        "PlannerLogGroup": _LOG,
        "JobsTable": _dynamodb("GetItem"),
        "EndpointsTable": _dynamodb("BatchGetItem", "Query", "PutItem", "DeleteItem"),
        "JobsTable/index/ruled": _dynamodb("Query"),
        "EndpointsTable/index/looks": _dynamodb("Query"),
        "RunsTable": _dynamodb("GetItem", "Query"),
        "AuditTable": _dynamodb("PutItem"),
        "UsageTable": _dynamodb("UpdateItem"),
        "AnalysesTable": _dynamodb("GetItem", "Query", "PutItem", "DeleteItem"),
        "RunQueue": {"sqs:SendMessage"},
        "SlowRunQueue": {"sqs:SendMessage"},
        "RuleQueue": {"sqs:SendMessage"},
        "AnalysisQueue": _WORK_OFF,
    },
}


def test_every_function_is_pinned_here(template: Template) -> None:
    assert set(GRANTS) == set(template.functions)


@pytest.mark.parametrize("function", GRANTS)
def test_a_function_may_do_what_it_needs_and_nothing_else(template: Template, function: str) -> None:
    assert template.grants(function) == GRANTS[function]


def test_the_tick_may_invoke_itself_only_where_ticks_are_shared_out(template: Template) -> None:
    policy = template.resources["TickInvokesItself"]
    assert policy["Condition"] == "ShareTicks"
    assert template.body["Conditions"]["ShareTicks"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "TickWorkers"}, 1]}]}


def test_the_model_and_its_key_are_the_planners_alone(template: Template) -> None:
    """Nobody else may ask Bedrock, read the key, or knows where either is."""
    for name, function in template.functions.items():
        variables = set(function["Environment"]["Variables"])
        assert (name == "PlannerFunction") == ({"MODEL_URL", "MODEL_KEY_ARN"} <= variables)
        assert (name == "PlannerFunction") == ("ANALYSIS_QUEUE_URL" in variables)


def resolved(value: Any, given: dict[str, str]) -> Any:
    """What CloudFormation makes of it."""
    if isinstance(value, list):
        return [resolved(each, given) for each in value]
    if not isinstance(value, dict):
        return value
    ((name, of),) = value.items()
    if name == "Fn::Sub":
        text, more = of if isinstance(of, list) else (of, {})
        known = given | {key: resolved(each, given) for key, each in more.items()}
        return re.sub(r"\$\{([^}]+)\}", lambda found: known[found[1]], text)
    first, second = (resolved(each, given) for each in of)
    return second[first] if name == "Fn::Select" else second.split(first)


HERE = {"AWS::Partition": "aws", "AWS::Region": "eu-central-1", "AWS::AccountId": "123456789012"}
FRANKFURT = "arn:aws:bedrock:eu-central-1:"
OWN = f"{FRANKFURT}123456789012:"


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        ("amazon.nova-micro-v1:0", f"{FRANKFURT}:foundation-model/amazon.nova-micro-v1:0"),
        (f"{FRANKFURT}:foundation-model/a.b-v1:0", f"{FRANKFURT}:foundation-model/a.b-v1:0"),
        ("eu.amazon.nova-micro-v1:0", f"{OWN}inference-profile/eu.amazon.nova-micro-v1:0"),
        (f"{OWN}inference-profile/eu.a.b-v1:0", f"{OWN}inference-profile/eu.a.b-v1:0"),
        ("k3j2h1g0f9e8", f"{OWN}application-inference-profile/k3j2h1g0f9e8"),
        (f"{OWN}application-inference-profile/k3j2", f"{OWN}application-inference-profile/k3j2"),
    ],
)
def test_of_bedrock_the_planner_may_ask_what_model_id_names_and_nothing_else(
    template: Template, model: str, asked: str
) -> None:
    assert re.match(template.body["Parameters"]["ModelId"]["AllowedPattern"], model)
    policy = template.resources["PlannerAsksBedrock"]["Properties"]["PolicyDocument"]
    by_name, behind = policy["Statement"]
    resources = resolved(by_name["Resource"], HERE | {"ModelId": model})
    assert asked in resources and not any("*" in each for each in resources)
    assert all(each.startswith("arn:aws:bedrock:eu-central-1:") and each.endswith(model) for each in resources)
    condition = behind["Condition"]["StringEquals"]["bedrock:InferenceProfileArn"]
    assert resolved(condition, HERE | {"ModelId": model}) == resources
    assert resolved(behind["Resource"], HERE) == [
        "arn:aws:bedrock:*::foundation-model/*",
        "arn:aws:bedrock:*:123456789012:inference-profile/*",
    ]


@pytest.mark.parametrize("function", GRANTS)
def test_no_grant_has_a_wildcard_but_for_values_below_the_stacks_own_prefix(template: Template, function: str) -> None:
    grants = {
        resource.removeprefix(_VAULT).removesuffix("*") if resource.startswith(_VAULT) else resource: actions
        for resource, actions in template.grants(function).items()
    }
    assert not any("*" in text for resource, actions in grants.items() for text in (resource, *actions))


def test_no_two_functions_share_a_role_and_no_role_takes_a_managed_policy(template: Template) -> None:
    roles = [each["Role"]["Fn::GetAtt"][0] for each in template.functions.values()]
    assert sorted(roles) == sorted(set(roles)) == sorted(template.of_type("AWS::IAM::Role"))
    for role in template.of_type("AWS::IAM::Role").values():
        assert set(role) == {"AssumeRolePolicyDocument", "Policies"}
        assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}


@pytest.mark.parametrize("function", GRANTS)
def test_a_function_knows_the_tables_and_queues_that_it_may_touch_and_no_other(
    template: Template, function: str
) -> None:
    variables = template.functions[function]["Environment"]["Variables"]
    named = {each["Ref"] for each in variables.values() if isinstance(each, dict) and "Ref" in each}
    known = named - set(template.body["Parameters"])
    touched = {resource.split("/")[0] for resource in GRANTS[function] if not resource.startswith(_VAULT)}
    assert known - {"AWS::StackName"} == touched - {template_log(template, function), function}
    assert ("VAULT" in variables) == any(resource.startswith(_VAULT) for resource in GRANTS[function])


def test_nobody_may_both_keep_values_and_read_them(template: Template) -> None:
    for function in template.functions:
        actions = {action for each in template.grants(function).values() for action in each}
        assert not ({"ssm:PutParameter"} <= actions and any(action.startswith("ssm:Get") for action in actions))


def test_the_environment_holds_no_secret_and_no_endpoint(template: Template) -> None:
    shared = template.body["Globals"]["Function"]["Environment"]["Variables"]
    for function in template.functions.values():
        for name, value in {**shared, **function["Environment"]["Variables"]}.items():
            assert not re.search(r"SECRET|TOKEN|PASSWORD|ENDPOINT_URL|API_?KEY", name)
            assert isinstance(value, str) or set(value) in ({"Ref"}, {"Fn::If"})


def test_the_invoke_permissions_name_the_api(template: Template) -> None:
    permissions = template.of_type("AWS::Lambda::Permission")
    named = {each["FunctionName"]["Ref"] for each in permissions.values()}
    assert named == {"ApiFunction", "AuthorizerFunction", "SyntheticFunction"}
    for permission in permissions.values():
        assert permission["Principal"] == "apigateway.amazonaws.com"
        assert "${Api}" in permission["SourceArn"]["Fn::Sub"]


def template_log(template: Template, function: str) -> Any:
    """The log group of a function."""
    return template.functions[function]["LoggingConfig"]["LogGroup"]["Ref"]
