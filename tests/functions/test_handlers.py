"""Each event shape through its handler: what API Gateway, EventBridge and SQS would get back."""

import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from pytest_httpserver import HTTPServer

from rubato.adapters.sqs import dump_message
from rubato.adapters.tick_workers import LambdaTickWorkers
from rubato.bootstrap import AwsWorld
from rubato.domain.access import ALL_SCOPES
from rubato.domain.endpoint import TargetRequest
from rubato.domain.hints import ActorKind
from rubato.domain.ids import shard_of
from rubato.domain.instant import HOUR, SECOND
from rubato.domain.lane import Lane
from rubato.domain.messages import RunMessage, SigningMessage
from rubato.domain.schedule import IntervalBaseline
from rubato.interface.catalog import CATALOG
from rubato.ports import RunFilter
from rubato.usecases.manage_keys import revoke_key
from tests.functions.conftest import ROOT, Context, event, load
from tests.worlds import MIDNIGHT, a_job, a_key, an_endpoint


def call(handler: Any, template: dict[str, Any], **changes: Any) -> tuple[int, Any, dict[str, str]]:
    answer = handler({**template, **changes}, Context())
    return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None, answer["headers"]


def test_a_job_is_created_and_found_again(world: AwsWorld) -> None:
    handler = load("api").handler
    status, job, headers = call(handler, event("api-create-job"))
    assert status == 201 and job["name"] == "shop" and job["tags"] == ["sale"]
    assert headers["X-Request-Id"] == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    status, found, headers = call(
        handler, event("api-list-runs"), path=f"/jobs/{job['jobId']}", queryStringParameters=None
    )
    assert status == 200 and found["endpointCount"] == 0 and headers["ETag"] == '"1"'


def test_runs_are_listed_with_filters(world: AwsWorld) -> None:
    assert call(load("api").handler, event("api-list-runs"))[:2] == (200, {"items": [], "nextCursor": None})


def test_an_unknown_route_is_a_problem_document(world: AwsWorld) -> None:
    status, problem, headers = call(load("api").handler, event("api-unknown-route"))
    assert status == 404 and headers["Content-Type"] == "application/problem+json"
    assert problem["code"] == "not_found" and problem["requestId"]


