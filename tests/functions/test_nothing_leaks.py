"""A secret is planted and used in every place; then everything that Rubato wrote or answered is searched for it."""

import io
import json
import logging
import re
import zlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from rubato.adapters.memory_notifications import MemoryNotifications
from rubato.bootstrap import AwsWorld
from rubato.domain.briefing import brief
from rubato.domain.conversation import ToolCall
from rubato.domain.instant import MINUTE, SECOND
from rubato.domain.rule_ledger import Ledger
from rubato.domain.rules import read_rules
from rubato.usecases.look_around import look_around
from rubato.usecases.observe_endpoints import observe_endpoints
from rubato.usecases.use_tool import Desk, use_tool
from tests.functions.conftest import ROOT, Context, event, load
from tests.functions.test_logs import output
from tests.worlds import MIDNIGHT

__all__ = ["output"]  # a fixture

REGION = "eu-central-1"
# Planted as one value for headers, query and bodies, and one that could only stand in a body.
PLANTED = {"API_KEY": "zq8-Kp/3+w=='T\"h&x", "PEM": "-----BEGIN-----\nQm9vbQ==ZZ\r\n-----END-----"}
REQUEST = {
    "method": "POST",
    "headers": {"Authorization": "Bearer {{secret:API_KEY}}", "X-Plain": "v={{secret:API_KEY}}"},
    "body": {"deep": [{"key": "<{{secret:API_KEY}}>"}], "pem": "{{secret:PEM}}"},
}


def traces(secret: str) -> list[str]:
    """What would tell the secret, in the spellings of the stores that are searched."""
    raw = secret.encode()
    spelled = [
        secret,
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        raw.hex(),
        json.dumps(json.dumps(secret))[3:-3],
    ]
    # The vault keeps base64, in which a value may stand at any offset.
    shifted = [encode(b"\0" * n + raw).decode()[4:20] for n in range(3) for encode in (b64encode, urlsafe_b64encode)]
    return [*spelled, *shifted, b64encode(raw).decode()[:16], secret[:10], secret[-10:]]


def echo(request: Request) -> Response:
    """Repeats what it was sent: in the body, in headers, in Location, encoded, and cut off."""
    sent = request.headers["X-Plain"].removeprefix("v=")
    if request.path == "/json":
        return Response(json.dumps({"you": sent, "nested": json.dumps({"sent": sent}), "ok": "planted"}))
    basic = b64encode(f"user:{sent}".encode()).decode()
    body = f"{request.get_data(as_text=True)} {request.query_string.decode()} Basic {basic} {json.dumps(sent)} {sent!r}"
    pem = request.get_json()["deep"][0]["key"] + request.get_json()["pem"]
    headers = {"X-Echo": sent, "Set-Cookie": f"k={quote(sent)}", "Location": f"/elsewhere?k={quote(sent)}"}
    status = {"/fails": 500, "/moves": 200}.get(request.path, 200)
    return Response(f"{body} {pem} {b64encode(pem.encode()).decode()}", status=status, headers=headers)


@pytest.fixture
def runtime_log() -> Iterator[io.StringIO]:
    """What Lambda's runtime makes of a deployment with LogLevel DEBUG, before it loads a handler."""
    log, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(log), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield log
    root.removeHandler(handler)
    root.setLevel(level)


def test_no_library_that_rubato_ships_writes_what_it_does_whatever_the_root_logger_says(
    runtime_log: io.StringIO, world: AwsWorld
) -> None:
    AwsWorld(world.settings)
    assert logging.getLogger().level == logging.INFO  # for those that nobody thought of
    logging.getLogger().setLevel(logging.DEBUG)
    world.open("endpoints", "vault", "queue", "outbound")
    assert world.vault.read("secrets/job_1", ["NONE"]) == {}
    pins = (ROOT / "layers/core/requirements.txt").read_text()
    shipped = {name.replace("-", "_") for name in re.findall(r"^([a-z0-9-]+)==", pins, re.MULTILINE)} | {"boto3"}
    loud = [
        name
        for name in logging.getLogger().manager.loggerDict
        if name.partition(".")[0] in shipped | {"dateutil"} and logging.getLogger(name).isEnabledFor(logging.INFO)
    ]
    assert loud == [] and not runtime_log.getvalue()


