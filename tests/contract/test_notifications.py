"""What people receive, through SNS and EventBridge as moto has them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from rubato.adapters.eventbridge import EventBridgeNotifications, EventRefused
from rubato.adapters.memory_notifications import MemoryNotifications
from rubato.adapters.notices import AllNotifications
from rubato.adapters.sns import SnsNotifications, subject
from rubato.adapters.sqs import dump_message, load_message
from rubato.domain.jobs import NotificationRules
from rubato.domain.messages import NotifyMessage
from rubato.domain.notices import Notice, NoticeKind, Turn
from rubato.usecases.update_job import update_job
from tests.worlds import ANNE, MIDNIGHT, a_job

_REGION = "eu-central-1"
NOTICE = Notice(
    notice_id="run_1/endpoint.failing",
    kind=NoticeKind.FAILING,
    tenant_id="acme",
    job_id="job_1",
    job_name="shop",
    endpoint_id="ep_1",
    endpoint_name="Küche\n" * 40,
    run_id="run_1",
    failure_count=3,
    at=MIDNIGHT,
    status_code=503,
    error_kind="http_status",
    error_message="status 503 is not among 200-299",
)
DETAIL = {
    "id": "run_1/endpoint.failing", "kind": "endpoint.failing", "tenantId": "acme", "jobId": "job_1", "jobName": "shop",
    "endpointId": "ep_1", "endpointName": "Küche\n" * 40, "runId": "run_1", "failureCount": 3,
    "at": "2025-01-01T00:00:00.000Z", "lastSuccessAt": None, "statusCode": 503, "errorKind": "http_status",
    "errorMessage": "status 503 is not among 200-299",
}  # fmt: skip


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """URL and ARN of a queue in an emulated account."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        queues = boto3.client("sqs", region_name=_REGION)
        url = queues.create_queue(QueueName="inbox")["QueueUrl"]
        answer = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        yield url, answer["Attributes"]["QueueArn"]


def received(url: str) -> Any:
    (message,) = boto3.client("sqs", region_name=_REGION).receive_message(QueueUrl=url)["Messages"]
    return json.loads(message["Body"])


def test_a_subscriber_of_the_topic_gets_the_notice_with_attributes_to_filter_by(inbox: tuple[str, str]) -> None:
    url, queue_arn = inbox
    topics = boto3.client("sns", region_name=_REGION)
    arn = topics.create_topic(Name="notices")["TopicArn"]
    topics.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn)
    SnsNotifications(arn, _REGION).publish(NOTICE)
    got = received(url)
    assert json.loads(got["Message"]) == DETAIL
    assert got["Subject"].startswith("Rubato: failing: K?che?")
    attributes = {name: each["Value"] for name, each in got["MessageAttributes"].items()}
    assert attributes == {"kind": "endpoint.failing", "tenantId": "acme", "jobId": "job_1"}


def test_a_subject_is_what_sns_takes_whatever_an_endpoint_is_called() -> None:
    assert len(subject(NOTICE)) == 100 and subject(NOTICE).isascii() and subject(NOTICE).isprintable()


def test_the_bus_takes_the_notice_as_the_detail_of_an_event(inbox: tuple[str, str]) -> None:
    # What a rule makes of it is seen on the local stack: moto would need a package more for that.
    bus = EventBridgeNotifications("default", _REGION)
    sent: list[Any] = []
    bus._client.meta.events.register("before-parameter-build.events.PutEvents", lambda params, **_: sent.append(params))
    bus.publish(NOTICE)
    ((event,),) = (each["Entries"] for each in sent)
    assert (event["Source"], event["DetailType"], event["Resources"]) == ("rubato", "endpoint.failing", ["ep_1"])
    assert event["Time"].isoformat() == "2025-01-01T00:00:00+00:00" and event["EventBusName"] == "default"
    assert json.loads(event["Detail"]) == DETAIL


def test_an_event_that_the_bus_refuses_raises(inbox: tuple[str, str]) -> None:
    bus = EventBridgeNotifications("default", _REGION)
    refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}
    answer = type("Answer", (), {"status_code": 200, "headers": {}, "content": json.dumps(refused).encode()})()
    bus._client.meta.events.register_first("before-send.events.PutEvents", lambda **_: answer)
    with pytest.raises(EventRefused, match="InternalFailure"):
        bus.publish(NOTICE)


def test_a_destination_that_is_gone_raises_so_that_the_queue_tries_again(inbox: tuple[str, str]) -> None:
    arn = f"arn:aws:sns:{_REGION}:123456789012:gone"
    with pytest.raises(Exception, match="does not exist"):
        SnsNotifications(arn, _REGION).publish(NOTICE)


def test_every_destination_is_told_and_one_that_fails_says_so() -> None:
    first, second = MemoryNotifications(), MemoryNotifications()
    AllNotifications([first, second]).publish(NOTICE)
    assert first.published == second.published == [NOTICE]
    second.failing = True
    with pytest.raises(ConnectionError):
        AllNotifications([first, second]).publish(NOTICE)
    assert AllNotifications([first]).is_on and not AllNotifications().is_on


@pytest.mark.parametrize("succeeded_at", [None, MIDNIGHT])
def test_a_turn_comes_back_from_the_queue_as_it_was_sent(succeeded_at: int | None) -> None:
    turn = Turn(kind=NoticeKind.RECOVERED, failures=4, succeeded_at=succeeded_at)
    message = NotifyMessage(endpoint_id="ep_1", due=MIDNIGHT, run_id="run_1", fence=7, turn=turn)
    assert load_message(dump_message(message)) == message


def test_a_job_keeps_what_its_people_want_to_hear(world: Any) -> None:

    job = a_job(world)
    stored = world.jobs.get(job.job_id)
    assert stored.notifications == NotificationRules()
    rules = NotificationRules(after_failures=5, on_recovery=True)
    update_job(world, ANNE, job.job_id, lambda job: replace(job, notifications=rules))
    assert world.jobs.get(job.job_id).notifications == rules


def test_a_destination_that_fails_does_not_silence_the_others() -> None:
    class Broken:
        is_on = True

        def publish(self, _notice: Notice) -> None:
            raise ConnectionError("no such topic")

    heard = MemoryNotifications()
    with pytest.raises(ConnectionError, match="no such topic"):
        AllNotifications([Broken(), heard]).publish(NOTICE)
    assert heard.published == [NOTICE]