def test_something_unforeseen_is_a_plain_500_without_a_trace(
    world: AwsWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken:
        def create(self, *_: object) -> None:
            raise RuntimeError("the secret is 12345")

    world.jobs = Broken()  # type: ignore[assignment]
    status, problem, _ = call(load("api").handler, event("api-create-job"))
    assert status == 500 and "12345" not in json.dumps(problem)


def test_the_authorizer_turns_a_key_into_a_caller_for_the_whole_stage(world: AwsWorld) -> None:
    key, token = a_key(world, "acme", label="ci", kind=ActorKind.AGENT, scopes=ALL_SCOPES)
    request = event("authorizer-request")
    for headers in ({"x-api-key": token}, {"X-Api-Key": token}, {"Authorization": f"Bearer {token}"}):
        answer = load("authorizer").handler({**request, "headers": headers}, Context())
        assert answer["principalId"] == key.key_id
        assert answer["context"]["tenantId"] == "acme" and answer["context"]["kind"] == "agent"
        assert answer["policyDocument"]["Statement"][0]["Resource"].endswith(":api123/v1/*")


def test_the_authorizer_refuses_missing_wrong_revoked_and_expired_keys(world: AwsWorld) -> None:
    key, token = a_key(world, "acme", label="ci", kind=ActorKind.AGENT, scopes=ALL_SCOPES)
    _, expired = a_key(world, "acme", label="old", kind=ActorKind.AGENT, scopes=ALL_SCOPES, expires_at=MIDNIGHT)
    forged = token[:40] + ("A" if token[40] != "A" else "B") + token[41:]
    handler, request = load("authorizer").handler, event("authorizer-request")
    for headers in ({}, {"x-api-key": "nonsense"}, {"x-api-key": forged}, {"x-api-key": expired}, None):
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            handler({**request, "headers": headers}, Context())
    revoke_key(world, key.key_id)
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        handler({**request, "headers": {"x-api-key": token}}, Context())


def test_the_authorizer_notes_the_last_use_of_a_key_once_an_hour(world: AwsWorld) -> None:
    key, token = a_key(world, "acme", label="ci", kind=ActorKind.AGENT, scopes=ALL_SCOPES)
    handler, request = load("authorizer").handler, {**event("authorizer-request"), "headers": {"x-api-key": token}}
    for now, noted in ((MIDNIGHT, MIDNIGHT), (MIDNIGHT + HOUR - 1, MIDNIGHT), (MIDNIGHT + HOUR, MIDNIGHT + HOUR)):
        world.clock.sleep_until(now)
        handler(request, Context())
        stored = world.keys.get(key.key_id)
        assert stored is not None and stored.last_used_at == noted


def test_the_authorizer_lets_a_key_in_although_its_use_can_not_be_noted(
    world: AwsWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def throttled(*_: object) -> None:
        raise ConnectionError("too many writes")

    key, token = a_key(world, "acme", label="ci", kind=ActorKind.AGENT, scopes=ALL_SCOPES)
    monkeypatch.setattr(world.keys, "record_use", throttled)
    answer = load("authorizer").handler({**event("authorizer-request"), "headers": {"x-api-key": token}}, Context())
    assert answer["principalId"] == key.key_id
    assert token not in capsys.readouterr().out


def test_a_job_is_created_once_under_one_idempotency_key(world: AwsWorld) -> None:
    request = event("api-create-job")
    request["headers"]["Idempotency-Key"] = "2b6f0cc9"
    first, again = (call(load("api").handler, request)[:2] for _ in range(2))
    assert first == again and first[0] == 201
    assert len(world.jobs.list("acme", None, 10, None).items) == 1
    assert call(load("api").handler, request, body='{"name": "other"}')[0] == 409


def test_the_tick_sends_what_is_due_within_the_look_ahead(world: AwsWorld) -> None:
    an_endpoint(world, IntervalBaseline(HOUR))
    world.clock.sleep_until(MIDNIGHT + HOUR - 60 * SECOND)
    assert load("tick").handler(event("tick-scheduled"), Context()) == {"claimed": 1}
    assert load("tick").handler(event("tick-scheduled"), Context()) == {"held": 1}


def test_a_tick_worker_claims_only_in_the_shards_that_it_was_given(world: AwsWorld) -> None:
    mine = event("tick-shards")["shards"]
    job = a_job(world)
    made = [an_endpoint(world, IntervalBaseline(HOUR), job, name=str(n)).id for n in range(12)]
    world.clock.sleep_until(MIDNIGHT + HOUR - 60 * SECOND)
    count = sum(shard_of(each, 16) in mine for each in made)
    assert load("tick").handler(event("tick-shards"), Context()) == {"claimed": count} and 0 < count < 12
    assert load("tick").handler(event("tick-scheduled"), Context()) == {"claimed": 12 - count, "held": count}


def test_a_tick_that_shares_its_shards_out_invokes_itself_without_waiting() -> None:
    invoked: list[dict[str, Any]] = []
    client = SimpleNamespace(invoke=lambda **request: invoked.append(request))
    LambdaTickWorkers(client, "rubato-tick").start([1, 3])
    assert invoked == [{"FunctionName": "rubato-tick", "InvocationType": "Event", "Payload": b'{"shards": [1, 3]}'}]


def test_the_tick_works_the_shares_of_workers_that_it_can_not_start(
    world: AwsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_endpoint(world, IntervalBaseline(HOUR))
    world.clock.sleep_until(MIDNIGHT + HOUR - 60 * SECOND)
    limits = replace(world.limits, tick_workers=4)
    # There is no such function, and its invocation is refused.
    monkeypatch.setattr(world, "settings", replace(world.settings, limits=limits, function_name="nowhere"))
    assert load("tick").handler(event("tick-scheduled"), Context()) == {"claimed": 1}


@pytest.fixture
def errors(world: AwsWorld, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the log says at ERROR."""
    told: list[str] = []
    monkeypatch.setattr(world.telemetry, "error", lambda message, **_: told.append(message))
    return told


@pytest.mark.parametrize("lane", list(Lane))
def test_a_message_that_failed_comes_back_to_its_queue_after_seconds_each_time_a_little_later(
    world: AwsWorld, lane: Lane, errors: list[str]
) -> None:
    asked: list[dict[str, Any]] = []
    world._sqs.meta.events.register(
        "provide-client-params.sqs.ChangeMessageVisibility", lambda params, **_: asked.append(params)
    )
    queues, url = boto3.client("sqs", region_name="eu-central-1"), world._queue_urls[lane]
    queues.send_message(QueueUrl=url, MessageBody="poison")
    (received,) = queues.receive_message(QueueUrl=url)["Messages"]
    record = event("dispatcher-sqs-batch")["Records"][1]
    record |= {"receiptHandle": received["ReceiptHandle"], "eventSourceARN": "arn:aws:sqs:" + url.rpartition("/")[2]}
    for times in range(1, 6):
        record["attributes"]["ApproximateReceiveCount"] = str(times)
        assert len(load("dispatcher").handler({"Records": [record]}, Context())["batchItemFailures"]) == 1
    assert errors == ["dispatch failed"] * 5
    assert {each["QueueUrl"] for each in asked} == {url}
    assert all(low <= each["VisibilityTimeout"] <= 2 * low for low, each in zip((1, 2, 4, 8, 16), asked, strict=True))


def test_a_look_at_signing_that_fails_is_kept_to_outlast_an_outage_and_then_for_people(
    world: AwsWorld, monkeypatch: pytest.MonkeyPatch, errors: list[str]
) -> None:
    def broken(*_: object) -> None:
        raise ConnectionError("the store is down")

    waits: list[int] = []
    monkeypatch.setattr(world.signing_keys, "list", broken)
    monkeypatch.setattr(
        world.deliveries._client, "change_message_visibility", lambda **given: waits.append(given["VisibilityTimeout"])
    )
    message = SigningMessage(tenant_id="acme", due=MIDNIGHT)
    record = {**event("dispatcher-sqs-batch")["Records"][0], "body": dump_message(message)}
    for received in map(str, range(1, 6)):
        failed = {**record, "attributes": {**record["attributes"], "ApproximateReceiveCount": received}}
        assert len(load("dispatcher").handler({"Records": [failed]}, Context())["batchItemFailures"]) == 1
    assert errors == ["dispatch failed"] * 5 and sum(waits[:4]) > 12 * 60


def test_a_message_that_can_not_be_postponed_does_not_take_the_batch_with_it(
    world: AwsWorld, errors: list[str]
) -> None:
    records = event("dispatcher-sqs-batch")["Records"]
    records[1]["receiptHandle"] = "expired"
    answer = load("dispatcher").handler({"Records": records}, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": records[1]["messageId"]}]}
    assert errors == ["dispatch failed", "message not postponed"]


def test_the_dispatcher_calls_the_target_and_reports_only_the_broken_message(
    world: AwsWorld, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/probe").respond_with_json({"ok": True})
    endpoint = an_endpoint(
        world, IntervalBaseline(10 * SECOND), request=TargetRequest(url=httpserver.url_for("/probe"))
    )
    claim = endpoint.state.claim
    assert claim is not None
    batch = event("dispatcher-sqs-batch")
    message = RunMessage(endpoint_id=endpoint.id, due=claim.plan.due, run_id=claim.run_id, fence=claim.fence)
    batch["Records"].append({**batch["Records"][0], "messageId": "real", "body": dump_message(message)})
    world.clock.sleep_until(claim.plan.due)
    answer = load("dispatcher").handler(batch, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": batch["Records"][1]["messageId"]}]}
    page = world.runs.of_endpoint(endpoint.id, RunFilter(), 10, None)
    assert [run.status.value for run in page.items] == ["success"]
    sent = httpserver.log[0][0].headers
    assert sent["Rubato-Run-Id"] == sent["Idempotency-Key"] == claim.run_id
    assert sent["Rubato-Slot"] == "2025-01-01T00:00:10.000Z" and sent["Rubato-Attempt"] == "1"


def test_the_synthetic_function_answers_strangers_without_a_table_or_a_slow_import() -> None:
    program = (
        "import sys, types\n"
        f"sys.path.insert(0, {str(ROOT / 'functions' / 'synthetic')!r})\n"
        "import handler\n"
        "event = {'httpMethod': 'GET', 'path': '/synthetic/health', 'headers': None, 'requestContext': {}}\n"
        "print(handler.handler(event, types.SimpleNamespace(aws_request_id='x'))['statusCode'])\n"
        "print(sorted({'pydantic', 'httpx', 'pynamodb'} & set(sys.modules)))\n"
    )
    for switch, status in (("on", 200), ("off", 404)):
        environment = {"SYNTHETIC_TARGETS": switch}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        assert done.stdout.split("\n")[:2] == [str(status), "[]"]


@pytest.mark.parametrize("function", ["api", "authorizer", "tick", "dispatcher", "rules", "planner", "synthetic"])
def test_importing_a_handler_reads_no_environment_and_opens_no_client(function: str) -> None:
    program = (
        "import os, sys, socket\n"
        "def refuse(*a, **k): raise SystemExit('touched the environment or the network')\n"
        "socket.socket.connect = refuse\n"
        f"sys.path.insert(0, {str(ROOT / 'functions' / function)!r})\n"
        "before = set(sys.modules)\n"
        "import handler\n"
        "from rubato import bootstrap\n"
        "assert bootstrap._world is None\n"
        "assert not any('JOBS_TABLE' in str(v) for v in vars(handler).values())\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_every_function_folder_and_event_file_is_covered_here() -> None:
    folders = {path.name for path in (ROOT / "functions").iterdir() if path.is_dir()}
    assert folders == {"api", "authorizer", "tick", "dispatcher", "rules", "planner", "synthetic"}
    here = "".join(path.read_text() for path in (ROOT / "tests" / "functions").glob("test_*handler*.py"))
    for path in (ROOT / "events").glob("*.json"):
        assert f'"{path.stem}"' in here


def test_the_catalog_names_the_actions_of_this_release() -> None:
    assert {action.name for action in CATALOG} == {
        "createJob", "getJob", "listJobs", "updateJob", "archiveJob", "addEndpointToJob", "updateEndpointConfig",
        "applyIntervalHint", "scheduleOneShotRun", "pauseOrResumeEndpoint", "clearAdaptiveHints", "resetFailureCount",
        "deleteEndpoint", "listJobEndpoints", "getEndpoint", "triggerRun", "listRuns", "getRunDetails",
        "getUsage", "exportRuns", "summarizeEndpointHealth", "listEndpointEvents", "previewSchedule",
        "createApiKey", "listApiKeys", "revokeApiKey", "listAnalyses", "previewRules", "describeServiceCatalog",
        "createSigningKey", "rotateSigningKey", "listSigningKeys",
        "deleteSigningKey", "putSecret", "listSecrets", "deleteSecret",
        "registerAgent", "listAgents", "retireAgent", "listAgentEvents",
    }  # fmt: skip