class Api:
    """The API as a caller has it; keeps every answer."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self._handler = load("api").handler

    def __call__(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        asked = {**event("api-create-job"), "httpMethod": method, "path": path, "queryStringParameters": query or None}
        asked["body"] = json.dumps(body) if body is not None else None
        answer = self._handler(asked, Context())
        self.answers.append(json.dumps(answer))
        return answer["statusCode"], answer["body"]


def everything_stored() -> Iterator[str]:
    """Every item of every table, with what is compressed in them."""
    tables = boto3.client("dynamodb", region_name=REGION)
    for name in tables.list_tables()["TableNames"]:
        for item in tables.scan(TableName=name)["Items"]:
            yield json.dumps(item, default=lambda packed: zlib.decompress(packed).decode())


class Post:
    """Everything that was put on a queue, and what Lambda would make of it."""

    def __init__(self, world: AwsWorld) -> None:
        self.bodies: list[str] = []
        world._sqs.meta.events.register("provide-client-params.sqs.SendMessageBatch", self._keep)

    def _keep(self, params: Any, **_: Any) -> None:
        self.bodies += [entry["MessageBody"] for entry in params["Entries"]]

    def records(self, field: str) -> dict[str, Any]:
        """Those that have this field, as the event of a dispatcher."""
        chosen = [body for body in self.bodies if field in json.loads(body)]
        arn, received = "arn:aws:sqs:eu-central-1:123456789012:runs", {"ApproximateReceiveCount": "1"}
        return {
            "Records": [
                {"messageId": str(n), "body": body, "eventSourceARN": arn, "receiptHandle": "x", "attributes": received}
                for n, body in enumerate(chosen)
            ]
        }


def read_by_machines(world: AwsWorld, job_id: str) -> Iterator[str]:
    """What rules and the planner's model are told of the job."""
    job, now = world.jobs.get(job_id), world.clock.now()
    assert job is not None
    deed = {"proposeInterval": {"endpoint": "json", "intervalMs": 60_000}}
    rule = {"name": "all", "when": "endpoints.*.body && endpoints.*.statusCode", "then": [deed]}
    document = observe_endpoints(world, replace(job, rules=read_rules([rule])), Ledger(job_id=job_id), now).document
    assert document["endpoints"]["json"]["body"] == {"you": "***", "nested": '{"sent": "***"}', "ok": "planted"}
    yield repr(document)
    for endpoint_id in world.endpoints.of_job(job_id, 10, None).items:
        endpoint = world.endpoints.load(endpoint_id)
        assert endpoint is not None
        yield brief(look_around(world, job, endpoint, ()), now)
        asked = ToolCall(call_id="1", name="get_latest_response", arguments={"includeBody": True})
        yield use_tool(Desk(world=world, endpoint=endpoint), asked).text


def test_what_was_planted_is_nowhere_but_in_the_vault_and_at_the_target(
    runtime_log: io.StringIO, world: AwsWorld, httpserver: HTTPServer, capsys: pytest.CaptureFixture[str]
) -> None:
    world.telemetry._logger.setLevel("DEBUG")
    logging.getLogger().setLevel(logging.DEBUG)
    notices = MemoryNotifications()
    world.notifications = notices
    for path in ("/echo", "/fails", "/short", "/json"):
        httpserver.expect_request(path).respond_with_handler(echo)
    httpserver.expect_request("/moves").respond_with_handler(
        lambda request: Response(status=302, headers={"Location": "http://10.0.0.1/?k=" + quote(request.args["k"])})
    )
    api, post = Api(), Post(world)
    _, job = api("POST", "/jobs", {"name": "leaks", "notifications": {"afterFailures": 1}})
    job_id = json.loads(job)["jobId"]
    for name, value in PLANTED.items():
        bound = {"value": value, "hosts": [httpserver.url_for("").rstrip("/")]}
        assert api("PUT", f"/jobs/{job_id}/secrets/{name}", bound)[0] == 200
    signing = json.loads(api("POST", "/signing-keys", {})[1])["secret"]
    api.answers.pop()  # the one answer that shows a signing key
    for name in ("echo", "fails", "short", "moves", "json"):
        url = httpserver.url_for(f"/{name}") + "?k={{secret:API_KEY}}"
        config: dict[str, Any] = {"name": name, "baseline": {"intervalMs": 60_000}, "request": {**REQUEST, "url": url}}
        config["maxResponseBytes"] = 45 if name == "short" else 65_536
        assert api("POST", f"/jobs/{job_id}/endpoints", config)[0] == 201
    dispatch = load("dispatcher").handler
    world.clock.sleep_until(MIDNIGHT + MINUTE)
    assert dispatch(post.records("runId"), Context()) == {"batchItemFailures": []}
    world.clock.sleep_until(world.clock.now() + 6 * SECOND)
    dispatch(post.records("turn"), Context())
    assert len(notices.published) == 2
    assert len(httpserver.log) == 5  # the redirect to a private address went nowhere
    at_target = [(request, request.get_data(as_text=True)) for request, _ in httpserver.log]
    assert all(request.headers["X-Plain"] == "v=" + PLANTED["API_KEY"] for request, _ in at_target)
    assert all(json.loads(body)["pem"] == PLANTED["PEM"] for _, body in at_target)
    assert all(request.args["k"] == PLANTED["API_KEY"] for request, _ in at_target)
    runs = json.loads(api("GET", "/runs")[1])["items"]
    assert sorted(run["errorKind"] or "" for run in runs) == ["", "", "", "blocked", "http_status"]
    for run in runs:
        api("GET", f"/runs/{run['runId']}")
        api("GET", f"/endpoints/{run['endpointId']}"), api("GET", f"/endpoints/{run['endpointId']}/events")
    for shape in ("ndjson", "csv"):
        api("GET", "/runs/export", format=shape)
    api("GET", f"/jobs/{job_id}/secrets"), api("GET", "/signing-keys"), api("GET", f"/jobs/{job_id}/endpoints")
    written = [*api.answers, capsys.readouterr().out, repr(notices.published), *post.bodies, *everything_stored()]
    written += [*read_by_machines(world, job_id), runtime_log.getvalue()]
    assert len(written) > 30 and any("zq8" not in each and "***" in each for each in written)
    found = [
        (trace, each[max(each.find(trace) - 80, 0) :][:200])
        for secret in (*PLANTED.values(), signing[6:])
        for trace in traces(secret)
        for each in written
        if trace in each
    ]
    assert found == []
