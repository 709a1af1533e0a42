"""What people on call get from the local stack: a notice through EventBridge, log lines, metrics, alarms."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from cli.local import logs
from cli.local.emulator import credentials
from cli.local.home import Home
from tests.e2e.conftest import LocalStack
from tests.e2e.watchers import listening, until

SECRETS = ("hunter2", "s3cr3t")


def aws(stack: LocalStack, service: str) -> Any:
    return boto3.client(service, **credentials(stack.port))


@pytest.fixture
def mailbox(stack: LocalStack) -> Iterator[str]:
    """The URL of a queue to which a rule of the default bus sends every notice."""
    queues, events = aws(stack, "sqs"), aws(stack, "events")
    url = queues.create_queue(QueueName="notices")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="notices", EventPattern=json.dumps({"source": ["rubato"]}))
    events.put_targets(Rule="notices", Targets=[{"Id": "queue", "Arn": arn}])
    yield url
    events.remove_targets(Rule="notices", Ids=["queue"])
    events.delete_rule(Name="notices")
    queues.delete_queue(QueueUrl=url)


def test_a_failing_endpoint_is_told_on_the_bus_and_found_in_the_logs_without_a_secret(
    stack: LocalStack, mailbox: str
) -> None:
    job = stack.client.post("/jobs", json={"name": "shop", "notifications": {"afterFailures": 1}}).json()["jobId"]
    with listening() as target:
        request = {
            "url": target.url + "/fine?token=hunter2",
            "headers": {"Authorization": "Bearer s3cr3t"},
        }
        config = {"name": "checkout", "request": request, "baseline": {"manual": True}, "successCodes": ["201"]}
        made = stack.client.post(f"/jobs/{job}/endpoints", json=config).raise_for_status().json()["endpointId"]
        asked = stack.client.post(f"/endpoints/{made}/hints/one-shot", json={"runInMs": 0}).raise_for_status()
        told = until(lambda: _received(stack, mailbox), 40, "a notice")
    detail = told["detail"]
    assert (told["source"], told["detail-type"]) == ("rubato", "endpoint.failing")
    assert (detail["endpointId"], detail["endpointName"], detail["jobName"]) == (made, "checkout", "shop")
    assert (detail["failureCount"], detail["statusCode"], detail["id"]) == (
        1,
        200,
        f"{detail['runId']}/endpoint.failing",
    )
    lines = until(lambda: _lines_about(stack, detail["runId"]), 20, "log lines about the run")
    failed = next(line for line in lines if line["message"] == "run failed")
    assert failed["endpointId"] == made and failed["jobId"] == job and failed["tenantId"] and failed["messageId"]
    everything = list(logs.lines(Home.at(stack.port, stack.state_dir), None, follow=False))
    requested = [line for line in everything if asked.headers["X-Request-Id"] in line]
    assert any('"scheduleOneShotRun"' in line for line in requested)
    assert any('"RunsFailed"' in line and '"Lateness"' in line for line in everything)
    assert not [line for line in everything if any(secret in line for secret in (*SECRETS, stack.api_key))]
    stack.client.delete(f"/jobs/{job}").raise_for_status()


def test_alarms_and_the_dashboard_are_there(stack: LocalStack) -> None:
    watching = aws(stack, "cloudwatch")
    alarms = {alarm["MetricName"] for alarm in watching.describe_alarms()["MetricAlarms"]}
    assert {"OldestDueAge", "Invocations", "Errors", "Throttles", "ApproximateNumberOfMessagesVisible"} <= alarms
    board = watching.get_dashboard(DashboardName="rubato-local-us-east-1")["DashboardBody"]
    assert len(json.loads(board)["widgets"]) > 5


def _received(stack: LocalStack, url: str) -> dict[str, Any] | None:
    messages = aws(stack, "sqs").receive_message(QueueUrl=url).get("Messages", [])
    return json.loads(messages[0]["Body"]) if messages else None


def _lines_about(stack: LocalStack, run_id: str) -> list[dict[str, Any]]:
    found = [
        line.partition("{")[2] for line in logs.lines(Home.at(stack.port, stack.state_dir), "dispatcher", follow=False)
    ]
    lines = [json.loads("{" + line) for line in found if line.endswith("}")]
    return [line for line in lines if line.get("runId") == run_id]
