"""Signed requests: what a receiver can verify, while keys come, change and go."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from rubato.domain.endpoint import TargetRequest
from rubato.domain.exchange import Call, Reply
from rubato.domain.instant import SECOND
from rubato.domain.schedule import ManualBaseline
from rubato.domain.signing import is_secret, mint_secret, signature_headers
from tests.unit.clients import Client
from tests.unit.servers import send, serving
from tests.unit.test_http import ENDPOINT
from tests.unit.test_signing_keys import rotated
from tests.worlds import ANNE, MALLORY, MIDNIGHT, MemoryWorld, Stage, a_job, an_endpoint

BODY = {"type": "user.created", "data": {"name": "Jörg €"}}


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def client(world: MemoryWorld) -> Client:
    return Client(world)


def signed_endpoint(world: MemoryWorld, **config: Any) -> Any:
    request = TargetRequest(url="http://127.0.0.1/hook", method="POST", body=BODY)
    return an_endpoint(world, **{"request": request, **config})


def calls(world: MemoryWorld) -> list[Call]:
    return [call for _, call in world.outbound.calls]


def verifies(call: Call, secret: str) -> bool:
    """As a receiver does it, except that its clock is the test's."""
    headers = {name.lower(): value for name, value in call.headers}
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    expected = Webhook(secret).sign(headers["webhook-id"], at, (call.body or b"").decode())
    return expected in headers["webhook-signature"].split(" ")


def spoil(shelf: dict[str, str]) -> None:
    """Somebody writes there by hand."""
    shelf.update(dict.fromkeys(shelf, "not a key"))


def test_a_signature_is_what_the_public_library_expects() -> None:
    now = int(datetime.now(UTC).timestamp())
    secret = mint_secret(bytes(range(32)))
    for body in (b"", b'{"a":1}', "Jörg €".encode()):
        headers = dict(signature_headers("run_1", now * 1000 + 999, body, [secret]))
        Webhook(secret).verify(body, headers, json_parse=False)
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body + b"x", headers, json_parse=False)
        with pytest.raises(WebhookVerificationError):
            Webhook(mint_secret(bytes(32))).verify(body, headers, json_parse=False)
    assert headers["webhook-timestamp"] == str(now)


def test_what_is_no_secret_does_not_sign() -> None:
    assert is_secret(mint_secret(bytes(24))) and is_secret(mint_secret(bytes(64)))
    assert not any(map(is_secret, ("", "whsec_", "whsec_%%%", "c2VjcmV0", "whsec_AA==")))
    assert not is_secret(mint_secret(bytes(23))) and not is_secret(mint_secret(bytes(65)))


def test_a_key_of_the_tenant_signs_endpoints_that_are_there_and_those_that_come(
    world: MemoryWorld, client: Client
) -> None:
    signed_endpoint(world, name="before")
    made = client("POST", "/signing-keys", {})
    assert made.status == 201 and made.body["endpointId"] is None and made.body["secret"].startswith("whsec_")
    after = client("POST", f"/jobs/{a_job(world).job_id}/endpoints", ENDPOINT).body
    assert after["signedBy"] == "tenant"
    theirs = an_endpoint(world, caller=MALLORY)
    Stage(world).play_seconds(61)
    assert len(calls(world)) == 3
    unsigned = [call for call in calls(world) if "webhook-id" not in dict(call.headers)]
    assert [dict(call.headers)["Rubato-Run-Id"][4:30] for call in unsigned] == [theirs.id[3:]]
    assert all(verifies(call, made.body["secret"]) for call in calls(world) if call not in unsigned)


def test_every_attempt_carries_the_same_id_and_its_own_time(world: MemoryWorld, client: Client) -> None:
    job = a_job(world)
    made = client("POST", f"/jobs/{job.job_id}/endpoints", {**ENDPOINT, "retry": {"maxAttempts": 3, "backoffMs": 0}})
    secret = client("POST", "/signing-keys", {"endpointId": made.body["endpointId"]}).body["secret"]
    world.outbound.answer = lambda _: Reply(duration_ms=0, status_code=503)
    world.outbound.takes_ms = 2000
    Stage(world).play_seconds(75)
    sent = [dict(call.headers) for call in calls(world)]
    assert len(sent) == 3 and {each["webhook-id"] for each in sent} == {sent[0]["Rubato-Run-Id"]}
    times = [int(each["webhook-timestamp"]) for each in sent]
    assert times == sorted(set(times)) and times[0] == MIDNIGHT // SECOND + 60
    assert all(verifies(call, secret) for call in calls(world))
    run = client("GET", f"/runs/{sent[0]['webhook-id']}").body
    assert run["request"]["headers"]["webhook-signature"] == "***"
    assert run["request"]["headers"]["webhook-id"] == run["runId"]


