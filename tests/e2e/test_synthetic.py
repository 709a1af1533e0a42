"""A deployment that watches itself, on the local stack: out through the dispatcher and back in through the gateway."""

import json
from typing import Any

import httpx
from typer.testing import CliRunner

from cli.main import app
from rubato.interface.synthetic import draw_of, fraction
from tests.e2e.conftest import LocalStack
from tests.e2e.watchers import until

# No run is due by itself within the test: it asks for each.
_RARELY = ("--interval", "86400")


def test_the_targets_answer_strangers_and_only_as_documented(stack: LocalStack) -> None:
    with httpx.Client(base_url=stack.url, timeout=30, trust_env=False) as stranger:
        assert stranger.get("/synthetic/health").json()["status"] == "ok"
        sent = {"rubato-run-id": "run_1", "cookie": "hunter2"}
        echoed = stranger.post("/synthetic/echo?a=1&a=2", json={"x": [1]}, headers=sent)
        assert (echoed.json()["body"], echoed.json()["query"]) == ({"x": [1]}, {"a": ["1", "2"]})
        assert echoed.json()["headers"]["rubato-run-id"] == "run_1" and "hunter2" not in echoed.text
        assert echoed.headers["x-content-type-options"] == "nosniff"
        slow = stranger.get("/synthetic/slow?delayMs=300")
        assert slow.json() == {"status": "ok", "delayMs": 300} and slow.elapsed.total_seconds() >= 0.3
        assert stranger.get("/synthetic/slow?delayMs=10001").json()["errors"][0]["path"] == "delayMs"
        assert stranger.put("/synthetic/slow").status_code == 405
        assert stranger.get("/synthetic/nothing").status_code == 401  # as any route that only a key may see


def test_a_deployment_that_watches_itself_is_well_until_a_target_fails(stack: LocalStack) -> None:
    before = stack.client.get("/usage").json()
    assert "created endpoints" in rubato(stack, "setup", *_RARELY)[1]
    assert "nothing to do" in rubato(stack, "setup", *_RARELY)[1]
    job = next(
        each for each in stack.client.get("/jobs?isSynthetic=true").json()["items"] if each["status"] == "active"
    )
    endpoints = {
        e["name"]: e["endpointId"] for e in stack.client.get(f"/jobs/{job['jobId']}/endpoints").json()["items"]
    }
    run_ids = {name: run_now(stack, endpoint) for name, endpoint in endpoints.items()}
    runs = {name: until(lambda r=run_id: ended(stack, r), 30, name) for name, run_id in run_ids.items()}  # type: ignore[misc]
    assert {run["status"] for run in runs.values()} == {"success"}
    assert json.loads(runs["echo"]["response"]["body"])["headers"]["rubato-run-id"] == run_ids["echo"]
    code, told = rubato(stack, "check", "--json", "--max-lateness-ms", "5000")
    assert code == 0 and [each["runCount"] for each in json.loads(told)["endpoints"]] == [1, 1, 1, 1]

    request = {"url": f"{stack.url}/synthetic/flaky?failureRate=1&seed=7"}
    change = {"request": request, "retry": {"maxAttempts": 2, "backoffMs": 10}}
    stack.client.patch(f"/endpoints/{endpoints['flaky']}", json=change).raise_for_status()
    run_id = run_now(stack, endpoints["flaky"])
    failed = until(lambda: ended(stack, run_id), 30, "the run that fails")
    assert [each["statusCode"] for each in failed["attempts"]] == [429, 429] and failed["status"] == "failure"
    assert f"{fraction(draw_of('7', run_id, '2')):.4f}" in failed["response"]["body"]
    code, told = rubato(stack, "check", "--json", "--max-lateness-ms", "5000")
    assert code == 1 and [e["name"] for e in json.loads(told)["endpoints"] if e["problems"]] == ["flaky"]

    after = stack.client.get("/usage").json()
    assert after["endpoints"] == before["endpoints"]
    seen = stack.client.get("/runs?limit=200").json()["items"]
    assert not {run["runId"] for run in seen} & {*run_ids.values(), run_id}
    assert rubato(stack, "remove")[0] == 0
    assert stack.client.get(f"/endpoints/{endpoints['flaky']}").status_code == 404


def run_now(stack: LocalStack, endpoint: str) -> str:
    run_id: str = stack.client.post(f"/endpoints/{endpoint}/run").raise_for_status().json()["runId"]
    return run_id


def ended(stack: LocalStack, run_id: str) -> dict[str, Any] | None:
    run: dict[str, Any] = stack.client.get(f"/runs/{run_id}").raise_for_status().json()
    return run if run["status"] != "running" else None


def rubato(stack: LocalStack, *words: str) -> tuple[int, str]:
    """Exit code and standard output of `rubato synthetic`, in this process: it takes longer to start than to work."""
    environment = {"RUBATO_URL": stack.url, "RUBATO_API_KEY": stack.api_key}
    done = CliRunner().invoke(app, ["synthetic", *words], env=environment)
    assert isinstance(done.exception, SystemExit | None), done.exception
    return done.exit_code, done.stdout
