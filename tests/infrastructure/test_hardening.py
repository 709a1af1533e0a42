"""What an auditor asks of the whole template, whichever part of it changes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.local import emulator
from cli.local.home import Home
from rubato.interface.responses import Response
from tests.infrastructure.conftest import Template

# Whoever adds a kind of resource looks at what it opens, and says so here. No bucket, no function URL, no public topic.
KINDS = {
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::DynamoDB::Table",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::Serverless::Api",
    "AWS::Serverless::Function",
    "AWS::Serverless::LayerVersion",
}
# Resource patterns wider than one table, queue, group or topic: why.
WIDE = {
    "*": "X-Ray knows no resources",
    "parameter/rubato/${AWS::StackName}/secrets/*": "one parameter for each secret of a job",
    "parameter/rubato/${AWS::StackName}/signing/*": "one parameter for each signing key",
    "foundation-model/*": "only behind an inference profile that the operator named (a condition says so)",
    "inference-profile/*": "likewise",
}


def statements(value: Any) -> Iterator[dict[str, Any]]:
    """Every policy statement, wherever it stands."""
    if isinstance(value, dict):
        if value.get("Effect") in ("Allow", "Deny"):
            yield value
        for each in value.values():
            yield from statements(each)
    elif isinstance(value, list):
        for each in value:
            yield from statements(each)


def texts(value: Any) -> list[str]:
    return re.findall(r"'([^']*)'", str([value]))


def test_there_are_only_kinds_of_resources_that_were_looked_at(template: Template) -> None:
    assert {each["Type"] for each in template.resources.values()} == KINDS


def test_no_statement_allows_every_action_or_everybody(template: Template) -> None:
    found = list(statements(template.resources))
    assert len(found) > 60
    for statement in found:
        is_denial = statement["Effect"] == "Deny"
        actions = statement["Action"]
        assert is_denial or not any("*" in action for action in ([actions] if isinstance(actions, str) else actions))
        assert is_denial or statement.get("Principal", {"Service": "lambda.amazonaws.com"}) != "*"
        assert "NotAction" not in statement and "NotResource" not in statement


def test_every_resource_that_is_wider_than_one_thing_has_a_reason(template: Template) -> None:
    wide = {
        text
        for statement in statements(template.resources)
        if statement["Effect"] == "Allow"
        for text in texts(statement.get("Resource", ""))
        if "*" in text
    }
    assert {reason for reason in WIDE if any(text.endswith(reason) for text in wide)} == WIDE.keys()
    assert all(any(text.endswith(reason) and (reason != "*" or text == "*") for reason in WIDE) for text in wide)


def test_tables_of_users_can_be_protected_from_deletion_and_are_kept_by_the_stack(template: Template) -> None:
    for name, table in template.of_type("AWS::DynamoDB::Table").items():
        expected = None if name == "IdempotencyTable" else {"Fn::If": ["ProtectsTables", True, False]}
        assert table.get("DeletionProtectionEnabled") == expected
    assert template.body["Parameters"]["DeletionProtection"]["Default"] == "false"


def test_no_parameter_takes_a_secret_and_no_output_tells_one(template: Template) -> None:
    """Secrets come by the ARN of where they are, so that none stands in the stack's parameters or its history."""
    for name in (*template.body["Parameters"], *template.body["Outputs"]):
        assert not re.search(r"Secret|Password|Token(?!s)|KeyValue|ApiKey", name)
    assert template.body["Parameters"]["ModelKeyArn"]["AllowedPattern"].startswith("^(arn:")


@pytest.mark.parametrize("header", ["Cache-Control", "X-Content-Type-Options", "Strict-Transport-Security"])
def test_what_the_gateway_refuses_carries_the_headers_of_what_the_api_answers(template: Template, header: str) -> None:
    definition = template.of_type("AWS::Serverless::Api")["Api"]["DefinitionBody"]
    said = Response(200).to_event()["headers"][header]
    for kind, response in definition["x-amazon-apigateway-gateway-responses"].items():
        assert response["responseParameters"][f"gatewayresponse.header.{header}"] == f"'{said}'", kind


def test_the_api_has_one_stage_behind_tls_and_no_bodies_in_its_logs(template: Template) -> None:
    api = template.of_type("AWS::Serverless::Api")["Api"]
    assert api["EndpointConfiguration"] == {"Type": "REGIONAL"} and api["OpenApiVersion"]
    assert not {"DataTraceEnabled", "LoggingLevel"} & set(api["MethodSettings"][0])
    assert not any("FunctionUrlConfig" in function for function in template.functions.values())


def test_invocations_come_from_this_api_alone(template: Template) -> None:
    for permission in template.of_type("AWS::Lambda::Permission").values():
        assert permission["Principal"] == "apigateway.amazonaws.com" and "${Api}" in str(permission["SourceArn"])


def test_the_local_stack_listens_on_this_machine_only_and_opens_no_further_port(tmp_path: Path) -> None:
    given = emulator._settings(Home.at(4999, tmp_path))
    assert given["BIND_HOST"] == "127.0.0.1"
    assert (given["IOT_MTLS_ENABLED"], given["SFTP_ENABLED"]) == ("0", "0")
