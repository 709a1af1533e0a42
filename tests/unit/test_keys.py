"""API keys through the HTTP door: who may make which, who sees them, and when they end."""

import json
from typing import Any

import pytest

from rubato.domain.access import ALL_SCOPES, Scope
from rubato.domain.errors import Unauthenticated
from rubato.domain.hints import ActorKind
from rubato.domain.instant import DAY, HOUR, MINUTE
from rubato.usecases.authenticate import authenticate
from rubato.usecases.manage_keys import revoke_key
from tests.unit.clients import Client
from tests.worlds import MIDNIGHT, MemoryWorld, a_key

READER = {"label": "dashboard", "kind": "service", "scopes": ["jobs:read"]}


def signed_in(world: MemoryWorld, token: str) -> Client:
    """A client whose caller is resolved from a token as the authorizer does."""
    return Client(world, authenticate(world, {"x-api-key": token}))


def holder(
    world: MemoryWorld,
    scopes: frozenset[Scope] = ALL_SCOPES,
    tenant: str = "acme",
    expires_at: int | None = None,
) -> Client:
    """A client with a stored key."""
    _, token = a_key(world, tenant, label="first", kind=ActorKind.HUMAN, scopes=scopes, expires_at=expires_at)
    return signed_in(world, token)


def key_id(client: Client) -> str:
    assert client.caller is not None
    return client.caller.key_id


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def client(world: MemoryWorld) -> Client:
    return holder(world)


def test_a_new_key_is_shown_once_and_works_at_once(world: MemoryWorld, client: Client) -> None:
    made = client("POST", "/api-keys", {**READER, "expiresAt": "2025-02-01T00:00:00Z"})
    assert made.status == 201
    assert {name: made.body[name] for name in made.body if name not in ("keyId", "apiKey")} == {
        "label": "dashboard",
        "kind": "service",
        "scopes": ["jobs:read"],
        "agentId": None,
        "budget": None,
        "createdAt": "2025-01-01T00:00:00.000Z",
        "expiresAt": "2025-02-01T00:00:00.000Z",
        "lastUsedAt": None,
        "revokedAt": None,
    }
    reader = signed_in(world, made.body["apiKey"])
    assert reader("GET", "/jobs").status == 200 and reader("POST", "/jobs", {"name": "x"}).status == 403
    assert reader("GET", "/api-keys").status == 403
    assert key_id(reader) == made.body["keyId"]


def test_listed_keys_come_newest_first_in_pages_and_without_their_secret(world: MemoryWorld, client: Client) -> None:
    made = []
    for number in range(3):
        world.clock.instant += MINUTE
        made.append(client("POST", "/api-keys", {**READER, "label": f"key {number}"}).body)
    first = client("GET", "/api-keys", query={"limit": "2"}).body
    second = client("GET", "/api-keys", query={"limit": "2", "cursor": first["nextCursor"]}).body
    assert [each["label"] for each in [*first["items"], *second["items"]]] == ["key 2", "key 1", "key 0", "first"]
    assert second["nextCursor"] is None
    told = json.dumps([first, second])
    digests = [world.keys.get(each["keyId"]).digest for each in made]  # type: ignore[union-attr]
    assert not any(secret in told for secret in [*digests, *(each["apiKey"] for each in made)])
    assert "apiKey" not in first["items"][0]


BAD_KEYS: list[tuple[dict[str, Any], list[str]]] = [
    ({"label": ""}, ["label"]),
    ({"label": "two\nlines"}, ["label"]),
    ({"kind": "planner"}, ["kind"]),
    ({"kind": "system"}, ["kind"]),
    ({"scopes": []}, ["scopes"]),
    ({"scopes": ["jobs:delete"]}, ["scopes.0"]),
    ({"scopes": "jobs:read"}, ["scopes"]),
    ({"expiresAt": "2025-01-01T00:00:00Z"}, ["expiresAt"]),
    ({"expiresAt": "2024-12-31T23:59:59Z"}, ["expiresAt"]),
    ({"expiresAt": "tomorrow"}, ["expiresAt"]),
    ({"expiresAt": "2025-02-01T00:00:00"}, ["expiresAt"]),
    ({"tenantId": "evil"}, ["tenantId"]),
]


@pytest.mark.parametrize(("changes", "paths"), BAD_KEYS, ids=lambda value: str(value)[:60])
def test_a_bad_key_is_refused_with_the_field_named(client: Client, changes: dict[str, Any], paths: list[str]) -> None:
    answer = client("POST", "/api-keys", {**READER, **changes})
    assert (answer.status, answer.paths()) == (422, paths)
    assert len(client("GET", "/api-keys").body["items"]) == 1


def test_nobody_gives_away_a_scope_that_they_lack(world: MemoryWorld) -> None:
    maker = holder(world, frozenset({Scope.KEYS_WRITE, Scope.JOBS_WRITE}))
    refused = maker("POST", "/api-keys", {**READER, "scopes": ["jobs:read", "schedule:write", "runs:read"]})
    assert (refused.status, refused.body["code"]) == (403, "forbidden")
    assert "runs:read, schedule:write" in refused.body["detail"] and "jobs:read" not in refused.body["detail"]
    assert len(maker("GET", "/api-keys").body["items"]) == 1


def test_a_write_scope_may_be_narrowed_to_the_read_that_it_implies(world: MemoryWorld) -> None:
    maker = holder(world, frozenset({Scope.KEYS_WRITE, Scope.JOBS_WRITE}))
    made = maker("POST", "/api-keys", {**READER, "scopes": ["keys:read", "jobs:read", "jobs:read"]})
    assert (made.status, made.body["scopes"]) == (201, ["jobs:read", "keys:read"])
    reader = holder(world, frozenset({Scope.KEYS_WRITE, Scope.JOBS_READ}))
    assert reader("POST", "/api-keys", {**READER, "scopes": ["jobs:write"]}).status == 403


