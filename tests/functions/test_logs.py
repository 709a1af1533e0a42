"""What the handlers write: lines that say whom they are about, metrics of a fixed set, and never a secret."""

import ast
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from rubato.adapters.sqs import dump_message
from rubato.bootstrap import AwsWorld
from rubato.domain.access import ALL_SCOPES
from rubato.domain.endpoint import Endpoint, TargetRequest
from rubato.domain.hints import ActorKind
from rubato.domain.instant import HOUR, MINUTE, SECOND
from rubato.domain.messages import RunMessage
from rubato.domain.schedule import IntervalBaseline
from rubato.metrics import METRICS
from tests.functions.conftest import ROOT, Context, event, load
from tests.worlds import MIDNIGHT, a_job, a_key, an_endpoint

SECRETS = ("hunter2", "s3cr3t", "swordfish", "opensesame")
CONTEXT = Context()


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Every line as JSON; fails when one is not, or holds a secret."""
    text = capsys.readouterr().out
    assert not [secret for secret in SECRETS if secret in text]
    return [json.loads(line) for line in text.splitlines()]


def lines(found: list[dict[str, Any]], message: str) -> list[dict[str, Any]]:
    return [line for line in found if line.get("message") == message]


def metrics(found: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Values by name of the embedded-format lines; checks that they are the set's and carry no dimension but one."""
    values: dict[str, list[float]] = {}
    for line in found:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", ()):
            assert (directive["Namespace"], directive["Dimensions"]) == ("Rubato", [["service"]])
            for metric in directive["Metrics"]:
                known = next(each for each in METRICS.values() if each.name == metric["Name"])
                assert metric["Unit"] == known.unit
                values.setdefault(metric["Name"], []).extend(line[metric["Name"]])
    return values


def record(endpoint: Endpoint, message_id: str) -> dict[str, Any]:
    claim = endpoint.state.claim
    assert claim is not None
    message = RunMessage(endpoint_id=endpoint.id, due=claim.plan.due, run_id=claim.run_id, fence=claim.fence)
    return {**event("dispatcher-sqs-batch")["Records"][0], "messageId": message_id, "body": dump_message(message)}


class Output:
    """Whatever standard output is just now: Powertools keeps the one of the test that was first to log."""

    def write(self, text: str) -> None:
        sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


@pytest.fixture(autouse=True)
def output(world: AwsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "rubato-test")
    for handler in world.telemetry._logger.handlers:
        monkeypatch.setattr(handler, "stream", Output())


def test_ten_runs_in_ten_threads_leave_lines_that_name_their_own_run_and_no_secret(
    world: AwsWorld, httpserver: HTTPServer, capsys: pytest.CaptureFixture[str]
) -> None:
    httpserver.expect_request("/probe").respond_with_data("the password is hunter2", status=500)
    request = TargetRequest(
        url=httpserver.url_for("/probe?token=s3cr3t"),
        method="POST",
        headers=(("Authorization", "Bearer swordfish"),),
        body={"password": "opensesame"},
    )
    job = a_job(world)
    endpoints = [
        an_endpoint(world, IntervalBaseline(10 * SECOND), job=job, name=f"probe {n}", request=request)
        for n in range(10)
    ]
    world.clock.sleep_until(MIDNIGHT + 10 * SECOND)
    batch = {"Records": [record(endpoint, f"message {n}") for n, endpoint in enumerate(endpoints)]}
    assert load("dispatcher").handler(batch, CONTEXT) == {"batchItemFailures": []}
    found = written(capsys)
    failed = lines(found, "run failed")
    assert len(failed) == 10
    for number, endpoint in enumerate(endpoints):
        (line,) = (each for each in failed if each["messageId"] == f"message {number}")
        claim = endpoint.state.claim
        assert claim is not None
        assert (line["endpointId"], line["runId"], line["attempt"]) == (endpoint.id, claim.run_id, 1)
        assert (line["tenantId"], line["jobId"], line["requestId"]) == ("acme", job.job_id, CONTEXT.aws_request_id)
        assert (line["statusCode"], line["errorKind"]) == (500, "http_status")
    told = metrics(found)
    assert told["RunsFailed"] == told["Dispatched"] == [10] and len(told["Lateness"]) == 10


def test_a_message_that_comes_again_is_a_duplicate_and_one_of_a_run_that_is_not_to_be_is_stale(
    world: AwsWorld, httpserver: HTTPServer, capsys: pytest.CaptureFixture[str]
) -> None:
    httpserver.expect_request("/probe").respond_with_data("ok")
    endpoint = an_endpoint(
        world, IntervalBaseline(10 * SECOND), request=TargetRequest(url=httpserver.url_for("/probe"))
    )
    world.clock.sleep_until(MIDNIGHT + 10 * SECOND)
    again = record(endpoint, "again")
    dispatch = load("dispatcher").handler
    dispatch({"Records": [again]}, CONTEXT)
    first = written(capsys)
    assert metrics(first)["RunsSucceeded"] == [1]
    assert lines(first, "run succeeded") == []  # each successful run would cost a line
    dispatch({"Records": [again]}, CONTEXT)
    dispatch({"Records": [{**again, "body": again["body"].replace(endpoint.id, "ep_gone")}]}, CONTEXT)
    found = written(capsys)
    assert metrics(found) == {"DuplicatesDropped": [1], "Stale": [1]}
    assert [line["outcome"] for line in lines(found, "message handled")] == ["duplicate", "stale"]


