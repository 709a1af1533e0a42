"""Signing keys while two change them, something dies or the queue is down."""

from collections.abc import Callable
from typing import Any

import pytest

from rubato.domain.errors import WriteRaced
from rubato.domain.exchange import Call
from rubato.domain.instant import SECOND
from rubato.domain.schedule import ManualBaseline
from rubato.domain.signing import SigningKey, key_id, signature_headers
from rubato.usecases.update_endpoint import delete_endpoint
from tests.unit.clients import Answer, Client
from tests.worlds import ANNE, MALLORY, MemoryWorld, Stage, a_job, an_endpoint


@pytest.fixture
def world() -> Any:
    return MemoryWorld()


@pytest.fixture
def client(world: Any) -> Client:
    return Client(world)


def rotated(client: Client, endpoint_id: str | None = None) -> tuple[Any, Any]:
    """Two keys, of which the second is a little younger."""
    old = client("POST", "/signing-keys", {"endpointId": endpoint_id}).body
    client.world.clock.instant += 1
    return old, client("POST", f"/signing-keys/{old['signingKeyId']}/rotate").body


def signs(call: Call, key: Any) -> bool:
    """Whether the key's signature is among those of the call."""
    given = {name.lower(): value for name, value in call.headers}
    at_ms = int(given["webhook-timestamp"]) * SECOND
    expected = signature_headers(given["webhook-id"], at_ms, call.body or b"", [key["secret"]])[-1][1]
    return expected in given["webhook-signature"].split(" ")


def calls(world: Any) -> list[Call]:
    return [call for _, call in world.outbound.calls]


def is_signed(call: Call) -> bool:
    return any(name == "webhook-signature" for name, _ in call.headers)


def listed(client: Client) -> list[str]:
    return [each["signingKeyId"] for each in client("GET", "/signing-keys").body["items"]]


def meanwhile(port: Any, name: str, act: Callable[[], Any], *, after: bool = False) -> None:
    """Once, right before or after the port's next call of that name, somebody else does something."""
    real = getattr(port, name)

    def once(*args: Any, **kwargs: Any) -> Any:
        setattr(port, name, real)
        answer = real(*args, **kwargs) if after else act()
        return (act(), answer)[1] if after else real(*args, **kwargs)

    setattr(port, name, once)


def fails(*_args: Any, **_kwargs: Any) -> Any:
    raise ConnectionError("no way there")


# Nothing is half done


@pytest.mark.parametrize("action", ["create", "rotate", "delete"])
def test_while_the_queue_is_down_keys_stay_as_they_are(world: Any, client: Client, action: str) -> None:
    endpoint = an_endpoint(world)
    key = client("POST", "/signing-keys", {}).body["signingKeyId"]
    before = (listed(client), repr(world.vault.shelves), len(world.trail.events))
    routes: dict[str, tuple[Any, ...]] = {
        "create": ("POST", "/signing-keys", {"endpointId": endpoint.id}),
        "rotate": ("POST", f"/signing-keys/{key}/rotate"),
        "delete": ("DELETE", f"/signing-keys/{key}"),
    }
    world.queue.send = fails
    refused: Answer = client(*routes[action])
    assert refused.status == 503 and "try again" in refused.body["detail"] and refused.headers["Retry-After"] == "10"
    assert (listed(client), repr(world.vault.shelves), len(world.trail.events)) == before


def test_an_api_that_runs_out_of_time_or_store_shows_the_key_and_the_second_look_goes_on(
    world: Any, client: Client
) -> None:
    endpoints = [an_endpoint(world, ManualBaseline(), job=a_job(world, name=f"job {n}")) for n in range(3)]
    states = world.endpoints.states

    def slow(*args: Any, **kwargs: Any) -> Any:
        world.clock.instant += 7 * SECOND
        return states(*args, **kwargs)

    world.endpoints.states = slow
    made = client("POST", "/signing-keys", {})
    world.endpoints.states = fails
    world.clock.instant += 1
    second = client("POST", f"/signing-keys/{made.body['signingKeyId']}/rotate")
    assert made.status == second.status == 201 and second.body["secret"]
    world.endpoints.states = states
    Stage(world).play_seconds(90)
    keys = (made.body["signingKeyId"], second.body["signingKeyId"])
    assert {world.endpoints.load(each.id).state.signers for each in endpoints} == {keys}


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_a_second_look_tells_all_that_it_can_and_comes_back_for_the_others(
    world: Any, client: Client, names: str
) -> None:
    jobs = {name: a_job(world, name=name) for name in "ab"}
    first, second = (an_endpoint(world, ManualBaseline(), job=jobs[name]) for name in names)
    save, states = world.endpoints.save, world.endpoints.states

    def refuses_one(before: Any, *rest: Any) -> Any:
        return fails() if before.id == first.id else save(before, *rest)

    world.endpoints.states = fails
    client("POST", "/signing-keys", {})
    world.endpoints.states, world.endpoints.save = states, refuses_one
    waiting = list(world.queue.waiting)
    with pytest.raises(Exception, match="acme"):
        Stage(world).play_seconds(46)
    signed = [client("GET", f"/endpoints/{each.id}").body["signedBy"] for each in (first, second)]
    assert signed == [None, "tenant"]
    world.endpoints.save, world.queue.waiting = save, waiting
    Stage(world).play_seconds(47)
    assert client("GET", f"/endpoints/{first.id}").body["signedBy"] == "tenant"


