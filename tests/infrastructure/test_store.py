"""Tables and queues: encrypted, recoverable, expiring, and shaped as the adapters expect."""

from typing import Any

import pytest

from rubato.adapters.dynamodb.connection import MODELS
from rubato.adapters.dynamodb.run_items import RUN_SUMMARY
from rubato.adapters.dynamodb.tables import EndpointsItem, StateItem
from rubato.domain.redelivery import RECEIVES
from tests.infrastructure.conftest import Template
from tests.tables import LOGICAL

TABLES = sorted(LOGICAL.values())
PASSING = "IdempotencyTable"


def test_every_table_is_known(template: Template) -> None:
    assert sorted(template.of_type("AWS::DynamoDB::Table")) == TABLES


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_encrypted_recoverable_and_paid_by_use(template: Template, table: str) -> None:
    wanted = template.of_type("AWS::DynamoDB::Table")[table]
    assert wanted["SSESpecification"] == {"SSEEnabled": True}
    assert wanted["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    # What rules know of themselves has no end of its own: it goes with nothing but the table.
    expiry = None if table == "RulesTable" else {"AttributeName": "ttl", "Enabled": True}
    assert wanted.get("TimeToLiveSpecification") == expiry
    assert wanted["BillingMode"] == "PAY_PER_REQUEST"


@pytest.mark.parametrize("table", TABLES)
def test_a_table_of_users_outlives_the_stack_under_a_name_of_its_own(template: Template, table: str) -> None:
    resource = template.resources[table]
    policies = ("Delete", "Delete") if table == PASSING else ("RetainExceptOnCreate", "Retain")
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == policies
    assert "TableName" not in resource["Properties"]


@pytest.mark.parametrize(("part", "table"), LOGICAL.items())
def test_keys_and_indexes_are_those_of_the_models(template: Template, part: str, table: str) -> None:
    wanted = template.of_type("AWS::DynamoDB::Table")[table]
    model: Any = MODELS[part]
    assert _keys(wanted["KeySchema"]) == _keys(model._get_schema()["key_schema"])
    indexes = {each["IndexName"]: _keys(each["KeySchema"]) for each in wanted.get("GlobalSecondaryIndexes", [])}
    assert indexes == {name: _keys(index._get_schema()["key_schema"]) for name, index in model._indexes.items()}
    types = {each["AttributeName"]: each["AttributeType"] for each in wanted["AttributeDefinitions"]}
    assert types == {each["AttributeName"]: each["AttributeType"] for each in _definitions(model)}


def test_the_indexes_of_endpoints_stay_narrow(template: Template) -> None:
    indexes = template.of_type("AWS::DynamoDB::Table")["EndpointsTable"]["GlobalSecondaryIndexes"]
    assert [each["IndexName"] for each in indexes] == ["due", "looks"]
    assert all(each["Projection"] == {"ProjectionType": "KEYS_ONLY"} for each in indexes)
    assert {"shard", "dueAt", "lookAt"} <= {each.attr_name for each in StateItem.get_attributes().values()}
    assert EndpointsItem._hash_keyname == "pk"


def test_the_index_of_runs_holds_what_lists_show_and_no_body(template: Template) -> None:
    index = template.of_type("AWS::DynamoDB::Table")["RunsTable"]["GlobalSecondaryIndexes"][0]
    projected = set(index["Projection"]["NonKeyAttributes"])
    assert set(RUN_SUMMARY) == projected
    assert not projected & {"detail", "late"}  # what is wide, or written apart from the run, stays out


@pytest.mark.parametrize("lane", ["RunQueue", "SlowRunQueue"])
def test_a_run_queue_waits_six_times_the_dispatcher_and_buries_the_dead(template: Template, lane: str) -> None:
    queue = template.of_type("AWS::SQS::Queue")[lane]
    assert queue["VisibilityTimeout"] >= 6 * template.functions["DispatcherFunction"]["Timeout"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == RECEIVES
    assert queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"] == ["RunDeadLetterQueue", "Arn"]
    dead = template.of_type("AWS::SQS::Queue")["RunDeadLetterQueue"]
    assert dead["MessageRetentionPeriod"] == 14 * 86_400


def test_the_planners_queue_keeps_no_backlog_and_buries_its_dead_apart(template: Template) -> None:
    queue = template.of_type("AWS::SQS::Queue")["AnalysisQueue"]
    assert queue["VisibilityTimeout"] >= 6 * template.functions["PlannerFunction"]["Timeout"]
    assert queue["MessageRetentionPeriod"] == 3600  # later looks send again what nobody took
    assert queue["RedrivePolicy"]["maxReceiveCount"] == RECEIVES
    assert queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"] == ["AnalysisDeadLetterQueue", "Arn"]


def test_the_queue_of_rules_waits_six_times_its_function_and_buries_its_dead_apart(template: Template) -> None:
    queue = template.of_type("AWS::SQS::Queue")["RuleQueue"]
    assert queue["VisibilityTimeout"] >= 6 * template.functions["RulesFunction"]["Timeout"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == RECEIVES
    assert queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"] == ["RuleDeadLetterQueue", "Arn"]
    assert template.of_type("AWS::SQS::Queue")["RuleDeadLetterQueue"]["MessageRetentionPeriod"] == 14 * 86_400


def test_the_index_of_jobs_with_rules_is_sparse_and_narrow(template: Template) -> None:
    indexes = template.of_type("AWS::DynamoDB::Table")["JobsTable"]["GlobalSecondaryIndexes"]
    (ruled,) = [index for index in indexes if index["IndexName"] == "ruled"]
    assert ruled["Projection"] == {"ProjectionType": "KEYS_ONLY"}


def test_queues_are_encrypted_at_rest_and_on_the_way(template: Template) -> None:
    queues = template.of_type("AWS::SQS::Queue")
    assert all(queue["SqsManagedSseEnabled"] is True for queue in queues.values())
    guarded = {
        policy["Queues"][0]["Ref"]: policy["PolicyDocument"]["Statement"][0]
        for policy in template.of_type("AWS::SQS::QueuePolicy").values()
    }
    assert set(guarded) == set(queues)
    for name, statement in guarded.items():
        assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "sqs:*")
        assert statement["Resource"]["Fn::GetAtt"] == [name, "Arn"]
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": False}}


def _keys(schema: list[dict[str, str]]) -> list[tuple[str, str]]:
    return sorted((each["KeyType"], each["AttributeName"]) for each in schema)


def _definitions(model: Any) -> list[dict[str, str]]:
    indexes = [index._get_schema() for index in model._indexes.values()]
    return [each for schema in [model._get_schema(), *indexes] for each in schema.get("attribute_definitions", [])]
