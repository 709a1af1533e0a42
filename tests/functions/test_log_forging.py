"""Whatever callers, keys, targets and models write: one line of the log is one line, and steers no terminal."""

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from rubato.bootstrap import AwsWorld
from rubato.domain.endpoint import TargetRequest
from rubato.domain.instant import SECOND
from rubato.domain.schedule import IntervalBaseline
from tests.functions.conftest import Context, event, load
from tests.functions.test_logs import output, record
from tests.worlds import MIDNIGHT, a_job, an_endpoint

__all__ = ["output"]  # a fixture

# A line of its own, the end of an object, colours, a title for the window, bidi, line breaks of Unicode, half a pair.
FORGED = '\r\n{"level":"ERROR","message":"forged"}\x1b[31m\x9b2J\x1b]0;owned\x07\u202egnp\u2028\x85"}end'


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    text = capsys.readouterr().out
    assert re.fullmatch(r"[\x20-\x7e\n]*", text), "something that no terminal prints"
    found = [json.loads(line) for line in text.split("\n") if line]
    assert all(line.get("message") != "forged" for line in found)
    return found


def test_nothing_that_a_request_says_forges_a_line(world: AwsWorld, capsys: pytest.CaptureFixture[str]) -> None:
    world.telemetry._logger.setLevel("DEBUG")
    handler, base = load("api").handler, event("api-create-job")
    job = a_job(world)
    asked: list[dict[str, Any]] = [
        {"httpMethod": "DELETE", "path": f"/jobs/{quote(FORGED, safe='')}", "body": None},
        {"httpMethod": "DELETE", "path": f"/jobs/{FORGED}", "body": None},
        {"httpMethod": "PUT", "path": f"/jobs/{job.job_id}/secrets/{quote(FORGED)}", "body": '{"value": "12345"}'},
        {"path": "/" + FORGED},
        {"headers": {**base["headers"], "User-Agent": FORGED, "Idempotency-Key": FORGED, "If-Match": FORGED}},
        {"headers": {**base["headers"], "X-Amzn-Trace-Id": FORGED, "X-Request-Id": FORGED, "X-Forwarded-For": FORGED}},
        {"body": json.dumps({"name": "good", "description": FORGED, "owner": FORGED, "tags": [FORGED]})},
        {"httpMethod": "GET", "path": "/runs", "queryStringParameters": {FORGED: FORGED, "cursor": FORGED}},
        {"path": "/mcp", "body": json.dumps({"jsonrpc": "2.0", "id": FORGED, "method": FORGED})},
        {"path": "/mcp", "body": json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                                             "params": {"name": FORGED, "arguments": {FORGED: FORGED}}})},
    ]  # fmt: skip
    for each in asked:
        assert handler({**base, **each}, Context())["statusCode"] < 500
    found = lines_of(capsys)
    assert len([line for line in found if line.get("message") == "request"]) == len(asked)


def test_a_key_that_is_no_key_stands_in_no_line(world: AwsWorld, capsys: pytest.CaptureFixture[str]) -> None:
    for headers in ({"x-api-key": FORGED}, {"Authorization": f"Bearer {FORGED}"}, {FORGED: FORGED}):
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            load("authorizer").handler({**event("authorizer-request"), "headers": headers}, Context())
    assert lines_of(capsys) == []


def test_nothing_that_a_target_answers_forges_a_line(
    world: AwsWorld, httpserver: HTTPServer, capsys: pytest.CaptureFixture[str]
) -> None:
    world.telemetry._logger.setLevel("DEBUG")
    location = "http://10.0.0.1/" + quote(FORGED)
    httpserver.expect_request("/probe").respond_with_handler(
        lambda _: Response(FORGED.encode(), status=302, headers={"Location": location, "X-Forged": quote(FORGED)})
    )
    request = TargetRequest(url=httpserver.url_for("/probe"))
    endpoint = an_endpoint(world, IntervalBaseline(10 * SECOND), name="probe", request=request)
    world.clock.sleep_until(MIDNIGHT + 10 * SECOND)
    batch = {"Records": [record(endpoint, FORGED)]}
    assert load("dispatcher").handler(batch, Context()) == {"batchItemFailures": []}
    (line,) = (each for each in lines_of(capsys) if each.get("message") == "run failed")
    assert line["messageId"] == FORGED and line["errorKind"] in ("blocked", "connect", "config")


def test_a_message_that_is_no_message_forges_no_line(world: AwsWorld, capsys: pytest.CaptureFixture[str]) -> None:
    batch = event("dispatcher-sqs-batch")
    bodies = (FORGED, json.dumps({"v": 1, "endpointId": FORGED, "due": 1, "runId": FORGED, "fence": 1}))
    batch["Records"] = [{**batch["Records"][0], "messageId": FORGED, "body": body} for body in bodies]
    load("dispatcher").handler(batch, Context())
    load("rules").handler(batch, Context())
    assert len(lines_of(capsys)) >= 3
