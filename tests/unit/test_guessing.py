"""Keys and ids: what can be guessed opens nothing, and no answer says how close a guess was."""

from dataclasses import replace

import pytest

from rubato.adapters.clock import SystemEntropy
from rubato.domain import ids
from rubato.domain.access import digest_of, key_id_of, mint_token
from rubato.domain.endpoint import Source
from rubato.domain.errors import Unauthenticated
from rubato.domain.instant import MINUTE
from rubato.usecases.authenticate import authenticate
from rubato.usecases.manage_keys import revoke_key
from tests.unit.clients import Client
from tests.worlds import MALLORY, MIDNIGHT, MemoryWorld, Stage, a_key, an_endpoint


def test_a_key_holds_256_bits_of_the_systems_randomness() -> None:
    world = MemoryWorld()
    world.entropy = SystemEntropy()  # type: ignore[assignment]
    made = [a_key(world)[1] for _ in range(50)]
    secrets = {token.split("_", 2)[2][:43] for token in made}  # base64url of 32 bytes
    assert len(secrets) == 50 and all(len(set(secret)) > 12 for secret in secrets)
    assert not any(secret in repr(world.keys.__dict__) for secret in secrets)


def test_an_unknown_wrong_revoked_and_expired_key_are_refused_in_the_same_words() -> None:
    world = MemoryWorld()
    key, right = a_key(world)
    revoked, revoked_token = a_key(world)
    revoke_key(world, revoked.key_id)
    _, expired = a_key(world, expires_at=MIDNIGHT)
    secret = right.split("_", 2)[2][:43]
    wrong = mint_token(key.key_id, secret[:-1] + ("A" if secret[-1] != "A" else "B"))
    unknown = mint_token("key_" + "0" * 26, secret)
    told = set()
    for token in (wrong, unknown, revoked_token, expired):
        assert key_id_of(token) is not None
        with pytest.raises(Unauthenticated) as refused:
            authenticate(world, {"x-api-key": token})
        told.add((str(refused.value), refused.value.code))
    assert len(told) == 1
    assert authenticate(world, {"x-api-key": right}).key_id == key.key_id


def test_what_is_stored_of_a_key_opens_nothing() -> None:
    world = MemoryWorld()
    key, token = a_key(world)
    assert key.digest == digest_of(token) and token not in repr(key)
    for stolen in (key.digest, f"rbt_{key.key_id[4:]}_{key.digest[:43]}", mint_token(key.key_id, key.digest[:43])):
        with pytest.raises(Unauthenticated):
            authenticate(world, {"x-api-key": stolen, "Authorization": f"Bearer {stolen}"})


def test_a_run_id_that_follows_from_an_endpoint_and_its_slot_opens_nothing_to_others() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world)
    Stage(world).play_seconds(61)
    derived = ids.run_id(endpoint.id, MIDNIGHT + MINUTE, Source.BASELINE_INTERVAL.value)
    own = Client(world)("GET", "/runs").body["items"][0]["runId"]
    assert own[:40] == derived[:40]  # endpoint and slot; the rest is one of a million
    foreign, missing = (Client(world, MALLORY)("GET", f"/runs/{each}") for each in (own, derived[:-1] + "Z"))
    assert foreign.status == missing.status == 404
    assert foreign.body["detail"].replace(own, "") == missing.body["detail"].replace(derived[:-1] + "Z", "")


def test_foreign_and_unknown_look_alike_to_the_word() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world)
    unknown = endpoint.id[:-1] + ("0" if endpoint.id[-1] != "0" else "1")
    mallory = Client(world, replace(MALLORY))
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/run"),
        ("GET", "/events"),
        ("GET", "/health"),
    ):
        body = {"description": "x"} if method == "PATCH" else None
        said = [mallory(method, f"/endpoints/{each}{path}", body) for each in (endpoint.id, unknown)]
        assert said[0].status == said[1].status == 404
        assert said[0].text.replace(endpoint.id, "") == said[1].text.replace(unknown, "")