def test_what_breaks_is_logged_by_type_and_place_and_without_its_text(
    world: AwsWorld, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("could not store {'Authorization': 'hunter2'}") from ValueError("s3cr3t")

    monkeypatch.setattr(world.jobs, "create", broken)
    assert load("api").handler(event("api-create-job"), CONTEXT)["statusCode"] == 500
    monkeypatch.setattr(world.endpoints, "load", broken)
    batch = event("dispatcher-sqs-batch")
    load("dispatcher").handler(batch, CONTEXT)
    found = written(capsys)
    (failed,) = lines(found, "request failed")
    assert failed["error"] == "RuntimeError <- ValueError" and failed["action"] == "createJob"
    assert any("create_job.py" in frame for frame in failed["stack"])
    assert [line["status"] for line in lines(found, "request")] == [500]
    assert {line["messageId"] for line in lines(found, "dispatch failed")} == {r["messageId"] for r in batch["Records"]}
    assert metrics(found)["DispatchErrors"] == [len(batch["Records"])]


def test_a_request_that_changes_something_is_found_by_the_id_that_its_caller_was_told(
    world: AwsWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = load("api").handler(event("api-create-job"), CONTEXT)
    load("api").handler(event("api-list-runs"), CONTEXT)
    (line,) = lines(written(capsys), "request")
    assert line["requestId"] == answer["headers"]["X-Request-Id"]
    assert (line["action"], line["status"], line["tenantId"]) == ("createJob", 201, "acme")
    assert line["lambdaRequestId"] == CONTEXT.aws_request_id


def test_the_tick_tells_each_time_for_how_long_the_oldest_run_has_been_waiting(
    world: AwsWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    tick = load("tick").handler
    tick(event("tick-scheduled"), CONTEXT)
    found = written(capsys)
    assert metrics(found) == {"OldestDueAge": [0]}
    assert lines(found, "tick")[0]["requestId"] == CONTEXT.aws_request_id
    an_endpoint(world, IntervalBaseline(HOUR))
    # Nobody takes its message, so that the claim of the first tick waits.
    world.clock.sleep_until(MIDNIGHT + HOUR - MINUTE)
    tick(event("tick-scheduled"), CONTEXT)
    assert metrics(written(capsys)) == {"OldestDueAge": [0], "Claimed": [1]}
    world.clock.sleep_until(MIDNIGHT + HOUR + 3 * MINUTE)
    tick(event("tick-scheduled"), CONTEXT)
    assert metrics(written(capsys)) == {"OldestDueAge": [3 * MINUTE], "Resent": [1]}


def test_a_key_that_can_not_be_looked_up_is_an_error_and_a_wrong_one_is_none(
    world: AwsWorld, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> None:
        raise ConnectionError("hunter2")

    _, token = a_key(world, "acme", label="ci", kind=ActorKind.AGENT, scopes=ALL_SCOPES)
    authorize, request = load("authorizer").handler, event("authorizer-request")
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorize({**request, "headers": {"x-api-key": "rbt_wrong"}}, CONTEXT)
    assert written(capsys) == []
    monkeypatch.setattr(world.keys, "get", unreachable)
    with pytest.raises(Exception, match=r"^Unavailable$"):
        authorize({**request, "headers": {"x-api-key": token}}, CONTEXT)
    text = capsys.readouterr().out
    assert token not in text and "hunter2" not in text
    assert metrics([json.loads(line) for line in text.splitlines()]) == {"AuthorizerErrors": [1]}


def test_throttled_answers_of_aws_are_counted_although_the_client_tries_again(
    world: AwsWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    class Answer:
        status_code = 400
        headers: dict[str, str] = {}
        content = b'{"__type": "ThrottlingException", "message": "slow down"}'

    client: Any = world.endpoints._connection.client  # type: ignore[attr-defined]
    refusals = iter([Answer(), Answer()])
    client.meta.events.register_first("before-send.dynamodb.*", lambda **_: next(refusals, None))
    assert world.endpoints.load("ep_1") is None
    world.telemetry.flush()
    assert metrics(written(capsys)) == {"Throttled": [2]}


def test_docs_and_code_name_the_same_metrics() -> None:
    documented = (ROOT / "docs" / "operations.md").read_text()
    assert all(f"| {metric.name} |" in documented for metric in METRICS.values())
    counted = {name for path in (ROOT / "layers/core/rubato").rglob("*.py") for name in _measured(path)}
    assert {"dispatched", "throttled", "lateness", "oldest_due_age"} <= counted <= set(METRICS)


def _measured(path: Path) -> list[str]:
    """The literal names given to telemetry.count, measure and peak."""
    return [
        node.args[0].value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("count", "measure", "peak")
        and "telemetry" in ast.dump(node.func.value)
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    ]
