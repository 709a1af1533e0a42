"""Idempotency-Key: a creating request that comes in twice creates once, and is told the same."""

import json
from dataclasses import replace
from typing import Any

import pytest

from rubato.domain.access import ALL_SCOPES
from rubato.domain.hints import ActorKind
from rubato.domain.instant import DAY, SECOND
from rubato.interface.catalog import CATALOG
from rubato.usecases.authenticate import authenticate
from tests.unit.clients import Answer, Client
from tests.unit.test_http import ENDPOINT
from tests.worlds import ANNE, MIDNIGHT, MemoryWorld, a_key

SHOP = {"name": "shop", "tags": ["sale", "web"], "owner": "anne"}
KEY = {"label": "ci", "kind": "agent", "scopes": ["jobs:read"]}
BODIES: dict[str, Any] = {
    "createJob": SHOP,
    "addEndpointToJob": {**ENDPOINT, "name": "second"},
    "createApiKey": KEY,
    "applyIntervalHint": {"intervalMs": 5000},
    "scheduleOneShotRun": {"runInMs": 5000},
    "triggerRun": None,
    "createSigningKey": {},
    "rotateSigningKey": None,
    "registerAgent": {"name": "scout", "owner": "shop team"},
}


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def client(world: MemoryWorld) -> Client:
    _, token = a_key(world, "acme", label="first", kind=ActorKind.HUMAN, scopes=ALL_SCOPES)
    return Client(world, authenticate(world, {"x-api-key": token}))


@pytest.fixture
def path_of(client: Client) -> dict[str, str]:
    """The path of each creating action, over one job with one endpoint."""
    job = client("POST", "/jobs", {"name": "first"}).body["jobId"]
    endpoint = client("POST", f"/jobs/{job}/endpoints", ENDPOINT).body["endpointId"]
    signing = client("POST", "/signing-keys", {"endpointId": endpoint}).body["signingKeyId"]
    known = {"jobId": job, "endpointId": endpoint, "signingKeyId": signing}
    return {a.name: a.path.format(**known) for a in CATALOG if a.creates}


def post(client: Client, path: str, body: Any = SHOP, key: str = "order-66", raw: str | None = None) -> Answer:
    return client("POST", path, body, headers={"idempotency-key": key}, raw=raw)


def names(client: Client) -> list[str]:
    return [job["name"] for job in client("GET", "/jobs").body["items"]]


def test_the_actions_that_create_are_these() -> None:
    assert {action.name for action in CATALOG if action.creates} == set(BODIES)


@pytest.mark.parametrize("action", BODIES)
def test_a_repeated_request_gets_the_same_answer_and_creates_nothing(
    world: MemoryWorld, client: Client, path_of: dict[str, str], action: str
) -> None:
    first = post(client, path_of[action], BODIES[action])
    events = len(world.trail.events)
    world.clock.instant += 10 * SECOND
    again = post(client, path_of[action], BODIES[action])
    assert first.status in (201, 202) and again.status == first.status
    once = {"apiKey": None, "secret": None}
    assert {**again.body, **once} == {**first.body, **once}
    assert again.headers.get("ETag") == first.headers.get("ETag")
    assert len(world.trail.events) == events


def test_a_repeated_request_for_a_key_does_not_tell_the_secret_again(world: MemoryWorld, client: Client) -> None:
    first = post(client, "/api-keys", KEY)
    again = post(client, "/api-keys", KEY)
    assert first.body["apiKey"].startswith("rbt_") and again.body["apiKey"] is None
    assert first.body["apiKey"] not in str(vars(world.idempotency))
    assert len(client("GET", "/api-keys").body["items"]) == 2


def test_bodies_are_compared_as_json(client: Client) -> None:
    first = post(client, "/jobs", raw=json.dumps(SHOP))
    again = post(client, "/jobs", raw=json.dumps(dict(reversed(SHOP.items())), indent=4))
    assert again.status == 201 and again.body == first.body


@pytest.mark.parametrize("body", [{**SHOP, "name": "mall"}, {**SHOP, "tags": ["web", "sale"]}, {"name": "shop"}])
def test_another_body_under_the_same_key_is_a_conflict(client: Client, body: dict[str, Any]) -> None:
    post(client, "/jobs")
    refused = post(client, "/jobs", body)
    assert (refused.status, refused.body["code"]) == (409, "conflict")
    assert "Idempotency-Key" in refused.body["detail"] and "another body" in refused.body["detail"]
    assert names(client) == ["shop"]


