"""The targets at /synthetic: what they answer, what they refuse, and that they can be switched off."""

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from rubato.domain.endpoint import Retry, TargetRequest
from rubato.domain.exchange import Call, Reply
from rubato.domain.instant import HOUR
from rubato.domain.retries import is_retryable
from rubato.domain.schedule import IntervalBaseline
from rubato.interface import synthetic
from tests.unit.clients import Answer, Client
from tests.worlds import MIDNIGHT, MemoryWorld, Stage, an_endpoint


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


def ask(world: MemoryWorld, method: str, path: str, **event: Any) -> Answer:
    """As API Gateway hands it over."""

    def crash() -> None:
        raise

    given = {"httpMethod": method, "path": path, "headers": {}, "requestContext": {"requestId": "req-1"}, **event}
    return Answer(synthetic.handle(world, given, on_crash=crash))


def query(**parameters: str) -> dict[str, Any]:
    return {"queryStringParameters": parameters}


def test_health_tells_the_version(world: MemoryWorld) -> None:
    answer = ask(world, "GET", "/synthetic/health/")
    assert (answer.status, answer.body["status"]) == (200, "ok") and answer.body["version"]
    assert ask(world, "HEAD", "/synthetic/health").text == ""


def test_echo_gives_back_method_query_headers_and_json_without_credentials(world: MemoryWorld) -> None:
    answer = ask(
        world,
        "POST",
        "/synthetic/echo",
        headers={
            "Rubato-Run-Id": "run_1", "X-Api-Key": "hunter2", "authorization": "Bearer hunter2", "Cookie": "hunter2",
            "Idempotency-Key": "hunter2", "X-Session-Token": "hunter2", "Webhook-Signature": "hunter2", "Accept": "*/*",
        },
        body='{"deep": [1, null, {"x": "<script>"}]}',
        queryStringParameters={"a": "2", "token": "hunter2"},
        multiValueQueryStringParameters={"a": ["1", "2"], "token": ["hunter2"]},
    )  # fmt: skip
    assert answer.body == {
        "method": "POST",
        "path": "/synthetic/echo",
        "query": {"a": ["1", "2"]},
        "headers": {"rubato-run-id": "run_1", "accept": "*/*"},
        "body": {"deep": [1, None, {"x": "<script>"}]},
    }


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({}, None),
        ({"body": "plain <b>text</b>"}, "plain <b>text</b>"),
        ({"body": "[" * 9000}, "[" * 9000),
        ({"body": '{"x": NaN}'}, '{"x": NaN}'),
        ({"body": b64encode(b"\xff{").decode(), "isBase64Encoded": True}, "\ufffd{"),
        ({"body": b64encode(b'{"a": 1}').decode(), "isBase64Encoded": True}, {"a": 1}),
    ],
)
def test_echo_tells_whatever_was_sent_as_json_or_text(world: MemoryWorld, sent: dict[str, Any], told: Any) -> None:
    answer = ask(world, "POST", "/synthetic/echo", **sent)
    assert answer.status == 200 and answer.body["body"] == told
    assert "NaN" not in answer.text.replace('\\"x\\": NaN', "")


def test_echo_is_bounded(world: MemoryWorld) -> None:
    assert ask(world, "POST", "/synthetic/echo", body="x" * 16_384).status == 200
    answer = ask(world, "POST", "/synthetic/echo", body="x" * 16_385)
    assert (answer.status, answer.body["code"]) == (413, "too_large") and "xxx" not in answer.text


