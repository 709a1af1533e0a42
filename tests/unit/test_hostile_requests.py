"""Requests that nobody sends by accident: each is refused as what it is, changes nothing and breaks nothing."""

from typing import Any

import pytest

from rubato.domain.access import Caller
from rubato.interface.catalog import CATALOG
from tests.unit.clients import Client
from tests.worlds import ANNE, MALLORY, MemoryWorld, a_job, a_key, an_endpoint


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def client(world: MemoryWorld) -> Client:
    return Client(world)


@pytest.mark.parametrize(
    "tag", ["9" * 5000, '"' + "9" * 5000 + '"', "²", "٣", "-1", "1e3", "0x1", "W/", '"\ud800"', "1" * 16]
)
def test_a_version_that_was_never_given_out_matches_nothing(world: MemoryWorld, client: Client, tag: str) -> None:
    path = f"/endpoints/{an_endpoint(world).id}"
    assert client("PATCH", path, {"description": "x"}, headers={"If-Match": tag}).status == 412
    assert client("GET", path).body["description"] is None


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "a", "name": "b"}',
        '{"name": "a", "metadata": {"x": 1, "x": 2}}',
        '{"name": "a", "n\\u0061me": "b"}',
        '{"name": "a", "tags": [{"x": 1, "x": 1}]}',
    ],
)
def test_a_name_that_stands_twice_in_an_object_is_refused_since_readers_differ(
    world: MemoryWorld, client: Client, text: str
) -> None:
    for path in ("/jobs", f"/jobs/{a_job(world).job_id}/endpoints", "/mcp"):
        assert client("POST", path, raw=text).status == 400, path
    assert [job["name"] for job in client("GET", "/jobs").body["items"]] == ["shop"]


@pytest.mark.parametrize(
    "body",
    ["[" * 200_000, '{"a":' * 100_000, '{"metadata": {"n": ' + "9" * 5000 + "}}", '{"metadata": {"n": 1e999}}', "\ufeff{}",
     '{"metadata": {"n": NaN}}', '{"name": "\\ud800"}', "{" + '"x",' * 60_000 + "}", '"' + "x" * 300_000 + '"'],
)  # fmt: skip
def test_a_body_that_is_deep_huge_or_half_a_character_is_refused_at_the_door(
    world: MemoryWorld, client: Client, body: str
) -> None:
    path = f"/endpoints/{an_endpoint(world).id}"
    before = client("GET", path).body
    assert client("PATCH", path, raw=body).status in (400, 422)
    assert client("GET", path).body == before


@pytest.mark.parametrize(
    "field", ["tenantId", "endpointId", "version", "createdAt", "deletedAt", "state", "signedBy", "held", "isAdmin",
              "__proto__", "__class__", "__init__", "constructor"],
)  # fmt: skip
def test_what_is_not_the_callers_to_set_is_refused_by_name(world: MemoryWorld, client: Client, field: str) -> None:
    endpoint = an_endpoint(world)
    for path in (f"/endpoints/{endpoint.id}", f"/jobs/{endpoint.config.job_id}"):
        answer = client("PATCH", path, {field: MALLORY.tenant_id})
        assert (answer.status, answer.paths()) == (422, [field])
    assert client("POST", "/jobs", {"name": "new", field: "x"}).paths() == [field]


def test_names_that_mean_something_to_programs_are_data_in_metadata(world: MemoryWorld, client: Client) -> None:
    path = f"/endpoints/{an_endpoint(world).id}"
    odd = {"__proto__": {"isAdmin": True}, "__class__": "x", "constructor": {"prototype": 1}, "$ref": "#/", "": ""}
    assert client("PATCH", path, {"metadata": odd}).body["metadata"] == odd
    kept = client("PATCH", path, {"metadata": {"__proto__": None, "isStill": "here"}}).body["metadata"]
    assert kept == {name: value for name, value in odd.items() if name != "__proto__"} | {"isStill": "here"}
    assert not hasattr({}, "isAdmin") and client("GET", path).body["tier"] == "none"


def test_every_answer_forbids_keeping_it_guessing_its_type_and_going_on_without_tls(
    world: MemoryWorld, client: Client
) -> None:
    endpoint = an_endpoint(world)
    answers: list[Any] = [
        client("POST", "/jobs", {"name": "new"}),
        client("GET", f"/endpoints/{endpoint.id}"),
        client("DELETE", f"/endpoints/{endpoint.id}"),
        client("GET", "/runs/export", query={"format": "csv"}),
        client("GET", "/jobs/nope"),
        client("PUT", "/jobs"),
        client("OPTIONS", "/jobs"),
        client("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "ping"}),
        Client(world, None)("GET", "/jobs"),
        Client(world, None)("GET", "/health"),
    ]
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    for path in ("/docs", "/openapi.json"):
        headers = client("GET", path).headers
        assert headers["Cache-Control"] == "public, max-age=300" and headers["X-Content-Type-Options"] == "nosniff"


def test_what_shows_a_secret_is_kept_by_nobody(world: MemoryWorld) -> None:
    key, _ = a_key(world)
    client = Client(world, Caller(tenant_id="acme", key_id=key.key_id, kind=key.kind, scopes=ANNE.scopes))
    made = client("POST", "/api-keys", {"label": "x", "kind": "agent", "scopes": ["jobs:read"]})
    signing = client("POST", "/signing-keys", {})
    assert made.body["apiKey"].startswith("rbt_") and signing.body["secret"].startswith("whsec_")
    assert made.headers["Cache-Control"] == signing.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("action", [each for each in CATALOG if each.pattern.groupindex], ids=lambda each: each.name)
def test_ids_of_any_shape_are_unknown_and_nothing_else(client: Client, action: Any) -> None:
    for odd in (
        "%00",
        "%0d%0aX-Injected:%201",
        "..%2f..%2fkeys",
        "%ED%A0%80",
        "'%20OR%201=1",
        "x" * 200,
        "%F0%9F%92%A9",
    ):
        path = action.path
        for name in action.pattern.groupindex:
            path = path.replace(f"{{{name}}}", odd)
        answer = client(action.method, path, {})
        assert answer.status in (404, 422), (path, answer.status)
        assert not any("Injected" in name for name in answer.headers)
