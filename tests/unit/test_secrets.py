"""Secrets of a job, from the request that puts them to the call that carries them."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rubato.domain.access import Scope
from rubato.domain.exchange import Call, ErrorKind, Reply
from rubato.domain.secrets import MAX_PER_JOB
from tests.unit.clients import Client
from tests.worlds import ANNE, MALLORY, MemoryWorld, Stage

VALUE = "hunter2-hunter2"
Add = Callable[..., dict[str, Any]]


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
def put(client: Client, job: str) -> Callable[..., Any]:
    return lambda name="API_KEY", value=VALUE: client("PUT", f"/jobs/{job}/secrets/{name}", {"value": value})


@pytest.fixture
def add(client: Client, job: str) -> Add:
    def added(name: str = "probe", **request: Any) -> dict[str, Any]:
        body = {"name": name, "baseline": {"intervalMs": 60_000}, "request": {"url": "http://127.0.0.1/", **request}}
        made = client("POST", f"/jobs/{job}/endpoints", body)
        assert made.status == 201, made.text
        return dict(made.body)

    return added


def the_run(client: Client) -> Any:
    (run, *_) = client("GET", "/runs").body["items"]
    return client("GET", f"/runs/{run['runId']}").body


def test_a_secret_reaches_the_target_in_query_header_and_body_and_nobody_else(
    world: MemoryWorld, client: Client, put: Any, add: Add
) -> None:
    put(), put("Q", 'a&"b')
    add(
        url="http://127.0.0.1/?k={{secret:Q}}",
        method="POST",
        headers={"X-Plain": "Token {{secret:API_KEY}}"},
        body={"in": ["{{secret:API_KEY}}", '{{secret:Q}}"']},
    )
    Stage(world).play_seconds(61)
    ((_, call),) = world.outbound.calls
    assert call.url == "http://127.0.0.1/?k=a%26%22b" and dict(call.headers)["X-Plain"] == f"Token {VALUE}"
    assert call.body is not None and json.loads(call.body) == {"in": [VALUE, 'a&"b"']}
    run = the_run(client)
    assert run["status"] == "success" and run["request"]["url"] == "http://127.0.0.1/?k=***"
    assert run["request"]["headers"]["X-Plain"] == "Token ***" and run["request"]["body"] == '{"in":["***","***\\""]}'


def test_a_new_value_counts_from_the_next_look_and_no_answer_ever_tells_one(
    world: MemoryWorld, client: Client, put: Any, add: Add, job: str
) -> None:
    first = put()
    assert first.status == 200 and first.body == {
        "name": "API_KEY", "hosts": ["*"], "updatedAt": "2025-01-01T00:00:00.000Z"
    }  # fmt: skip
    endpoint = add(headers={"X": "{{secret:API_KEY}}"})
    assert put(value="second-value").status == 200
    Stage(world).play_seconds(61)
    assert dict(world.outbound.calls[0][1].headers)["X"] == "second-value"
    assert endpoint["request"]["headers"] == {"X": "{{secret:API_KEY}}"}
    listed = client("GET", f"/jobs/{job}/secrets")
    assert [each["name"] for each in listed.body["items"]] == ["API_KEY"]
    assert VALUE not in listed.text + repr(world.trail.events) and "second-value" not in repr(world.trail.events)
    assert client("GET", f"/jobs/{job}/secrets/API_KEY").status == 405


def test_a_secret_that_was_deleted_fails_the_run_which_names_it_and_the_remedy(
    world: MemoryWorld, client: Client, put: Any, add: Add, job: str
) -> None:
    put()
    endpoint = add(headers={"X": "{{secret:API_KEY}}"}, followRedirects=False)
    assert client("DELETE", f"/jobs/{job}/secrets/API_KEY").status == 204
    assert client("DELETE", f"/jobs/{job}/secrets/API_KEY").status == 404
    # Other edits stay possible, another use of it is not.
    path = f"/endpoints/{endpoint['endpointId']}"
    assert client("PATCH", path, {"timeoutMs": 4000}).status == 200
    Stage(world).play_seconds(61)
    run = the_run(client)
    assert world.outbound.calls == [] and run["errorKind"] == "config" and run["response"] is None
    assert f"PUT /jobs/{job}/secrets/API_KEY" in run["errorMessage"] and len(run["attempts"]) == 1
    put()
    Stage(world).play_seconds(200)
    assert the_run(client)["status"] == "success"


def test_an_endpoint_may_only_name_secrets_that_its_job_has(client: Client, put: Any, add: Add, job: str) -> None:
    wanting = {"name": "x", "baseline": {"manual": True}, "request": {"url": "http://127.0.0.1/?a={{secret:NONE}}"}}
    refused = client("POST", f"/jobs/{job}/endpoints", wanting)
    assert refused.status == 422 and f"PUT /jobs/{job}/secrets/NONE" in refused.text
    endpoint = add()
    patch = {"request": {"headers": {"X": "{{secret:API_KEY}}"}}}
    assert client("PATCH", f"/endpoints/{endpoint['endpointId']}", patch).status == 422
    put()
    assert client("PATCH", f"/endpoints/{endpoint['endpointId']}", patch).status == 200


def test_a_vault_that_gives_no_answer_fails_the_run_without_a_call(
    world: MemoryWorld, client: Client, put: Any, add: Add
) -> None:
    put()
    add(headers={"X": "{{secret:API_KEY}}"})
    world.vault.failing = "KMSInvalidStateException"
    Stage(world).play_seconds(61)
    run = the_run(client)
    assert world.outbound.calls == [] and run["errorKind"] == "config"
    assert "KMSInvalidStateException" in run["errorMessage"]


def test_a_value_with_line_breaks_never_reaches_a_header(
    world: MemoryWorld, client: Client, put: Any, add: Add
) -> None:
    put(value="line\r\nX-Evil: 1")
    add(headers={"X": "{{secret:API_KEY}}"})
    Stage(world).play_seconds(61)
    run = the_run(client)
    assert world.outbound.calls == [] and run["errorKind"] == "config"
    assert "API_KEY" in run["errorMessage"] and "X-Evil" not in json.dumps(run)


def test_a_request_that_its_secrets_make_too_large_fails_and_says_so(
    world: MemoryWorld, client: Client, put: Any, add: Add
) -> None:
    put(value="swordfish" * 300)
    add(method="POST", body=["{{secret:API_KEY}}" * 100])
    Stage(world).play_seconds(61)
    run = the_run(client)
    assert world.outbound.calls == [] and run["errorKind"] == "config" and len(run["attempts"]) == 1
    assert "request.body: becomes 270004 bytes" in run["errorMessage"] and "swordfish" not in json.dumps(run)


WRONG = [
    ("1A", VALUE),
    ("A-B", VALUE),
    ("A" * 65, VALUE),
    ("A", "abc"),
    ("A", "ü" * 1537),
    ("A", ""),
    ("A", 5),
    ("A", None),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_names_and_values_have_bounds(put: Any, name: str, value: Any) -> None:
    refused = put(name, value)
    assert refused.status == 422 and (len(str(value)) < 5 or str(value)[:20] not in refused.text)


PASTED = "sup3rs3cret-value"


@pytest.mark.parametrize(
    ("body", "query"),
    [
        ({"value": VALUE, PASTED: 1}, None),
        ({"value": VALUE, PASTED: 1, f"{PASTED}-2": 2}, None),
        ({"value": {PASTED: 1}}, None),
        ({"value": [PASTED]}, None),
        ({"value": VALUE, "hosts": {PASTED: 1}}, None),
        ({"value": VALUE}, {PASTED: "x"}),
    ],
)
def test_a_value_that_was_pasted_in_the_wrong_place_is_not_repeated(
    client: Client, job: str, body: Any, query: Any
) -> None:
    refused = client("PUT", f"/jobs/{job}/secrets/A", body, query)
    assert refused.status == 422 and PASTED not in refused.text and refused.body["errors"][0]["message"]


def test_an_unknown_name_of_a_field_is_repeated_in_short(client: Client) -> None:
    refused = client("POST", "/jobs", {"name": "x", "y" * 5000: 1})
    assert refused.status == 422 and refused.paths() == ["y" * 100 + "..."] and len(refused.text) < 1000


def test_a_job_has_at_most_so_many_secrets_and_replacing_one_is_always_possible(put: Any) -> None:
    for number in range(MAX_PER_JOB):
        assert put(f"N{number}").status == 200
    assert (put("ONE_MORE").status, put("N0").status) == (409, 200)


def test_another_tenant_and_a_key_for_other_things_get_at_no_secret(
    world: MemoryWorld, client: Client, put: Any, job: str
) -> None:
    put()
    for stranger, status in (
        (Client(world, MALLORY), 404),
        (Client(world, replace(ANNE, scopes=frozenset({Scope.JOBS_WRITE, Scope.ENDPOINTS_WRITE}))), 403),
    ):
        assert stranger("PUT", f"/jobs/{job}/secrets/API_KEY", {"value": "mine-now"}).status == status
        assert stranger("GET", f"/jobs/{job}/secrets").status == status
        assert stranger("DELETE", f"/jobs/{job}/secrets/API_KEY").status == status
    other = Client(world, MALLORY)("POST", "/jobs", {"name": "shop"}).body["jobId"]
    wanting = {"name": "x", "baseline": {"manual": True}, "request": {"url": "http://127.0.0.1/?a={{secret:API_KEY}}"}}
    assert Client(world, MALLORY)("POST", f"/jobs/{other}/endpoints", wanting).status == 422


def test_what_a_target_repeats_is_hidden_in_body_headers_and_error(
    world: MemoryWorld, client: Client, put: Any, add: Add
) -> None:
    def echo(call: Call) -> Reply:
        text = dict(call.headers)["X"]
        return Reply(duration_ms=0, status_code=200, headers=(("x-you-sent", text),), body=f"hello {text}".encode())

    put()
    add(headers={"X": "{{secret:API_KEY}}"})
    world.outbound.answer = echo
    stage = Stage(world)
    stage.play_seconds(61)
    answered = the_run(client)["response"]
    assert (answered["body"], answered["headers"]["x-you-sent"]) == ("hello ***", "***")
    world.outbound.answer = lambda call: Reply(
        duration_ms=0, error_kind=ErrorKind.CONNECT, error_message=f"refused {dict(call.headers)['X']}"
    )
    stage.play_seconds(121)
    assert the_run(client)["errorMessage"] == "refused ***"


def test_a_run_without_secrets_and_keys_asks_the_vault_for_nothing(world: MemoryWorld, add: Add) -> None:
    add(method="POST", body={"braces": "{{ not one }}"})
    Stage(world).play_seconds(61)
    assert len(world.outbound.calls) == 1 and world.vault.reads == 0