@pytest.mark.parametrize("path", synthetic.TARGETS)
def test_no_answer_can_be_taken_for_a_page_or_kept(world: MemoryWorld, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        headers = ask(world, method, path, body="<html>").headers
        assert headers["Content-Type"] in ("application/json", "application/problem+json")
        assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
        assert headers["X-Request-Id"] == "req-1" and "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("path", synthetic.TARGETS)
def test_a_wrong_method_is_told_the_right_ones(world: MemoryWorld, path: str) -> None:
    right = "POST" if path.endswith("echo") else "GET"
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - {right}:
        answer = ask(world, method, path)
        assert (answer.status, answer.body["code"]) == (405, "method_not_allowed")
        assert right in answer.headers["Allow"] == ask(world, "OPTIONS", path).headers["Allow"]


@pytest.mark.parametrize("path", synthetic.TARGETS)
def test_switched_off_they_are_routes_that_do_not_exist(world: MemoryWorld, path: str) -> None:
    world.limits = replace(world.limits, synthetic_targets=False)
    for method in ("GET", "POST", "OPTIONS"):
        answer, unknown = ask(world, method, path), Client(world)(method, "/nope")
        assert answer.status == unknown.status == 404
        assert {**answer.body, "detail": ""} == {**unknown.body, "detail": ""}
    assert world.clock.now() == MIDNIGHT


@pytest.mark.parametrize(
    ("given", "waited"), [({}, 2000), ({"delayMs": "0"}, 0), ({"delayMs": "0750"}, 750), ({"delayMs": "10000"}, 10_000)]
)
def test_slow_waits_as_long_as_it_is_asked_to(world: MemoryWorld, given: dict[str, str], waited: int) -> None:
    answer = ask(world, "GET", "/synthetic/slow", **query(**given))
    assert (answer.status, answer.body) == (200, {"status": "ok", "delayMs": waited})
    assert world.clock.now() == MIDNIGHT + waited


def test_slow_waits_for_nobody_who_only_looks(world: MemoryWorld) -> None:
    assert ask(world, "HEAD", "/synthetic/slow").status == 200 and world.clock.now() == MIDNIGHT


@pytest.mark.parametrize(
    ("path", "given", "field"),
    [
        ("slow", {"delayMs": "10001"}, "delayMs"),
        ("slow", {"delayMs": "-1"}, "delayMs"),
        ("slow", {"delayMs": "2.5"}, "delayMs"),
        ("slow", {"delayMs": ""}, "delayMs"),
        ("slow", {"delayMs": "²"}, "delayMs"),
        ("slow", {"delayMs": "9" * 5000}, "delayMs"),
        ("slow", {"delay": "1"}, "delay"),
        ("flaky", {"failureRate": "1.01"}, "failureRate"),
        ("flaky", {"failureRate": "-0.1"}, "failureRate"),
        ("flaky", {"failureRate": "nan"}, "failureRate"),
        ("flaky", {"failureRate": "0_1"}, "failureRate"),
        ("flaky", {"failureRate": "0." + "1" * 5000}, "failureRate"),
        ("flaky", {"seed": ""}, "seed"),
        ("flaky", {"seed": "x" * 65}, "seed"),
        ("flaky", {"delayMs": "1"}, "delayMs"),
    ],
)
def test_a_bad_parameter_is_named_and_costs_no_wait(
    world: MemoryWorld, path: str, given: dict[str, str], field: str
) -> None:
    answer = ask(world, "GET", f"/synthetic/{path}", **query(**given))
    assert (answer.status, answer.paths()) == (422, [field]) and world.clock.now() == MIDNIGHT


def test_a_parameter_that_comes_twice_is_refused(world: MemoryWorld) -> None:
    twice = {"queryStringParameters": {"delayMs": "2"}, "multiValueQueryStringParameters": {"delayMs": ["1", "2"]}}
    assert ask(world, "GET", "/synthetic/slow", **twice).paths() == ["delayMs"]


def outcomes(world: MemoryWorld, count: int, **given: str) -> list[int]:
    return [ask(world, "GET", "/synthetic/flaky", **query(**given)).status for _ in range(count)]


def test_flaky_fails_as_often_as_it_is_asked_to(world: MemoryWorld) -> None:
    assert set(outcomes(world, 30, failureRate="0")) == {200}
    assert set(outcomes(world, 30, failureRate="1")) == {429}
    assert 60 <= outcomes(world, 300, failureRate="0.25").count(429) <= 90
    assert 130 <= outcomes(world, 300).count(429) <= 170


def test_what_flaky_says_when_it_fails_is_retried_and_is_no_fault_of_the_api(world: MemoryWorld) -> None:
    failed = ask(world, "GET", "/synthetic/flaky", **query(failureRate="1"))
    assert failed.status < 500 and failed.body["code"] == "synthetic_failure" and "Retry-After" not in failed.headers
    assert is_retryable(Reply(duration_ms=1, status_code=failed.status))


def test_with_a_seed_a_run_and_its_attempt_decide(world: MemoryWorld) -> None:
    def draw(seed: str, run: str, attempt: str) -> Any:
        headers = {"Rubato-Run-Id": run, "Rubato-Attempt": attempt}
        answer = ask(world, "GET", "/synthetic/flaky", headers=headers, **query(seed=seed, failureRate="0"))
        return answer.body["draw"]

    known = draw("7", "run_1", "1")
    assert known == synthetic.fraction(synthetic.draw_of("7", "run_1", "1")) == draw("7", "run_1", "1")
    others = [draw("8", "run_1", "1"), draw("7", "run_2", "1"), draw("7", "run_1", "2")]
    assert len({known, *others}) == 4 and all(0 <= each < 1 for each in others)


def test_a_run_against_flaky_succeeds_by_its_retries(world: MemoryWorld) -> None:
    """Ten runs, whose every attempt is known beforehand from the seed."""

    def target(call: Call) -> Reply:
        given = dict(part.split("=") for part in call.url.partition("?")[2].split("&"))
        answer = ask(world, "GET", "/synthetic/flaky", headers=dict(call.headers), **query(**given))
        return Reply(duration_ms=1, status_code=answer.status, body=json.dumps(answer.body).encode())

    world.outbound.answer = target
    request = TargetRequest(url="http://127.0.0.1/synthetic/flaky?failureRate=0.5&seed=7")
    endpoint = an_endpoint(world, IntervalBaseline(HOUR), request=request, retry=Retry(max_attempts=8, backoff_ms=1))
    Stage(world).play_seconds(10 * 3600 + 60)
    runs = Client(world)("GET", "/runs", query={"endpointId": endpoint.id}).body["items"]
    assert len(runs) == 10 and {run["status"] for run in runs} == {"success"}
    for run in runs:
        attempts = Client(world)("GET", f"/runs/{run['runId']}").body["attempts"]
        draws = [
            synthetic.fraction(synthetic.draw_of("7", run["runId"], str(number)))
            for number in range(1, len(attempts) + 1)
        ]
        assert [each["statusCode"] for each in attempts] == [429 if draw < 0.5 else 200 for draw in draws]
    assert len(world.outbound.calls) > 10