def test_while_keys_are_exchanged_both_sign_and_the_old_one_ends_alone(world: MemoryWorld, client: Client) -> None:
    endpoint = signed_endpoint(world)
    old = client("POST", "/signing-keys", {"endpointId": endpoint.id}).body
    world.clock.instant += 1
    new = client("POST", f"/signing-keys/{old['signingKeyId']}/rotate").body
    assert new["endpointId"] == endpoint.id
    third = client("POST", f"/signing-keys/{new['signingKeyId']}/rotate")
    assert third.status == 409 and old["signingKeyId"] in third.body["detail"]
    assert client("POST", "/signing-keys", {"endpointId": endpoint.id}).status == 409
    stage = Stage(world)
    stage.play_seconds(61)
    assert dict(calls(world)[0].headers)["webhook-signature"].count("v1,") == 2
    assert all(verifies(calls(world)[0], each["secret"]) for each in (old, new))
    first, *_ = dict(calls(world)[0].headers)["webhook-signature"].split(" ")
    newest_first = replace(calls(world)[0], headers=(*calls(world)[0].headers, ("webhook-signature", first)))
    assert verifies(newest_first, new["secret"]) and not verifies(newest_first, old["secret"])
    assert client("DELETE", f"/signing-keys/{old['signingKeyId']}").status == 204
    assert client("DELETE", f"/signing-keys/{old['signingKeyId']}").status == 404
    stage.play_seconds(121)
    assert [verifies(calls(world)[1], each["secret"]) for each in (old, new)] == [False, True]
    assert [each["signingKeyId"] for each in client("GET", "/signing-keys").body["items"]] == [new["signingKeyId"]]


def test_an_endpoints_own_key_goes_before_that_of_its_tenant_and_without_any_nothing_is_signed(
    world: MemoryWorld, client: Client
) -> None:
    endpoint = signed_endpoint(world)
    tenants = client("POST", "/signing-keys", {}).body
    own = client("POST", "/signing-keys", {"endpointId": endpoint.id}).body
    stage = Stage(world)
    for seconds, key, signer in ((61, own, "tenant"), (121, tenants, None)):
        stage.play_seconds(seconds)
        assert verifies(calls(world)[-1], key["secret"])
        assert client("DELETE", f"/signing-keys/{key['signingKeyId']}").status == 204
        assert client("GET", f"/endpoints/{endpoint.id}").body["signedBy"] == signer
    stage.play_seconds(181)
    assert "webhook-id" not in dict(calls(world)[-1].headers) and len(calls(world)) == 3
    assert not any(world.vault.shelves.values())


@pytest.mark.parametrize(
    ("harm", "said", "counts"),
    [
        (lambda world: setattr(world.vault, "failing", "AccessDeniedException"), "AccessDeniedException", 0),
        (lambda world: world.vault.shelves.clear(), "is gone", 1),
        (lambda world: spoil(*world.vault.shelves.values()), "is none", 1),
    ],
)
def test_without_a_key_that_can_be_read_nobody_is_called_and_the_run_says_why(
    world: MemoryWorld, client: Client, harm: Any, said: str, counts: int
) -> None:
    endpoint = signed_endpoint(world)
    client("POST", "/signing-keys", {})
    harm(world)
    Stage(world).play_seconds(61)
    (run,) = client("GET", "/runs", query={"endpointId": endpoint.id}).body["items"]
    assert calls(world) == [] and (run["status"], run["errorKind"]) == ("failure", "config")
    assert said in run["errorMessage"] and "docs/operations.md" in run["errorMessage"]
    assert "dispatched" not in world.telemetry.counts
    assert client("GET", f"/endpoints/{endpoint.id}").body["failureCount"] == counts


def test_headers_of_a_signature_are_not_the_users_to_set_once_a_key_signs(world: MemoryWorld, client: Client) -> None:
    job = a_job(world).job_id
    own = {**ENDPOINT, "request": {"url": "http://127.0.0.1/", "headers": {"Webhook-Id": "mine"}}}
    first = client("POST", f"/jobs/{job}/endpoints", own)
    assert first.status == 201
    refused = client("POST", "/signing-keys", {"endpointId": first.body["endpointId"]})
    assert refused.status == 422 and refused.paths() == ["request.headers.Webhook-Id"]
    secret = client("POST", "/signing-keys", {}).body["secret"]
    assert client("POST", f"/jobs/{job}/endpoints", {**own, "name": "second"}).status == 422
    path = f"/endpoints/{first.body['endpointId']}"
    assert client("PATCH", path, {"request": {"headers": {"webhook-timestamp": "1"}}}).status == 422
    assert client("PATCH", path, {"timeoutMs": 5000}).status == 200
    Stage(world).play_seconds(61)
    (call,) = calls(world)
    assert [name for name, _ in call.headers if name.lower() == "webhook-id"] == ["webhook-id"]
    assert verifies(call, secret)


