"""Alarms, dashboard, notices and traces: what the template promises to whoever is on call."""

import json
import re
from typing import Any

import pytest

from rubato.metrics import METRICS
from rubato.settings import Settings
from tests.infrastructure.conftest import ON_REQUEST, ROOT, Template

NAMES = {metric.name for metric in METRICS.values()}
GUIDE = (ROOT / "docs" / "operations.md").read_text()


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    return template.of_type("AWS::CloudWatch::Alarm")


def conditions(template: Template, kind: str) -> dict[str, str]:
    return {name: each.get("Condition", "") for name, each in template.resources.items() if each["Type"] == kind}


def test_every_alarm_tells_the_topics_when_it_begins_and_when_it_ends(template: Template) -> None:
    to = [
        {"Fn::If": ["AlarmsGoToTopic", {"Ref": "AlarmTopicArn"}, {"Ref": "AWS::NoValue"}]},
        {"Fn::If": ["AlarmsGoToMail", {"Ref": "AlarmTopic"}, {"Ref": "AWS::NoValue"}]},
    ]
    assert all(each["AlarmActions"] == each["OKActions"] == to for each in alarms(template).values())
    assert set(conditions(template, "AWS::CloudWatch::Alarm").values()) == {"HasAlarms"}


def test_every_alarm_is_explained_where_its_description_says(template: Template) -> None:
    for name, alarm in alarms(template).items():
        assert alarm["AlarmDescription"].endswith(f"docs/operations.md: {name}") and name in GUIDE


def test_alarms_and_dashboard_watch_metrics_that_exist(template: Template) -> None:
    own = [each for each in alarms(template).values() if each["Namespace"] == "Rubato"]
    assert {each["MetricName"] for each in own} <= NAMES
    for each in own:
        assert each["Dimensions"] == [{"Name": "service", "Value": {"Ref": "AWS::StackName"}}]
    body = template.of_type("AWS::CloudWatch::Dashboard")["OperationsDashboard"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(body)["widgets"]
    shown = [metric for widget in widgets for metric in widget["properties"]["metrics"]]
    assert {metric[1] for metric in shown if metric[0] == "Rubato"} <= NAMES
    known = set(template.resources) | {"AWS::StackName", "AWS::Region"}
    assert {name.split(".")[0] for name in re.findall(r"\$\{([^}]+)\}", body)} <= known
    shared = template.body["Globals"]["Function"]["Environment"]["Variables"]
    assert shared["POWERTOOLS_SERVICE_NAME"] == {"Ref": "AWS::StackName"}


@pytest.mark.parametrize(
    ("alarm", "metric", "threshold", "periods", "missing"),
    [
        ("DeadLettersAlarm", "ApproximateNumberOfMessagesVisible", 0, 1, "notBreaching"),
        ("TickSilentAlarm", "Invocations", 1, 3, "breaching"),
        ("TickTroubleAlarm", "TickFailures", 0, 3, "notBreaching"),
        ("TickLeftAlarm", "Left", 0, 3, "notBreaching"),
        ("OldestDueAlarm", "OldestDueAge", 120_000, 1, "notBreaching"),
        ("DispatcherErrorsAlarm", "Errors", 0, 1, "notBreaching"),
        ("RuleDeadLettersAlarm", "ApproximateNumberOfMessagesVisible", 0, 1, "notBreaching"),
        ("RulesFailingAlarm", "Errors", 0, 1, "notBreaching"),
        ("StoreThrottledAlarm", "Throttled", 0, 3, "notBreaching"),
        ("VaultAlarm", "VaultErrors", 0, 3, "notBreaching"),
    ],
)
def test_the_alarms_have_the_thresholds_that_were_agreed(
    template: Template, alarm: str, metric: str, threshold: int, periods: int, missing: str
) -> None:
    found = alarms(template)[alarm]
    assert (found["MetricName"], found["Threshold"], found["EvaluationPeriods"]) == (metric, threshold, periods)
    assert (found["Period"], found["TreatMissingData"]) == (60, missing)


def test_whoever_may_tell_or_trace_may_do_so_only_when_that_is_asked_for(template: Template) -> None:
    granted = {}
    policies = template.of_type("AWS::IAM::Policy")
    assert set(policies) == ON_REQUEST | {"TickInvokesItself"}
    for name, policy in ((name, policies[name]) for name in ON_REQUEST):
        statement, *_ = policy["PolicyDocument"]["Statement"]
        roles = [role["Ref"] for role in policy["Roles"]]
        granted[name] = (conditions(template, "AWS::IAM::Policy")[name], roles, statement["Action"])
        is_anything = statement["Resource"] == "*"
        assert is_anything == (name == "FunctionsSendTraces")  # X-Ray knows no resources
        assert ("*" in str(statement["Resource"])) == is_anything
        assert len(policy["PolicyDocument"]["Statement"]) == (2 if name == "PlannerAsksBedrock" else 1)
    assert granted == {
        "DispatcherTellsTopic": ("NoticesGoToTopic", ["DispatcherRole"], "sns:Publish"),
        "DispatcherTellsMail": ("NoticesGoToMail", ["DispatcherRole"], "sns:Publish"),
        "DispatcherTellsBus": ("NoticesGoToBus", ["DispatcherRole"], "events:PutEvents"),
        "FunctionsSendTraces": (
            "Traced",
            ["ApiRole", "AuthorizerRole", "TickRole", "DispatcherRole", "RulesRole", "PlannerRole", "SyntheticRole"],
            ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
        ),
        "PlannerAsksBedrock": ("UsesBedrock", ["PlannerRole"], "bedrock:InvokeModel"),
        "PlannerReadsKey": ("HasModelKey", ["PlannerRole"], ["secretsmanager:GetSecretValue", "ssm:GetParameter"]),
    }


def test_nothing_is_told_and_traced_by_default(template: Template) -> None:
    parameters = template.body["Parameters"]
    for name in ("AlarmTopicArn", "AlarmEmail", "NotificationTopicArn", "NotificationEmail", "EventBusName"):
        assert parameters[name]["Default"] == ""
    assert parameters["Tracing"]["Default"] == "PassThrough"


def test_no_model_is_asked_and_paid_for_by_default(template: Template) -> None:
    parameters = template.body["Parameters"]
    assert (parameters["ModelProvider"]["Default"], parameters["ModelKeyArn"]["Default"]) == ("none", "")
    assert parameters["PlannerMinutes"]["Default"] == 5


def test_a_model_that_is_set_up_has_a_daily_bound_by_default(template: Template) -> None:
    parameter = template.body["Parameters"]["PlannerTokensPerDay"]
    assert parameter["Default"] == 1_000_000 and parameter["MinValue"] == 0
    assert Settings.from_env({}).limits.planning.tokens_per_day == 1_000_000
    assert Settings.from_env({"PLANNER_QUOTA": "0"}).limits.planning.tokens_per_day == 0