# Only live keys sign


def test_a_deleted_key_signs_no_more_although_its_secret_is_still_there_and_deleting_again_forgets_it(
    world: Any, client: Client
) -> None:
    an_endpoint(world)
    old, new = rotated(client)
    delete, world.vault.delete = world.vault.delete, fails
    with pytest.raises(ConnectionError):
        client("DELETE", f"/signing-keys/{old['signingKeyId']}")
    world.vault.delete = delete
    Stage(world).play_seconds(61)
    assert [signs(calls(world)[0], each) for each in (old, new)] == [False, True]
    assert sum(map(len, world.vault.shelves.values())) == 2
    assert Client(world, MALLORY)("DELETE", f"/signing-keys/{old['signingKeyId']}").status == 404
    answers = [client("DELETE", f"/signing-keys/{old['signingKeyId']}").status for _ in range(2)]
    assert answers == [204, 404] and listed(client) == [new["signingKeyId"]]
    assert [[*shelf] for shelf in world.vault.shelves.values()] == [[new["signingKeyId"]]]


def test_a_deleted_key_of_an_endpoint_is_forgotten_for_its_own_tenant_only(world: Any, client: Client) -> None:
    endpoint = an_endpoint(world)
    key = client("POST", "/signing-keys", {"endpointId": endpoint.id}).body["signingKeyId"]
    delete, world.vault.delete = world.vault.delete, fails
    with pytest.raises(ConnectionError):
        client("DELETE", f"/signing-keys/{key}")
    world.vault.delete = delete
    assert Client(world, MALLORY)("DELETE", f"/signing-keys/{key}").status == 404
    assert any(world.vault.shelves.values())
    assert client("DELETE", f"/signing-keys/{key}").status == 204 and not any(world.vault.shelves.values())
    for nonsense in ("sig_1", f"{key}x", key.replace("sig_", "key_"), "sig_" + "U" * 52):
        assert client("DELETE", f"/signing-keys/{nonsense}").status == 404


def test_a_secret_whose_key_was_never_noted_signs_nothing(world: Any, client: Client) -> None:
    an_endpoint(world)
    replace, world.signing_keys.replace = world.signing_keys.replace, fails
    with pytest.raises(ConnectionError):
        client("POST", "/signing-keys", {})
    world.signing_keys.replace = replace
    world.clock.instant += 1
    key = client("POST", "/signing-keys", {}).body
    stage = Stage(world)
    stage.play_seconds(61)
    assert signs(calls(world)[0], key) and dict(calls(world)[0].headers)["webhook-signature"].count("v1,") == 1
    del next(iter(world.vault.shelves.values()))[key["signingKeyId"]]
    stage.play_seconds(240)
    assert len(calls(world)) == 1


def test_the_last_secret_is_forgotten_only_when_its_endpoint_is_to_be_signed_no_more(
    world: Any, client: Client
) -> None:
    endpoint = an_endpoint(world)
    key = client("POST", "/signing-keys", {}).body["signingKeyId"]
    seen: list[Any] = []
    meanwhile(world.vault, "delete", lambda: seen.append(world.endpoints.load(endpoint.id).state.signed_by))
    assert client("DELETE", f"/signing-keys/{key}").status == 204 and seen == [None]


# Two at the same time


@pytest.mark.parametrize("route", ["/signing-keys", "/signing-keys/{key}/rotate"])
def test_of_two_that_add_a_key_at_the_same_time_one_is_told_so(world: Any, client: Client, route: str) -> None:
    endpoint, inner = an_endpoint(world), []
    body = {"endpointId": endpoint.id}
    key = client("POST", "/signing-keys", body).body["signingKeyId"] if "{key}" in route else None
    path, given = (route.format(key=key), None) if key else (route, body)
    world.clock.instant += 1
    meanwhile(world.signing_keys, "of_holder", lambda: inner.append(client("POST", path, given)), after=True)
    outer = client("POST", path, given)
    assert (inner[0].status, outer.status) == (201, 409) and "GET /signing-keys" in outer.body["detail"]
    (shelf,) = world.vault.shelves.values()
    expected = [*([key] if key else []), inner[0].body["signingKeyId"]]
    assert listed(client) == expected == [*shelf] == list(world.endpoints.load(endpoint.id).state.signers)


