"""The whole loop on the local stack: API Gateway, functions, DynamoDB, SQS, EventBridge, real sockets."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from cli.keys import create_key
from cli.local.emulator import credentials
from cli.target import Target
from rubato.domain.access import key_id_of
from rubato.interface.catalog import CATALOG
from tests.e2e.conftest import LocalStack
from tests.e2e.watchers import listening, until
from tests.scenes import call_of


@pytest.fixture
def target() -> Iterator[Target]:
    with listening() as running:
        yield running


@pytest.fixture
def job(stack: LocalStack) -> Iterator[str]:
    made: str = stack.client.post("/jobs", json={"name": "e2e"}).raise_for_status().json()["jobId"]
    yield made
    stack.client.delete(f"/jobs/{made}").raise_for_status()


def add(stack: LocalStack, job: str, name: str, url: str, baseline: dict[str, Any], **config: Any) -> dict[str, Any]:
    body = {"name": name, "request": {"url": url}, "baseline": baseline, **config}
    made: dict[str, Any] = stack.client.post(f"/jobs/{job}/endpoints", json=body).raise_for_status().json()
    return made


def iso(instant_ms: int) -> str:
    return datetime.fromtimestamp(instant_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def runs_of(stack: LocalStack, endpoint_id: str) -> list[dict[str, Any]]:
    query: dict[str, str | int] = {"endpointId": endpoint_id, "status": "success", "limit": 200}
    items: list[dict[str, Any]] = stack.client.get("/runs", params=query).raise_for_status().json()["items"]
    return items


def finished(stack: LocalStack, run_id: str) -> Callable[[], dict[str, Any] | None]:
    def look() -> dict[str, Any] | None:
        run: dict[str, Any] = stack.client.get(f"/runs/{run_id}").raise_for_status().json()
        return run if run["status"] != "running" else None

    return look


def test_a_short_interval_is_called_at_each_slot_never_early_and_once(
    stack: LocalStack, job: str, target: Target
) -> None:
    endpoint = add(stack, job, "five", target.url + "/five", {"intervalMs": 5000})
    calls = until(lambda: c if len(c := target.calls("/five")) >= 4 else None, 60, "four calls")
    assert endpoint["nextRunAt"] == iso(calls[0].slot)
    assert all(call.lateness_ms >= 0 for call in calls)
    assert [later.slot - call.slot for call, later in pairwise(calls)] == [5000, 5000, 5000]
    recorded = until(lambda: r if len(r := runs_of(stack, endpoint["endpointId"])) >= 4 else None, 10, "four records")
    told = {run["runId"]: run for run in recorded}
    for call in calls[:3]:
        assert told[call.run_id]["status"] == "success" and told[call.run_id]["latenessMs"] >= 0


def test_hints_pause_and_clear_take_effect_at_once_on_an_hourly_endpoint(
    stack: LocalStack, job: str, target: Target
) -> None:
    endpoint = add(stack, job, "hourly", target.url + "/hourly", {"intervalMs": 3_600_000})["endpointId"]

    def steer(what: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = stack.client.post(f"/endpoints/{endpoint}/{what}", json=body).raise_for_status()
        return dict(answer.json())

    asked = steer("hints/one-shot", {"runInMs": 2000, "reason": "look"})
    shot = until(lambda: target.calls("/hourly"), 20, "the one-shot")[0]
    assert iso(shot.slot) == asked["nextRunAt"] and shot.lateness_ms >= 0
    until(lambda: stack.client.get(f"/endpoints/{endpoint}").json()["hints"] == [] or None, 10, "the one-shot used up")
    steer("hints/interval", {"intervalMs": 2000, "ttlMinutes": 1})
    calls = until(lambda: c if len(c := target.calls("/hourly")) >= 4 else None, 20, "three hinted runs")
    assert [later.slot - call.slot for call, later in pairwise(calls[1:])] == [2000, 2000]
    steer("pause", {"pauseUntil": "indefinite"})
    until(lambda: stack.client.get(f"/endpoints/{endpoint}").json()["state"] == "paused" or None, 10, "rest")
    held = len(target.calls("/hourly"))
    cleared = stack.client.delete(f"/endpoints/{endpoint}/hints").raise_for_status().json()
    assert cleared == {"clearedCount": 1, "nextRunAt": None}
    resumed = steer("pause", {"pauseUntil": None})
    assert resumed["pausedUntil"] is None and len(target.calls("/hourly")) == held
    sources = [run["source"] for run in runs_of(stack, endpoint)]
    assert sources == ["ai-interval"] * (held - 1) + ["ai-oneshot"]


def test_many_endpoints_due_at_one_second_are_all_called_once(stack: LocalStack, job: str, target: Target) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=90)
    cron = {"cron": f"{soon.minute} {soon.hour} * * *"}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: add(stack, job, f"herd {n}", f"{target.url}/herd/{n}", cron), range(30)))
    until(lambda: len(target.seen) >= 30, 150, "thirty calls")
    assert sorted(call.path for call in list(target.seen)) == sorted(f"/herd/{n}" for n in range(30))
    assert len({call.slot for call in target.seen}) == 1
    assert all(call.lateness_ms >= 0 for call in target.seen)


def test_a_killed_worker_and_a_dropped_message_lose_nothing(stack: LocalStack, job: str, target: Target) -> None:
    dropped = add(stack, job, "dropped", target.url + "/dropped", {"intervalMs": 25_000})
    outputs = _outputs(stack)
    _aws(stack, "sqs").purge_queue(QueueUrl=outputs["RunQueueUrl"])
    hanging = add(stack, job, "hang", target.url + "/hang", {"intervalMs": 3_600_000}, timeoutMs=20_000)
    stack.client.post(f"/endpoints/{hanging['endpointId']}/run").raise_for_status()
    first = until(lambda: target.calls("/hang"), 30, "the call that hangs")[0]
    _kill_dispatchers(stack.pid)
    again = until(lambda: c if len(c := target.calls("/hang")) >= 2 else None, 150, "the second attempt")[1]
    assert (again.run_id, again.attempt) == (first.run_id, 2)
    run = until(finished(stack, first.run_id), 20, "the end of the run")
    assert run["status"] == "success"
    assert [(each["attempt"], each["errorKind"]) for each in run["attempts"]] == [(1, "lost"), (2, None)]
    late = until(lambda: target.calls("/dropped"), 120, "the run whose message was dropped")[0]
    assert iso(late.slot) == dropped["nextRunAt"] and late.attempt == 1


def test_what_belongs_to_another_tenant_is_not_there(stack: LocalStack, job: str, target: Target) -> None:
    endpoint = add(stack, job, "mine", target.url + "/mine", {"manual": True})["endpointId"]
    run = stack.client.post(f"/endpoints/{endpoint}/run").raise_for_status().json()["runId"]
    until(finished(stack, run), 30, "the run")
    at = credentials(stack.port)
    key = create_key(outputs=_outputs(stack), tenant="evil", scopes=None, label="e2e", client_kwargs=at)
    with httpx.Client(base_url=stack.url, headers={"x-api-key": key}, timeout=30, trust_env=False) as mallory:
        agent = stack.client.post("/agents", json={"name": "e2e", "owner": "acme"}).raise_for_status().json()["agentId"]
        ids = {"jobId": job, "endpointId": endpoint, "runId": run, "agentId": agent}
        ids |= {"keyId": key_id_of(stack.api_key) or "", "signingKeyId": "sig_1", "secretName": "API_KEY"}
        for action in CATALOG:
            path = action.path.format(**ids)
            if path == action.path:
                continue
            answer = mallory.request(action.method, path, json=call_of(action, ids) or None)
            assert answer.status_code == 404, action.name
        stack.client.delete(f"/agents/{agent}").raise_for_status()
        assert mallory.get("/runs").json()["items"] == []
    assert stack.client.get(f"/endpoints/{endpoint}").json()["name"] == "mine"


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/", "http://2852039166/", "http://0xa9fea9fe/", "http://[::ffff:169.254.169.254]/",
     "http://10.0.0.1/", "ftp://example.com/"],
)  # fmt: skip
def test_addresses_that_must_not_be_reached_are_refused_when_saved(stack: LocalStack, job: str, url: str) -> None:
    body = {"name": "bad", "request": {"url": url}, "baseline": {"manual": True}}
    answer = stack.client.post(f"/jobs/{job}/endpoints", json=body)
    assert answer.status_code == 422 and answer.json()["errors"][0]["path"] == "request.url"


def test_a_redirect_to_the_metadata_address_is_blocked_when_called(stack: LocalStack, job: str, target: Target) -> None:
    endpoint = add(stack, job, "sly", target.url + "/to-metadata", {"manual": True})["endpointId"]
    run_id = stack.client.post(f"/endpoints/{endpoint}/run").raise_for_status().json()["runId"]
    run = until(finished(stack, run_id), 30, "the run")
    assert (run["status"], run["errorKind"]) == ("failure", "blocked")


def test_a_request_without_a_valid_key_is_refused_as_a_problem(stack: LocalStack) -> None:
    for headers in ({}, {"x-api-key": "rbt_nonsense"}):
        answer = httpx.get(f"{stack.url}/jobs", headers=headers, timeout=30, trust_env=False)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "unauthenticated"
    bearer = {"Authorization": f"Bearer {stack.api_key}"}
    assert httpx.get(f"{stack.url}/jobs", headers=bearer, timeout=30, trust_env=False).status_code == 200


def test_the_smoke_command_passes(stack: LocalStack) -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "rubato", "smoke", "--url", stack.url, "--key", stack.api_key],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def _aws(stack: LocalStack, service: str) -> Any:
    return boto3.client(service, **credentials(stack.port))


def _outputs(stack: LocalStack) -> dict[str, str]:
    found = _aws(stack, "cloudformation").describe_stacks(StackName="rubato-local")["Stacks"][0]["Outputs"]
    return {each["OutputKey"]: each["OutputValue"] for each in found}


def _kill_dispatchers(emulator: int) -> None:
    """End the emulator's dispatcher workers, and no other process, by their ids."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            worker = b"DispatcherFunction" in (folder / "environ").read_bytes()
        except (OSError, ValueError):
            continue
        if parent == emulator and worker:
            os.kill(int(folder.name), signal.SIGKILL)