def test_without_the_header_or_under_another_key_each_request_creates(client: Client) -> None:
    post(client, "/jobs", key="a")
    post(client, "/jobs", key="b")
    client("POST", "/jobs", SHOP)
    assert names(client) == ["shop", "shop", "shop"]


def test_the_same_key_means_something_else_to_another_caller_and_on_another_path(
    world: MemoryWorld, client: Client
) -> None:
    first = post(client, "/jobs").body["jobId"]
    colleague = Client(world, ANNE)
    stranger = Client(world, replace(ANNE, tenant_id="evil"))
    ids = {first, post(colleague, "/jobs").body["jobId"], post(stranger, "/jobs").body["jobId"]}
    assert len(ids) == 3
    second = post(client, "/jobs", key="other").body["jobId"]
    for job in (first, second):
        assert post(client, f"/jobs/{job}/endpoints", ENDPOINT).status == 201
        assert len(client("GET", f"/jobs/{job}/endpoints").body["items"]) == 1


def test_an_answer_is_remembered_for_a_day(world: MemoryWorld, client: Client) -> None:
    first = post(client, "/jobs").body["jobId"]
    world.clock.instant = MIDNIGHT + DAY - 1
    assert post(client, "/jobs").body["jobId"] == first
    world.clock.instant = MIDNIGHT + DAY
    assert post(client, "/jobs").body["jobId"] != first


def test_a_refused_request_may_come_again_corrected_under_its_key(client: Client) -> None:
    job = post(client, "/jobs").body["jobId"]
    at = f"/jobs/{job}/endpoints"
    client("POST", at, ENDPOINT)
    assert post(client, at, ENDPOINT).status == 409
    assert post(client, at, {**ENDPOINT, "name": "second", "jitterMs": 60_000}).status == 422
    assert post(client, at, {**ENDPOINT, "name": "second"}).status == 201


def test_of_two_requests_at_once_the_second_is_told_to_try_again(
    world: MemoryWorld, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Answer] = []
    create = world.jobs.create

    def slow(*stored: Any) -> None:
        seen.append(post(client, "/jobs"))
        create(*stored)

    monkeypatch.setattr(world.jobs, "create", slow)
    first = post(client, "/jobs")
    assert first.status == 201 and [answer.status for answer in seen] == [409]
    assert seen[0].headers["Retry-After"] == "1" and "in progress" in seen[0].body["detail"]
    assert names(client) == ["shop"] and post(client, "/jobs").body == first.body


def test_a_crash_holds_the_key_no_longer_than_half_a_minute(
    world: MemoryWorld, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> None:
        raise ConnectionError("the table is gone")

    with monkeypatch.context() as patch:
        patch.setattr(world.jobs, "create", crash)
        with pytest.raises(ConnectionError):
            post(client, "/jobs")
    world.clock.instant = MIDNIGHT + 30 * SECOND - 1
    assert post(client, "/jobs").status == 409
    world.clock.instant = MIDNIGHT + 30 * SECOND
    assert post(client, "/jobs").status == 201


@pytest.mark.parametrize("broken", ["keep", "release"])
def test_what_was_decided_is_told_even_when_it_can_not_be_remembered(
    world: MemoryWorld, client: Client, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def crash(*_: Any) -> None:
        raise ConnectionError("the table is gone")

    monkeypatch.setattr(world.idempotency, broken, crash)
    assert post(client, "/jobs", {"name": "shop"}).status == 201
    assert post(client, "/jobs/unknown/endpoints", ENDPOINT).status == 404
    assert len(world.telemetry.warnings) == 1


@pytest.mark.parametrize("key", ["", "   ", "x" * 256, "naïve", "a\tb", "a\x00b"])
def test_a_key_that_is_not_printable_ascii_is_refused_by_name(client: Client, key: str) -> None:
    refused = post(client, "/jobs", key=key)
    assert (refused.status, refused.paths()) == (422, ["Idempotency-Key"])
    assert names(client) == []


def test_the_longest_key_is_accepted(client: Client) -> None:
    first = post(client, "/jobs", key="~" * 255)
    assert first.status == 201 and post(client, "/jobs", key="~" * 255).body == first.body


def test_the_header_means_nothing_where_nothing_is_created(client: Client, path_of: dict[str, str]) -> None:
    job = path_of["addEndpointToJob"].removesuffix("/endpoints")
    for name in ("a", "b"):
        assert client("PATCH", job, {"name": name}, headers={"Idempotency-Key": "x"}).body["name"] == name


def test_an_invalid_request_leaves_its_key_unused(client: Client) -> None:
    assert post(client, "/jobs", {"name": ""}).status == 422
    assert post(client, "/jobs").status == 201