def test_a_write_whose_answer_was_lost_is_not_taken_for_somebody_elses(world: Any, client: Client) -> None:
    endpoint, replace = an_endpoint(world), world.signing_keys.replace

    def repeated(*args: Any) -> None:
        replace(*args)
        raise WriteRaced("it stands there already")

    world.signing_keys.replace = repeated
    made = client("POST", "/signing-keys", {"endpointId": endpoint.id})
    assert made.status == 201 and client("DELETE", f"/signing-keys/{made.body['signingKeyId']}").status == 204
    assert listed(client) == [] and not any(world.vault.shelves.values())


def test_a_key_that_is_deleted_while_another_is_added_leaves_the_other(world: Any, client: Client) -> None:
    endpoint, added = an_endpoint(world), []
    key = client("POST", "/signing-keys", {"endpointId": endpoint.id}).body["signingKeyId"]
    world.clock.instant += 1
    rotate = lambda: added.append(client("POST", f"/signing-keys/{key}/rotate").body["signingKeyId"])  # noqa: E731
    meanwhile(world.signing_keys, "replace", rotate)
    assert client("DELETE", f"/signing-keys/{key}").status == 204
    assert listed(client) == added == list(world.endpoints.load(endpoint.id).state.signers)


def test_an_endpoint_whose_key_is_deleted_and_made_anew_at_the_same_time_is_signed(world: Any, client: Client) -> None:
    endpoint, made = an_endpoint(world), []
    body = {"endpointId": endpoint.id}
    key = client("POST", "/signing-keys", body).body["signingKeyId"]
    save = world.endpoints.save

    def overtaken(*args: Any) -> Any:
        world.endpoints.save = save
        world.clock.instant += 1
        made.append(client("POST", "/signing-keys", body).body)
        return save(*args)

    world.endpoints.save = overtaken
    assert client("DELETE", f"/signing-keys/{key}").status == 204
    assert world.endpoints.load(endpoint.id).state.signers == (made[0]["signingKeyId"],)
    Stage(world).play_seconds(61)
    assert signs(calls(world)[0], made[0])


def test_a_key_that_comes_while_endpoints_are_told_of_another_is_noticed(world: Any, client: Client) -> None:
    endpoints = [an_endpoint(world, job=a_job(world, name=name)) for name in "ab"]
    now = world.clock.now()
    own = [
        SigningKey(key_id=key_id(each.id, now, b"x" * 10), tenant_id="acme", created_at=now, endpoint_id=each.id)
        for each in endpoints
    ]

    def others_die_after_writing() -> None:
        for key in own:
            world.signing_keys.replace((), [key])

    # They die when the walk has told those of one job and read the states of the other.
    meanwhile(world.endpoints, "states", lambda: meanwhile(world.endpoints, "states", others_die_after_writing))
    client("POST", "/signing-keys", {})
    assert [world.endpoints.load(each.id).state.signers for each in endpoints] == [(key.key_id,) for key in own]


# What is left behind


def test_a_deleted_endpoint_takes_its_own_keys_with_it_and_leaves_those_of_the_tenant(
    world: Any, client: Client
) -> None:
    tenants = client("POST", "/signing-keys", {}).body["signingKeyId"]
    endpoint = an_endpoint(world)
    rotated(client, endpoint.id)
    assert client("DELETE", f"/endpoints/{endpoint.id}").status == 204
    assert listed(client) == [tenants]
    assert [[*shelf] for shelf in world.vault.shelves.values() if shelf] == [[tenants]]
    told = [each["action"] for each in client("GET", f"/endpoints/{endpoint.id}/events").body["items"]]
    assert told.count("deleteSigningKey") == 2


def test_an_endpoint_is_deleted_although_its_keys_can_not_be_and_they_can_be_later(world: Any, client: Client) -> None:
    endpoint = an_endpoint(world)
    key = client("POST", "/signing-keys", {"endpointId": endpoint.id}).body["signingKeyId"]
    delete, world.vault.delete = world.vault.delete, fails
    delete_endpoint(world, ANNE, endpoint.id)
    world.vault.delete = delete
    assert world.telemetry.warnings == ["signing keys not deleted"] and listed(client) == [key]
    assert client("DELETE", f"/signing-keys/{key}").status == 204
    assert not any(world.vault.shelves.values()) and listed(client) == []