def test_a_key_that_expires_makes_none_that_outlives_it(world: MemoryWorld) -> None:
    maker = holder(world, expires_at=MIDNIGHT + DAY)
    later = maker("POST", "/api-keys", {**READER, "expiresAt": "2025-01-02T00:00:00.001Z"})
    assert (later.status, later.paths()) == (422, ["expiresAt"])
    assert "2025-01-02T00:00:00.000Z" in later.body["errors"][0]["message"]
    assert maker("POST", "/api-keys", READER).body["expiresAt"] == "2025-01-02T00:00:00.000Z"
    sooner = maker("POST", "/api-keys", {**READER, "expiresAt": "2025-01-01T12:00:00Z"})
    assert sooner.body["expiresAt"] == "2025-01-01T12:00:00.000Z"


def test_a_key_stops_working_when_it_expires(world: MemoryWorld, client: Client) -> None:
    token = client("POST", "/api-keys", {**READER, "expiresAt": "2025-01-01T01:00:00Z"}).body["apiKey"]
    world.clock.instant = MIDNIGHT + HOUR - 1
    assert signed_in(world, token)("GET", "/jobs").status == 200
    world.clock.instant = MIDNIGHT + HOUR
    with pytest.raises(Unauthenticated):
        signed_in(world, token)


def test_a_revoked_key_opens_nothing_and_stays_in_the_list(world: MemoryWorld, client: Client) -> None:
    made = client("POST", "/api-keys", READER).body
    world.clock.instant += 1000
    assert client("DELETE", f"/api-keys/{made['keyId']}").status == 204
    with pytest.raises(Unauthenticated):
        signed_in(world, made["apiKey"])
    listed = {each["keyId"]: each for each in client("GET", "/api-keys").body["items"]}
    assert listed[made["keyId"]]["revokedAt"] == "2025-01-01T00:00:01.000Z"


def test_revoking_again_changes_nothing_and_an_unknown_key_is_not_there(world: MemoryWorld, client: Client) -> None:
    made = client("POST", "/api-keys", READER).body["keyId"]
    for _ in range(2):
        assert client("DELETE", f"/api-keys/{made}").status == 204
        world.clock.instant += 1000
    listed = client("GET", "/api-keys").body["items"]
    assert [each["revokedAt"] for each in listed if each["keyId"] == made] == ["2025-01-01T00:00:00.000Z"]
    assert client("DELETE", "/api-keys/key_unknown").status == 404


def test_a_key_may_revoke_itself(world: MemoryWorld, client: Client) -> None:
    assert client("DELETE", f"/api-keys/{key_id(client)}").status == 204
    stored = world.keys.get(key_id(client))
    assert stored is not None and stored.revoked_at == MIDNIGHT


def test_a_key_that_was_just_revoked_makes_no_other_before_the_authorizer_forgets_it(
    world: MemoryWorld, client: Client
) -> None:
    revoke_key(world, key_id(client))
    answer = client("POST", "/api-keys", READER)
    assert (answer.status, answer.body["code"]) == (401, "unauthenticated")
    assert len(world.keys.list("acme", 50, None).items) == 1


def test_keys_of_another_tenant_are_neither_seen_nor_revoked(world: MemoryWorld, client: Client) -> None:
    mallory = holder(world, tenant="evil")
    assert [each["keyId"] for each in mallory("GET", "/api-keys").body["items"]] == [key_id(mallory)]
    foreign = mallory("DELETE", f"/api-keys/{key_id(client)}")
    unknown = mallory("DELETE", "/api-keys/key_unknown")
    assert foreign.status == unknown.status == 404
    assert foreign.body["detail"].replace(key_id(client), "key_unknown") == unknown.body["detail"]
    assert client("GET", "/api-keys").body["items"][0]["revokedAt"] is None
    assert mallory("POST", "/api-keys", READER).status == 201
    assert len(client("GET", "/api-keys").body["items"]) == 1


def test_the_audit_trail_tells_who_made_and_revoked_a_key_and_never_its_secret(
    world: MemoryWorld, client: Client
) -> None:
    made = client("POST", "/api-keys", READER).body
    world.clock.instant += 1
    client("DELETE", f"/api-keys/{made['keyId']}")
    events = world.trail.of_subject(made["keyId"], 10, None).items
    assert [event.action for event in events] == ["revokeApiKey", "createApiKey"]
    assert {event.actor.id for event in events} == {key_id(client)} and {e.tenant_id for e in events} == {"acme"}
    assert events[0].after == {"revokedAt": "2025-01-01T00:00:00.001Z"}
    assert events[1].after == {
        "label": "dashboard", "kind": "service", "scopes": ["jobs:read"], "expiresAt": None,
    }  # fmt: skip
    stored = world.keys.get(made["keyId"])
    assert stored is not None
    assert made["apiKey"] not in str(world.trail.events) and stored.digest not in str(world.trail.events)


def test_the_last_use_is_noted_at_most_once_an_hour(world: MemoryWorld, client: Client) -> None:
    world.clock.instant += 1
    token = client("POST", "/api-keys", READER).body["apiKey"]

    def used_at(after_ms: int) -> str:
        world.clock.instant = MIDNIGHT + after_ms
        signed_in(world, token)
        return str(client("GET", "/api-keys").body["items"][0]["lastUsedAt"])

    assert used_at(10 * MINUTE) == "2025-01-01T00:10:00.000Z"
    assert used_at(70 * MINUTE - 1) == "2025-01-01T00:10:00.000Z"
    assert used_at(70 * MINUTE) == "2025-01-01T01:10:00.000Z"
