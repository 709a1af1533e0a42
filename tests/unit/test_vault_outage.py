"""A vault that is slow, throttled or down: what was read counts on, runs wait for it, and nobody is blamed."""

from typing import Any

import pytest

from rubato.adapters.remembering_vault import FRESH_MS, STALE_MS, RememberingVault
from rubato.domain.endpoint import Retry, TargetRequest
from rubato.domain.exchange import Reply
from rubato.domain.instant import MINUTE, SECOND
from tests.unit.clients import Client
from tests.unit.test_signing_keys import calls, signs
from tests.worlds import MemoryWorld, Stage, a_job, an_endpoint


@pytest.fixture
def world() -> Any:
    return MemoryWorld()


@pytest.fixture
def client(world: Any) -> Client:
    return Client(world)


def test_the_vault_is_asked_once_a_minute_and_an_outage_is_outlived_for_ten(world: MemoryWorld) -> None:
    vault = RememberingVault(world.vault, world.clock, lambda: world.telemetry.count("vault_error"))
    assert vault.read("signing/x", ["k"]) == {} == vault.read("signing/x", ["k"])
    assert world.vault.reads == 2  # what is not there is asked for again
    vault.put("signing/x", "k", "one")
    assert vault.read("signing/x", ["k"]) == {"k": "one"}
    vault.put("signing/x", "k", "two")
    world.clock.instant += FRESH_MS - 1
    assert vault.read("signing/x", ["k"]) == {"k": "one"} and world.vault.reads == 3
    world.clock.instant += 1
    assert vault.read("signing/x", ["k"]) == {"k": "two"}
    world.vault.failing = "ThrottlingException"
    world.clock.instant += STALE_MS - 1
    before = world.vault.reads
    assert vault.read("signing/x", ["k"]) == {"k": "two"} == vault.read("signing/x", ["k"])
    assert world.vault.reads == before + 1  # it is left alone for some seconds
    assert world.telemetry.counts["vault_error"] == 1  # whoever is on call hears of it while nothing fails yet
    world.clock.instant += 1
    with pytest.raises(Exception, match="ThrottlingException"):
        vault.read("signing/x", ["k"])
    world.vault.failing = None
    world.clock.instant += 5 * SECOND
    assert vault.read("signing/x", ["k"]) == {"k": "two"}


def test_a_value_that_was_deleted_is_not_remembered_beyond_a_minute(world: MemoryWorld) -> None:
    vault = RememberingVault(world.vault, world.clock)
    vault.put("secrets/j", "A", "1")
    assert vault.read("secrets/j", ["A", "B"]) == {"A": "1"} and vault.read("secrets/j", ["A"]) == {"A": "1"}
    vault.put("secrets/j", "B", "2")
    assert vault.read("secrets/j", ["A", "B"]) == {"A": "1", "B": "2"}  # half an answer is not remembered
    vault.delete("secrets/j", "A")
    world.clock.instant += MINUTE
    assert vault.read("secrets/j", ["A"]) == {}


SECRET = TargetRequest(url="http://127.0.0.1/?k={{secret:A}}")


@pytest.mark.parametrize("needs", ["key", "secret"])
def test_an_outage_of_the_vault_is_retried_and_neither_counts_nor_pauses(
    world: Any, client: Client, needs: str
) -> None:
    job = a_job(world)
    client("PUT", f"/jobs/{job.job_id}/secrets/A", {"value": "abcdef"})
    request = SECRET if needs == "secret" else TargetRequest(url="http://127.0.0.1/")
    endpoint = an_endpoint(world, job=job, request=request, retry=Retry(max_attempts=3), auto_pause_after=1)
    if needs == "key":
        client("POST", "/signing-keys", {})
    stage, world.vault.failing = Stage(world), "ThrottlingException"
    stage.play_seconds(63)
    world.vault.failing = None
    stage.play_seconds(119)
    (call,) = calls(world)
    assert dict(call.headers)["Rubato-Attempt"] == "2" and world.outbound.seconds()[0] >= 65
    world.vault.failing = "ThrottlingException"
    stage.play_seconds(239)
    runs = client("GET", "/runs", query={"endpointId": endpoint.id}).body["items"]
    assert [(run["status"], run["errorKind"]) for run in runs] == [("failure", "config")] * 2 + [("success", None)]
    attempts = client("GET", f"/runs/{runs[0]['runId']}").body["attempts"]
    assert len(attempts) == 3 and "ThrottlingException" in runs[0]["errorMessage"]
    shown = client("GET", f"/endpoints/{endpoint.id}").body
    assert (shown["failureCount"], shown["pausedUntil"], len(calls(world))) == (0, None, 1)


def test_an_outage_keeps_the_failures_that_were_there(world: Any, client: Client) -> None:
    endpoint = an_endpoint(world, auto_pause_after=2)
    client("POST", "/signing-keys", {})
    world.outbound.answer = lambda _: Reply(duration_ms=0, status_code=500)
    stage = Stage(world)
    stage.play_seconds(61)
    world.vault.failing = "RequestTimeout"
    stage.play_seconds(181)
    assert client("GET", f"/endpoints/{endpoint.id}").body["failureCount"] == 1
    world.vault.failing = None
    stage.play_seconds(301)
    path = f"/endpoints/{endpoint.id}"
    shown = client("GET", path).body
    assert shown["failureCount"] == 2 and shown["pausedUntil"] is not None
    client("POST", f"{path}/pause", {"pauseUntil": None})
    world.vault.failing = "RequestTimeout"
    stage.play_seconds(600)
    shown = client("GET", path).body
    assert shown["failureCount"] == 2 and shown["pausedUntil"] is None and len(world.outbound.calls) == 2


def test_a_key_that_is_not_everywhere_yet_signs_the_next_attempt(world: Any, client: Client) -> None:
    an_endpoint(world, retry=Retry(max_attempts=2))
    key = client("POST", "/signing-keys", {}).body
    (shelf,) = world.vault.shelves.values()
    secret = shelf.pop(key["signingKeyId"])
    stage = Stage(world)
    stage.play_seconds(62)
    shelf[key["signingKeyId"]] = secret
    stage.play_seconds(100)
    assert [signs(call, key) for call in calls(world)] == [True]
