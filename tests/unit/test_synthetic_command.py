"""`rubato synthetic` against the API of a memory world: idempotent, and its exit codes say what it found."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import main
from cli.api import Api, Refusal
from cli.synthetic.verdict import Bounds, judge
from cli.trouble import Trouble, Unreachable
from rubato.domain.exchange import Call, Reply
from rubato.domain.instant import MINUTE, SECOND, to_iso
from rubato.interface import synthetic
from tests.unit.doors import Door, opened
from tests.worlds import MemoryWorld, Stage
from tests.wsgi import Wsgi

NAMES = ["health", "echo", "slow", "flaky"]


@pytest.fixture
def door() -> Iterator[Door]:
    """The world has begun five minutes ago: the command compares what it reads with the time of this machine."""
    world = MemoryWorld(round(time.time() * 1000) - 5 * MINUTE)
    own = MemoryWorld()  # of the targets: what waits there holds up nobody here
    with opened(world) as listening:

        def target(call: Call) -> Reply:
            path, _, query = call.url.removeprefix(listening.url).partition("?")
            parameters = dict(part.split("=") for part in query.split("&") if part)
            event = {"httpMethod": call.method, "path": path, "headers": dict(call.headers)}
            answer = synthetic.handle(own, {**event, "queryStringParameters": parameters}, on_crash=lambda: None)
            return Reply(duration_ms=1, status_code=answer["statusCode"], body=answer["body"].encode())

        world.outbound.answer = target
        yield listening


def check(door: Door, *words: str) -> tuple[int, dict[str, Any]]:
    """Exit code and what it printed."""
    environment = {"RUBATO_URL": door.url, "RUBATO_API_KEY": Wsgi.key}
    done = CliRunner().invoke(main.app, ["synthetic", "check", "--json", *words], env=environment)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done.exit_code, json.loads(done.stdout)


def problems(told: dict[str, Any]) -> dict[str, list[str]]:
    return {each["name"]: each["problems"] for each in told["endpoints"] if each["problems"]}


def endpoint(door: Door, name: str) -> str:
    (job,) = door.jobs()
    with Api(door.url, Wsgi.key) as api:
        return str(next(e for e in api.every(f"/jobs/{job['jobId']}/endpoints") if e["name"] == name)["endpointId"])


def test_setup_makes_one_synthetic_job_and_the_second_time_nothing(door: Door) -> None:
    assert "created endpoints health, echo, slow, flaky" in door.rubato("synthetic", "setup")
    writes = len(door.writes)
    assert "nothing to do" in door.rubato("synthetic", "setup") and len(door.writes) == writes
    (job,) = door.jobs()
    assert job["isSynthetic"] and job["endpointCount"] == 4
    assert "baseline.intervalMs: 60000 -> 20000" in door.rubato("synthetic", "setup", "--interval", "20")
    assert "nothing to do" in door.rubato("synthetic", "setup", "--interval", "20")


def test_setup_resumes_and_remove_leaves_nothing_that_runs(door: Door) -> None:
    door.rubato("synthetic", "setup")
    (job,) = door.jobs()
    with Api(door.url, Wsgi.key) as api:
        api.call("PATCH", f"/jobs/{job['jobId']}", {"status": "paused"})
    assert set(problems(check(door)[1])) == set(NAMES)
    assert "resumed" in door.rubato("synthetic", "setup")
    assert "removed" in door.rubato("synthetic", "remove") and "nothing to do" in door.rubato("synthetic", "remove")
    (job,) = door.jobs()
    assert (job["status"], job["endpointCount"]) == ("archived", 0)
    with pytest.raises(Trouble, match="rubato synthetic setup") as told:
        door.rubato("synthetic", "check")
    assert told.value.exit_code == 1


def test_setup_says_what_is_missing_where_the_targets_are_off(door: Door) -> None:
    door.world.limits = replace(door.world.limits, synthetic_targets=False)
    with pytest.raises(Trouble, match="SyntheticTargets=on"):
        door.rubato("synthetic", "setup")
    assert door.jobs() == []


def test_all_is_well_when_everything_ran(door: Door) -> None:
    door.rubato("synthetic", "setup", "--interval", "20")
    assert check(door)[0] == 1  # made five minutes ago, by this machine's clock, and never run
    Stage(door.world).play(round(time.time() * 1000))
    code, told = check(door)
    assert (code, told["ok"], problems(told)) == (0, True, {})
    assert [each["name"] for each in told["endpoints"]] == NAMES
    assert all(each["runCount"] >= 13 and each["successRate"] == 1 for each in told["endpoints"])
    shown = door.rubato("synthetic", "check")
    assert "all is well" in shown and "100.0%" in shown


def test_a_target_that_fails_turns_it_red_and_says_which(door: Door) -> None:
    door.rubato("synthetic", "setup", "--interval", "20")
    with Api(door.url, Wsgi.key) as api:
        url = f"{door.url}/synthetic/flaky?failureRate=1"
        api.call("PATCH", f"/endpoints/{endpoint(door, 'flaky')}", {"request": {"url": url}})
    Stage(door.world).play(round(time.time() * 1000))
    code, told = check(door)
    assert code == 1 and not told["ok"] and set(problems(told)) == {"flaky"}
    assert "0.0% of its runs succeeded, less than 90%" in problems(told)["flaky"]
    assert check(door, "--min-success", "0")[0] in (0, 1)  # backoff may have silenced it for a while


def test_an_endpoint_that_is_gone_or_paused_turns_it_red(door: Door) -> None:
    door.rubato("synthetic", "setup", "--interval", "20")
    Stage(door.world).play(round(time.time() * 1000))
    with Api(door.url, Wsgi.key) as api:
        api.call("DELETE", f"/endpoints/{endpoint(door, 'slow')}")
        api.call("POST", f"/endpoints/{endpoint(door, 'echo')}/pause", {"pauseUntil": "indefinite"})
    code, told = check(door)
    assert code == 1 and set(problems(told)) == {"slow", "echo"} and "setup" in problems(told)["slow"][0]
    assert "created endpoint slow" in door.rubato("synthetic", "setup", "--interval", "20")


def test_a_quota_that_cannot_hold_it_is_told(door: Door) -> None:
    door.world.limits = replace(door.world.limits, max_runs_per_day=1000)
    environment = {"RUBATO_URL": door.url, "RUBATO_API_KEY": Wsgi.key}
    done = CliRunner().invoke(main.app, ["synthetic", "setup"], env=environment)
    assert done.exit_code == 0 and "5760 runs a day are more than the 1000" in done.stderr


def test_an_api_that_cannot_be_asked_is_another_matter_than_one_that_is_ill(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["rubato", "synthetic", "check", "--url", "http://127.0.0.1:9/v1", "--key", "k"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == Unreachable.exit_code == 2 and "can't be reached" in capsys.readouterr().err
    assert {Refusal("", status).exit_code for status in (401, 403, 429, 500, 503)} == {2}
    assert {Refusal("", status).exit_code for status in (400, 404, 409, 422)} == {1}


NOW = 1_800_000_000_000
BOUNDS = Bounds(min_success=0.9, max_lateness_ms=1000)


def found(**changes: Any) -> tuple[str, ...]:
    """Of a healthy endpoint that runs each minute, with changes."""
    ran = {"runId": "run_1", "status": "success", "startedAt": to_iso(changes.pop("ran_at", NOW - MINUTE))}
    endpoint = {
        "name": "health", "state": changes.pop("state", "active"), "whyNotRunning": changes.pop("why", None),
        "createdAt": to_iso(changes.pop("made_at", 0)),
    }  # fmt: skip
    health = {
        "runCount": 60, "successRate": 1.0, "p95LatenessMs": 20, "p95DurationMs": 80, "lastRun": ran,
        "cadence": {"intervalMs": MINUTE}, **changes,
    }  # fmt: skip
    return judge(endpoint, health, BOUNDS, NOW).problems


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ""),
        ({"successRate": 0.9}, ""),
        ({"successRate": 0.899}, "89.9% of its runs succeeded, less than 90%"),
        ({"p95LatenessMs": 1000}, ""),
        ({"p95LatenessMs": 1001}, "began 1 s late (p95), more than 1 s"),
        ({"ran_at": NOW - 3 * MINUTE}, ""),
        ({"ran_at": NOW - 3 * MINUTE - SECOND}, "has not run for 3 min, though it should every 1 min"),
        ({"ran_at": NOW - 30 * MINUTE, "cadence": {"intervalMs": 32 * MINUTE}}, ""),
        ({"ran_at": NOW - 30 * MINUTE, "state": "running"}, ""),
        ({"lastRun": None, "successRate": None, "p95LatenessMs": None, "made_at": NOW - 2 * MINUTE}, ""),
        (
            {"lastRun": None, "successRate": None, "p95LatenessMs": None, "made_at": NOW - 2 * MINUTE - 1},
            "has not run since it was made, though it should every 1 min",
        ),
        ({"state": "paused", "why": "its job is paused", "cadence": None}, "its job is paused"),
    ],
)
def test_an_endpoint_is_judged_by_success_lateness_and_whether_it_ran_at_all(
    changes: dict[str, Any], told: str
) -> None:
    assert "; ".join(found(**changes)) == told
