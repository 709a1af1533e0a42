"""Around a run, on the local stack: retries through the queue, endpoints that follow others, gates, and the drills."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cli.target import Answer, Call, Target
from tests.e2e.conftest import LocalStack
from tests.e2e.test_loop import add, finished, iso, job
from tests.e2e.watchers import until

__all__ = ["job"]  # a fixture


def test_a_failed_attempt_is_retried_after_what_the_target_asks_for_and_sets_off_what_follows(
    stack: LocalStack, job: str
) -> None:
    def busy(call: Call) -> Answer:
        return Answer(503, headers=(("Retry-After", "2"),)) if call.attempt < 3 else Answer()

    with Target({"/busy": busy}) as target:
        retry = {"maxAttempts": 3, "backoffMs": 100}
        first = add(stack, job, "busy", target.url + "/busy", {"intervalMs": 3_600_000}, retry=retry)
        then = add(stack, job, "then", target.url + "/then", {"after": ["busy"]})
        gated = add(stack, job, "gated", target.url + "/gated", {"intervalMs": 3000}, dependsOn=["busy"])
        assert then["state"] == "dormant" and "'busy'" in then["whyNotRunning"]
        skipped = until(lambda: e if (e := _endpoint(stack, gated))["skippedCount"] else None, 20, "a closed gate")
        assert "has not run yet" in skipped["lastSkip"]["reason"] and target.calls("/gated") == []
        stack.client.post(f"/endpoints/{first['endpointId']}/hints/one-shot", json={"runInMs": 0}).raise_for_status()
        calls = until(lambda: c if len(c := target.calls("/busy")) == 3 else None, 30, "three attempts")
        assert [call.attempt for call in calls] == [1, 2, 3] and len({call.run_id for call in calls}) == 1
        assert calls[1].at - calls[0].at >= 2000 and calls[2].at - calls[1].at >= 2000
        follow = until(lambda: target.calls("/then"), 20, "the endpoint that follows")[0]
        assert follow.at >= calls[2].at
        until(lambda: target.calls("/gated"), 20, "the open gate")
        run = until(finished(stack, calls[0].run_id), 10, "the end of the run")
        assert [each["statusCode"] for each in run["attempts"]] == [503, 503, 200] and run["status"] == "success"
        assert (run["source"], run["hint"]["kind"]) == ("ai-oneshot", "oneshot")
        told = until(finished(stack, follow.run_id), 10, "the end of what follows")
        assert told["source"] == "after" and told["dueAt"] == run["finishedAt"] == iso(follow.slot)


def test_the_drills_of_steering_pass(stack: LocalStack) -> None:
    drills = ("backoff", "tempo", "one-shots --count 20 --spread 20")
    with ThreadPoolExecutor(len(drills)) as pool:
        done = list(pool.map(lambda drill: _drill(stack, *drill.split()), drills))
    for each in done:
        assert each.returncode == 0, each.stdout + each.stderr
    assert [json.loads(each.stdout)["drill"] for each in done] == [drill.split()[0] for drill in drills]


def _endpoint(stack: LocalStack, made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = stack.client.get(f"/endpoints/{made['endpointId']}").raise_for_status().json()
    return found


def _drill(stack: LocalStack, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "rubato", "drill", *arguments],
        env={"RUBATO_URL": stack.url, "RUBATO_API_KEY": stack.api_key, "PATH": ""},
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