def test_another_tenant_neither_sees_nor_touches_a_key(world: MemoryWorld, client: Client) -> None:
    endpoint = signed_endpoint(world)
    key = client("POST", "/signing-keys", {"endpointId": endpoint.id}).body["signingKeyId"]
    mallory = Client(world, MALLORY)
    assert mallory("POST", "/signing-keys", {"endpointId": endpoint.id}).status == 404
    assert mallory("POST", f"/signing-keys/{key}/rotate").status == 404
    assert mallory("DELETE", f"/signing-keys/{key}").status == 404
    assert mallory("GET", "/signing-keys").body["items"] == []


def test_a_secret_is_shown_once_and_kept_nowhere_but_in_the_vault(world: MemoryWorld, client: Client) -> None:
    key = {"idempotency-key": "once"}
    made = client("POST", "/signing-keys", {}, headers=key).body
    again = client("POST", "/signing-keys", {}, headers=key).body
    assert again == {**made, "secret": None}
    listed = client("GET", "/signing-keys").text
    plain = made["secret"].removeprefix("whsec_")
    assert plain not in listed and plain not in repr(world.trail.events) and plain not in repr(vars(world.idempotency))


def test_an_api_that_died_half_way_is_made_good_by_the_second_look(
    world: MemoryWorld, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = signed_endpoint(world, baseline=ManualBaseline())
    with monkeypatch.context() as dying:
        dying.setattr("rubato.usecases.manage_signing_keys.follow_signing_for_now", lambda *_: None)
        client("POST", "/signing-keys", {})
    assert client("GET", f"/endpoints/{endpoint.id}").body["signedBy"] is None
    Stage(world).play_seconds(46)
    assert client("GET", f"/endpoints/{endpoint.id}").body["signedBy"] == "tenant"


def test_marking_an_endpoint_moves_neither_its_version_nor_its_next_run(world: MemoryWorld, client: Client) -> None:
    before = client("GET", f"/endpoints/{signed_endpoint(world).id}").body
    world.clock.instant += 7 * SECOND
    client("POST", "/signing-keys", {})
    after = client("GET", f"/endpoints/{before['endpointId']}").body
    assert after == {**before, "signedBy": "tenant"}


SIGNED = (("webhook-id", "run_1"), ("webhook-timestamp", "1"), ("webhook-signature", "v1,x"), ("X-Mine", "told"))


@pytest.mark.parametrize(("status", "kept"), [(307, True), (303, False)])
def test_a_redirect_within_the_origin_keeps_the_signature_with_the_body_that_it_signs(status: int, kept: bool) -> None:
    hop = f"HTTP/1.1 {status} Go\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n".encode()
    with serving(hop, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as server:
        assert send(server.url("/hook"), method="POST", headers=SIGNED, body=b"{}").status_code == 200
    assert (b"webhook-signature" in server.requests[1].lower()) is kept
    assert (b"{}" in server.requests[1]) is kept and b"x-mine" in server.requests[1].lower()


def test_a_redirect_to_another_origin_carries_neither_signature_nor_secret() -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with serving(ok) as other:
        hop = f"HTTP/1.1 307 Go\r\nLocation: {other.url('/there')}\r\nContent-Length: 0\r\n\r\n".encode()
        with serving(hop) as server:
            away: dict[str, Any] = {"method": "POST", "headers": (*SIGNED, ("X-Plain", "hunter2")), "body": b"{}"}
            assert send(server.url(), **away, confidential_headers=frozenset({"x-plain"})).status_code == 200
            (request,) = other.requests
            assert b"webhook-" not in request.lower() and b"hunter2" not in request and b"told" in request
            blocked = send(server.url(), **away, confidential_body=True)
    assert blocked.error_kind == "blocked" and "holds a secret" in str(blocked.error_message)
    assert len(other.requests) == 1


def test_a_signature_that_a_target_repeats_is_hidden(world: MemoryWorld, client: Client) -> None:
    made = client("POST", f"/jobs/{a_job(world).job_id}/endpoints", ENDPOINT).body
    rotated(client)
    sent: list[str] = []

    def repeats(call: Call) -> Reply:
        sent.extend(dict(call.headers)["webhook-signature"].replace("v1,", "").split(" "))
        return Reply(duration_ms=0, status_code=200, body=f"you sent {' and '.join(sent)}".encode())

    world.outbound.answer = repeats
    Stage(world).play_seconds(61)
    (run,) = client("GET", "/runs", query={"endpointId": made["endpointId"]}).body["items"]
    shown = client("GET", f"/runs/{run['runId']}").body
    assert shown["response"]["body"] == "you sent *** and ***"
    assert len(sent) == 2 and not any(each in str(shown) for each in sent)


def test_the_audit_trail_tells_of_keys_without_telling_them(world: MemoryWorld, client: Client) -> None:
    endpoint = signed_endpoint(world)
    key = client("POST", "/signing-keys", {"endpointId": endpoint.id}).body
    client("DELETE", f"/signing-keys/{key['signingKeyId']}")
    events = client("GET", f"/endpoints/{endpoint.id}/events").body["items"]
    assert {each["action"] for each in events} >= {"createSigningKey", "deleteSigningKey"}
    assert key["secret"] not in json.dumps(events) and ANNE.key_id in json.dumps(events)
