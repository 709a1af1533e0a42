"""Secrets that are bound to hosts: who writes endpoints can't have them sent elsewhere, whatever the target helps with."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from rubato.adapters.http import PinnedOutbound
from rubato.adapters.remembering_vault import FRESH_MS, STALE_MS, RememberingVault
from rubato.domain.endpoint import TargetRequest
from rubato.domain.exchange import Reply
from rubato.domain.instant import MINUTE, SECOND
from rubato.domain.secrets import MAX_BYTES, Kept
from tests.unit.clients import Client
from tests.unit.servers import LOCAL, answer, redirect, resolver, serving
from tests.worlds import MIDNIGHT, MemoryWorld, Stage, an_endpoint

VALUE = "hunter2-hunter2"
BOUND, ELSEWHERE = "https://api.example.com/", "https://api.example.com.evil.com/"
NAMING: dict[str, Any] = {"headers": {"Authorization": "Bearer {{secret:API_KEY}}"}}
Put = Callable[..., Any]
Add = Callable[..., Any]


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def client(world: MemoryWorld) -> Client:
    return Client(world)


@pytest.fixture
def job(client: Client) -> str:
    return str(client("POST", "/jobs", {"name": "shop"}).body["jobId"])


@pytest.fixture
def put(client: Client, job: str) -> Put:
    def kept(*hosts: str, name: str = "API_KEY", value: str = VALUE, **more: Any) -> Any:
        given = {"value": value, **({"hosts": list(hosts)} if hosts else {}), **more}
        return client("PUT", f"/jobs/{job}/secrets/{name}", given)

    return kept


@pytest.fixture
def add(client: Client, job: str) -> Add:
    def added(url: str = BOUND, name: str = "probe", **request: Any) -> Any:
        given = {"name": name, "baseline": {"intervalMs": 60_000}, "request": {"url": url, **(request or NAMING)}}
        return client("POST", f"/jobs/{job}/endpoints", given)

    return added


def the_run(client: Client) -> Any:
    (run, *_) = client("GET", "/runs").body["items"]
    return client("GET", f"/runs/{run['runId']}").body


def hosts(client: Client, job: str) -> Any:
    (secret,) = client("GET", f"/jobs/{job}/secrets").body["items"]
    return secret["hosts"]


def told(world: MemoryWorld) -> Any:
    return [(event.before, event.after) for event in world.trail.events if event.action == "putSecret"]


def test_a_bound_secret_reaches_its_hosts_and_the_target_gets_the_value_alone(
    world: MemoryWorld, client: Client, put: Put, add: Add, job: str
) -> None:
    made = put("API.Example.com.", "*.shop.example:8443")
    assert made.body["hosts"] == hosts(client, job) == ["api.example.com", "*.shop.example:8443"]
    assert add(BOUND + "?k={{secret:API_KEY}}", **NAMING).status == 201
    assert add("https://eu.shop.example:8443/", "below").status == 201
    Stage(world).play_seconds(61)
    calls = [call for _, call in world.outbound.calls]
    assert [dict(call.headers)["Authorization"] for call in calls] == [f"Bearer {VALUE}"] * 2
    assert f"{BOUND}?k={VALUE}" in {call.url for call in calls}


@pytest.mark.parametrize(
    "url",
    [
        ELSEWHERE,
        "https://evil-api.example.com/",
        "https://example.com/",
        "http://api.example.com/",
        "https://api.example.com:8443/",
        "https://evil.com/?https://api.example.com/",
    ],
)
def test_an_endpoint_that_would_send_it_elsewhere_is_not_saved(
    client: Client, put: Put, add: Add, job: str, url: str
) -> None:
    put("api.example.com"), put(name="FREE")
    refused = add(url)
    (error,) = refused.body["errors"]
    assert refused.status == 422 and error["path"] == "request.url"
    assert "API_KEY is bound to api.example.com" in error["message"]
    assert f"PUT /jobs/{job}/secrets/API_KEY" in error["message"]
    assert add(url, headers={"X": "{{secret:FREE}}"}).status == 201
    assert add(url, "both", method="POST", body="{{secret:FREE}}{{secret:API_KEY}}").status == 422


def test_an_endpoint_that_names_it_already_cannot_be_pointed_elsewhere_but_edited_otherwise(
    world: MemoryWorld, client: Client, put: Put, add: Add
) -> None:
    put("api.example.com")
    path = f"/endpoints/{add().body['endpointId']}"
    moved = client("PATCH", path, {"request": {"url": ELSEWHERE}})
    assert moved.status == 422 and [each["path"] for each in moved.body["errors"]] == ["request.url"]
    assert client("PATCH", path, {"request": {"url": BOUND + "other"}}).status == 200
    put("b.example")
    assert client("PATCH", path, {"timeoutMs": 4000}).status == 200  # its runs say what is wrong
    assert client("PATCH", path, {"request": {"url": "https://b.example/"}}).status == 200


def test_a_run_that_would_send_it_elsewhere_calls_nobody_once_and_says_what_to_do(
    world: MemoryWorld, client: Client, put: Put, add: Add, job: str
) -> None:
    put()
    endpoint = add(ELSEWHERE, **NAMING).body
    client("PATCH", f"/endpoints/{endpoint['endpointId']}", {"retry": {"maxAttempts": 3}})
    put("api.example.com", "b.example", value="other-value")
    Stage(world).play_seconds(61)
    run = the_run(client)
    assert world.outbound.calls == [] and run["errorKind"] == "config" and len(run["attempts"]) == 1
    assert "API_KEY is bound to api.example.com, b.example" in run["errorMessage"]
    assert f"PUT /jobs/{job}/secrets/API_KEY" in run["errorMessage"] and "other-value" not in json.dumps(run)


def test_what_was_stored_past_every_check_is_still_held_back_at_the_call(world: MemoryWorld, put: Put) -> None:
    put("api.example.com")
    job = world.jobs.get(world.trail.events[0].subject)
    endpoint = an_endpoint(world, job=job, request=TargetRequest(url=BOUND, headers=(("X", "{{secret:API_KEY}}"),)))
    world.secrets._secrets.clear()  # somebody who writes the tables, but not the vault
    Client(world)("PATCH", f"/endpoints/{endpoint.id}", {"request": {"url": ELSEWHERE}})
    Stage(world).play_seconds(61)
    assert world.outbound.calls == [] and "is bound to" in the_run(Client(world))["errorMessage"]


@pytest.mark.parametrize("more", [{}, {"hosts": None}])
def test_a_new_value_keeps_the_hosts_unless_others_are_given(
    world: MemoryWorld, client: Client, put: Put, add: Add, job: str, more: Any
) -> None:
    put("api.example.com")
    assert put(value="second-value", **more).body["hosts"] == ["api.example.com"]
    assert add(ELSEWHERE).status == 422
    add()
    Stage(world).play_seconds(61)
    assert dict(world.outbound.calls[0][1].headers)["Authorization"] == "Bearer second-value"
    assert put("*").body["hosts"] == ["*"] and add(ELSEWHERE, "free").status == 201


def test_the_trail_tells_whom_a_secret_is_for_and_when_that_changes(world: MemoryWorld, put: Put) -> None:
    put(), put(), put("a.example"), put(value="other-value"), put("*")
    free, bound = {"hosts": ["*"]}, {"hosts": ["a.example"]}
    name = {"name": "API_KEY"}
    changes = [({}, name | free), ({}, name), (free, name | bound), ({}, name), (bound, name | free)]
    assert told(world) == changes and VALUE not in repr(world.trail.events)


@pytest.mark.parametrize(
    "given", [[], "api.example.com", ["a.example"] * 21, ["x/y"], ["*.com"], ["*", "b.example"], [5]]
)
def test_hosts_that_cannot_be_kept_are_refused_and_change_nothing(
    put: Put, client: Client, job: str, given: Any
) -> None:
    put("api.example.com")
    refused = put(value="other-value", hosts=given)
    assert refused.status == 422 and all(each["path"].startswith("hosts") for each in refused.body["errors"])
    assert hosts(client, job) == ["api.example.com"]


def test_value_and_hosts_fit_into_the_vault_together(put: Put) -> None:
    assert put(value="x" * MAX_BYTES).status == 200
    refused = put("api.example.com", value="x" * MAX_BYTES)
    assert refused.status == 422 and "its hosts included" in refused.text
    assert put("api.example.com", value="x" * (MAX_BYTES - 50)).status == 200


@pytest.mark.parametrize(
    "broken", ["\0hosts *", "\0hosts \nvalue", "\0hosts *\nvalue", "\0hosts b.example *\nvalue", "", "abc"]
)
def test_what_the_vault_does_not_keep_in_this_way_is_sent_nowhere(
    world: MemoryWorld, client: Client, put: Put, add: Add, job: str, broken: str
) -> None:
    put()
    add()
    world.vault.shelves[f"secrets/{job}"]["API_KEY"] = broken
    Stage(world).play_seconds(61)
    run = the_run(client)
    assert world.outbound.calls == [] and run["errorKind"] == "config"
    assert f"put it again: PUT /jobs/{job}/secrets/API_KEY" in run["errorMessage"]


@pytest.mark.parametrize("value", [VALUE, "\0hosts evil.example\nvalue", "two\nlines", '{"value": "x", "hosts": []}'])
@pytest.mark.parametrize("bound", [("*",), ("api.example.com", "http://*.b.example:81")])
def test_no_value_is_taken_for_hosts(value: str, bound: tuple[str, ...]) -> None:
    assert Kept.from_text(Kept(value, bound).to_text()) == Kept(value, bound)


def test_what_the_vault_kept_before_there_were_hosts_goes_to_any(world: MemoryWorld, put: Put, add: Add) -> None:
    put()
    assert [*world.vault.shelves.values()] == [{"API_KEY": VALUE}]  # as it always was
    add(ELSEWHERE)
    Stage(world).play_seconds(61)
    assert len(world.outbound.calls) == 1


def test_narrower_hosts_count_within_a_minute_and_outlive_a_silent_vault_for_ten(
    world: MemoryWorld, client: Client, put: Put, add: Add
) -> None:
    shelves = world.vault
    remembering: Any = RememberingVault(shelves, world.clock)
    world.vault = remembering
    put()
    add(ELSEWHERE)
    stage = Stage(world)
    stage.play_seconds(61)
    put("api.example.com")
    shelves.failing = "InternalServerError"
    stage.play(MIDNIGHT + STALE_MS)
    assert len(world.outbound.calls) > 1  # what was read goes on to count while the vault is silent
    shelves.failing = None
    stage.play(MIDNIGHT + STALE_MS + FRESH_MS + 5 * SECOND)
    called = len(world.outbound.calls)
    stage.play(MIDNIGHT + STALE_MS + FRESH_MS + 3 * MINUTE)
    assert len(world.outbound.calls) == called and the_run(client)["errorKind"] == "config"


REDIRECTORS = [302, 303, 307, 308]


@pytest.mark.parametrize("status", REDIRECTORS)
def test_an_open_redirect_of_a_bound_host_takes_nothing_to_another_one(
    world: MemoryWorld, client: Client, put: Put, add: Add, status: int
) -> None:
    outbound: Any = PinnedOutbound(LOCAL, resolver(evil_example="127.0.0.1", api_example="127.0.0.1"))
    world.outbound = outbound
    with serving(answer()) as thief:
        leak = thief.url(f"/?k={VALUE}", host="evil.example")
        with serving(redirect(leak, status)) as target:
            home = target.url(host="api.example")
            put(home.rstrip("/"))
            assert add(home + "?to=" + leak.replace(VALUE, "{{secret:API_KEY}}"), **NAMING).status == 201
            Stage(world).play_seconds(61)
    run = the_run(client)
    assert target.connections == 1 and thief.connections == 0
    assert run["errorKind"] == "blocked" and "may not go" in run["errorMessage"]
    assert VALUE not in json.dumps(run) and "evil.example:" not in run["errorMessage"]


@pytest.mark.parametrize("status", REDIRECTORS)
def test_a_redirect_between_bound_hosts_is_followed_without_what_holds_the_secret(
    world: MemoryWorld, client: Client, put: Put, add: Add, status: int
) -> None:
    outbound: Any = PinnedOutbound(LOCAL, resolver(a_example="127.0.0.1", b_example="127.0.0.1"))
    world.outbound = outbound
    headers = {"X-Plain": "{{secret:API_KEY}}", "X-Other": "told"}
    with serving(answer()) as other:
        there = redirect(other.url("/there", host="b.example"), status)
        with serving(there, there) as first:
            home = first.url(host="a.example")
            put(home.rstrip("/"), other.url(host="b.example").rstrip("/"))
            assert add(home + "?k={{secret:API_KEY}}", headers=headers).status == 201
            add(home, "body", method="POST", body="{{secret:API_KEY}}")
            Stage(world).play_seconds(61)
    assert all(VALUE.encode() in request for request in first.requests) and other.connections
    assert all(VALUE.encode() not in each and b"referer" not in each.lower() for each in other.requests)
    assert any(b"X-Other: told" in request for request in other.requests)
    kinds = sorted(str(run["errorKind"]) for run in client("GET", "/runs").body["items"])
    assert kinds == (["None", "blocked"] if status in (307, 308) else ["None", "None"])


@pytest.mark.parametrize("location", ["//evil.example/", "https:evil.example", "/same#x", "?x=1", "\\\\evil.example"])
def test_no_spelling_of_a_location_takes_a_secret_in_the_query_to_another_host(
    world: MemoryWorld, client: Client, put: Put, add: Add, location: str
) -> None:
    asked: list[Any] = []

    def look_up(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        return resolver(api_example="127.0.0.1")(host, *_, **__)

    outbound: Any = PinnedOutbound(LOCAL, look_up)
    world.outbound = outbound
    with serving(redirect(location), answer()) as target:
        home = target.url(host="api.example")
        put(home.rstrip("/"))
        add(home + "?k={{secret:API_KEY}}", **NAMING)
        Stage(world).play_seconds(61)
    assert set(asked) == {"api.example"} and the_run(client)["status"] in ("success", "failure")


def test_a_target_that_repeats_it_in_any_place_is_hidden_as_before(
    world: MemoryWorld, client: Client, put: Put, add: Add
) -> None:
    put("api.example.com")
    add()
    world.outbound.answer = lambda call: Reply(
        duration_ms=0, status_code=200, body=dict(call.headers)["Authorization"].encode()
    )
    Stage(world).play_seconds(61)
    assert the_run(client)["response"]["body"] == "Bearer ***"
