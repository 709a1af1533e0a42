"""The planner's function as Lambda has it: from its schedule and from its queue, over moto."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from pytest_httpserver import HTTPServer

from rubato.adapters.scripted import ScriptedModel, calling, submit
from rubato.bootstrap import AwsWorld
from rubato.domain.analysis import Outcome
from rubato.domain.instant import HOUR
from rubato.domain.schedule import IntervalBaseline, ManualBaseline
from tests.functions.conftest import Context, event, load
from tests.planners import a_planned_endpoint, analyses
from tests.worlds import MIDNIGHT, an_endpoint

HINT = {"intervalMs": 30_000, "ttlMinutes": 5, "reason": "busy"}


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[AwsWorld]:
    """A deployment with a model, which plays a part."""
    for name, value in (("MODEL_PROVIDER", "openai"), ("MODEL_ID", "small"), ("MODEL_URL", "http://127.0.0.1:9")):
        monkeypatch.setenv(name, value)
    world: AwsWorld = request.getfixturevalue("world")
    world.model = ScriptedModel(calling(("propose_interval", HINT)), submit())
    return world  # type: ignore[return-value]


def waiting(world: AwsWorld) -> list[str]:
    client: Any = boto3.client("sqs", region_name="eu-central-1")
    answer = client.receive_message(QueueUrl=world.settings.analysis_queue_url, MaxNumberOfMessages=10)
    return [message["Body"] for message in answer.get("Messages", ())]


def batch(*bodies: str) -> dict[str, Any]:
    record = event("planner-sqs-batch")["Records"][0]
    return {"Records": [{**record, "body": body, "messageId": str(n)} for n, body in enumerate(bodies)]}


def test_a_look_sends_for_what_is_due_and_the_queue_has_it_analysed(planned: AwsWorld) -> None:
    endpoint = a_planned_endpoint(planned, IntervalBaseline(HOUR))
    an_endpoint(planned, ManualBaseline())
    handler = load("planner").handler
    assert handler(event("planner-scheduled"), Context()) == {"sent": 1}
    (body,) = waiting(planned)
    assert json.loads(body) == {"v": 1, "due": MIDNIGHT, "endpointId": endpoint.id, "analyse": True}
    for _ in range(2):
        assert handler(batch(body), Context()) == {"batchItemFailures": []}
    (kept,) = analyses(planned, endpoint)
    assert (kept.outcome, kept.model) == (Outcome.SUBMITTED, "openai/small")
    stored = planned.endpoints.load(endpoint.id)
    assert stored is not None and [hint.interval_ms for hint in stored.hints] == [30_000]
    assert handler(event("planner-scheduled"), Context()) == {}
    runs: Any = boto3.client("sqs", region_name="eu-central-1")
    attributes = runs.get_queue_attributes(QueueUrl=planned.settings.queue_url, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessagesDelayed"] == "1"  # the hinted run is on its way to the dispatcher


def test_a_message_that_can_not_be_read_goes_back_and_one_of_an_unknown_endpoint_is_dropped(planned: AwsWorld) -> None:
    handler, known = load("planner").handler, event("planner-sqs-batch")["Records"][0]["body"]
    answer = handler(batch("nonsense", known), Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}]}


def test_an_analysis_that_failed_five_times_is_let_go_and_stays_due(
    planned: AwsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ConnectionError("the store is down")

    endpoint = a_planned_endpoint(planned, IntervalBaseline(HOUR))
    handler = load("planner").handler
    handler(event("planner-scheduled"), Context())
    (body,) = waiting(planned)
    with monkeypatch.context() as patch:
        patch.setattr(planned.analyses, "begin", broken)
        for received, kept in ((4, 1), (5, 0)):
            given = batch(body)
            given["Records"][0]["attributes"] = {"ApproximateReceiveCount": str(received)}
            assert len(handler(given, Context())["batchItemFailures"]) == kept
    assert handler(event("planner-scheduled"), Context()) == {"sent": 1}
    assert analyses(planned, endpoint) == ()


def test_a_deployment_without_a_model_looks_at_nothing(world: AwsWorld) -> None:
    a_planned_endpoint(world)
    assert load("planner").handler(event("planner-scheduled"), Context()) == {} and waiting(world) == []


def test_the_configured_model_is_asked_with_the_key_from_its_secret(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, httpserver: HTTPServer
) -> None:
    given = '{"reasoning": "fine", "confidence": 1, "nextAnalysisIn": 60}'
    call = {"id": "c", "type": "function", "function": {"name": "submit_analysis", "arguments": given}}
    httpserver.expect_request("/v1/chat/completions", headers={"Authorization": "Bearer sk-1"}).respond_with_json(
        {"choices": [{"message": {"tool_calls": [call]}}], "usage": {"prompt_tokens": 9, "completion_tokens": 1}}
    )
    for name, value in (("MODEL_PROVIDER", "openai"), ("MODEL_ID", "small"), ("MODEL_INPUT_PRICE", "2.5")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MODEL_URL", httpserver.url_for("/v1"))
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:key"
    monkeypatch.setenv("MODEL_KEY_ARN", arn)
    world: AwsWorld = request.getfixturevalue("world")
    manager: Any = boto3.client("secretsmanager", region_name="eu-central-1")
    manager.create_secret(Name="key", SecretString="sk-1")
    endpoint = a_planned_endpoint(world, IntervalBaseline(HOUR))
    handler = load("planner").handler
    handler(event("planner-scheduled"), Context())
    handler(batch(*waiting(world)), Context())
    (kept,) = analyses(world, endpoint)
    assert (kept.outcome, kept.error, kept.cost) == (Outcome.SUBMITTED, None, 0.000023)
