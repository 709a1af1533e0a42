"""Secrets and signing keys: names in the store, values in the vault."""

import base64
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from rubato.adapters.ssm import SsmVault, open_client
from rubato.domain.audit import Event
from rubato.domain.errors import Unreadable, WriteRaced
from rubato.domain.hints import Actor, ActorKind
from rubato.domain.hosts import ANYWHERE
from rubato.domain.secrets import MAX_BYTES, Secret
from rubato.domain.signing import SigningKey, key_id
from tests.worlds import MIDNIGHT


def event(number: int, subject: str = "job_1") -> Event:
    return Event(
        event_id=f"ev_{number}",
        subject=subject,
        tenant_id="acme",
        at=MIDNIGHT,
        actor=Actor(id="key_anne", kind=ActorKind.HUMAN),
        action="putSecret",
        before={},
        after={"name": "TOKEN"},
    )


def secret(name: str, at: int = MIDNIGHT, job_id: str = "job_1", hosts: tuple[str, ...] = ANYWHERE) -> Secret:
    return Secret(job_id=job_id, tenant_id="acme", name=name, updated_at=at, hosts=hosts)


def key(number: int, endpoint_id: str | None = None, tenant_id: str = "acme") -> SigningKey:
    made = key_id(endpoint_id, MIDNIGHT + number, bytes(10))
    return SigningKey(key_id=made, tenant_id=tenant_id, endpoint_id=endpoint_id, created_at=MIDNIGHT + number)


def test_a_secret_is_listed_by_name_replaced_and_forgotten(world: Any) -> None:
    for number, each in enumerate((secret("b"), secret("A"), secret("c", job_id="job_2"))):
        world.secrets.put(each, None, event(number))
    world.secrets.put(secret("b", MIDNIGHT + 1), secret("b"), event(3))
    assert world.secrets.of_job("job_1") == [secret("A"), secret("b", MIDNIGHT + 1)]
    world.secrets.delete(secret("b", MIDNIGHT + 1), event(5))
    assert [each.name for each in world.secrets.of_job("job_1")] == ["A"]
    with pytest.raises(WriteRaced):
        world.secrets.delete(secret("b", MIDNIGHT + 1), event(6))
    assert {each.event_id for each in world.trail.of_subject("job_1", 20, None).items} == {
        "ev_0", "ev_1", "ev_2", "ev_3", "ev_5"
    }  # fmt: skip


def test_a_secret_is_replaced_only_by_who_knows_whom_it_was_for(world: Any) -> None:
    hosts = ("api.example.com", "http://*.example.com:81")
    free, bound, other = secret("A"), secret("A", hosts=hosts), secret("A", hosts=("b.example",))
    world.secrets.put(free, None, event(0))
    for before in (None, bound, secret("A", MIDNIGHT + 1)):
        with pytest.raises(WriteRaced):
            world.secrets.put(other, before, event(1))
    world.secrets.put(bound, free, event(2))
    assert world.secrets.of_job("job_1") == [bound]
    for before in (None, free, other):
        with pytest.raises(WriteRaced):
            world.secrets.put(other, before, event(3))
    world.secrets.put(free, bound, event(4))
    assert world.secrets.of_job("job_1") == [free]
    assert {each.event_id for each in world.trail.of_subject("job_1", 20, None).items} == {"ev_0", "ev_2", "ev_4"}


def test_a_secret_that_is_held_is_changed_and_forgotten_only_by_who_holds_it(world: Any) -> None:
    free = secret("A")
    held, others = replace(free, held_until=MIDNIGHT + 5), replace(free, held_until=MIDNIGHT + 6)
    world.secrets.put(free, None, event(0))
    world.secrets.put(held, free, None)
    assert world.secrets.of_job("job_1") == [held]
    for before in (None, free, others):
        with pytest.raises(WriteRaced):
            world.secrets.put(others, before, event(1))
    for stale in (free, others):
        with pytest.raises(WriteRaced):
            world.secrets.delete(stale, event(2))
    world.secrets.delete(held, None)
    assert world.secrets.of_job("job_1") == []
    assert len(world.trail.of_subject("job_1", 20, None).items) == 1


def test_signing_keys_are_listed_by_holder_oldest_first_and_page_by_page(world: Any) -> None:
    endpoint = "ep_01JGFJJZ00000000000000000A"
    keys = [key(1), key(2), key(3, endpoint), key(4, endpoint)]
    other = key(5, tenant_id="other")
    for number, theirs in enumerate((keys[2:], keys[:2], [other])):
        world.signing_keys.replace((), theirs, event(number))
    for limit in (1, 3, 4):
        listed, page = [], world.signing_keys.list("acme", limit, None)
        while page.next is not None:
            listed += page.items
            page = world.signing_keys.list("acme", limit, page.next)
        assert [*listed, *page.items] == keys
    assert world.signing_keys.of_holder("acme", None) == tuple(keys[:2])
    assert world.signing_keys.of_holder("acme", endpoint) == tuple(keys[2:])
    assert world.signing_keys.of_holder("other", endpoint) == ()
    assert world.signing_keys.list("other", 10, None).items == (other,)


def test_signing_keys_are_replaced_only_by_who_knows_which_there_are(world: Any) -> None:
    one, two, three = key(1), key(2), key(3)
    world.signing_keys.replace((), [one], event(1))
    for before, after in (((), [two]), ([two], []), ([one, two], [three])):
        with pytest.raises(WriteRaced):
            world.signing_keys.replace(before, after, event(9))
    world.signing_keys.replace([one], [one, two], event(2))
    with pytest.raises(WriteRaced):
        world.signing_keys.replace([one], [one, three], event(9))
    world.signing_keys.replace([one, two], [], event(3), event(4))
    with pytest.raises(WriteRaced):
        world.signing_keys.replace([one, two], [], event(9))
    assert world.signing_keys.list("acme", 10, None).items == () == world.signing_keys.of_holder("acme", None)
    told = {each.event_id for each in world.trail.of_subject("job_1", 20, None).items}
    assert told == {"ev_1", "ev_2", "ev_3", "ev_4"}


VALUES = ["plain", "{{ssm:other}} {{secret:X}}", "ümläut €", "two\nlines\r\n", " outer space ", '"\\', "x" * MAX_BYTES]


def test_a_value_comes_out_of_the_vault_as_it_went_in(world: Any) -> None:
    for number, value in enumerate(VALUES):
        world.vault.put("secrets/job_1", f"N{number}", value)
    expected = {f"N{number}": value for number, value in enumerate(VALUES)}
    assert world.vault.read("secrets/job_1", [*expected, "MISSING"]) == expected
    world.vault.put("secrets/job_1", "N0", "newer")
    assert world.vault.read("secrets/job_1", ["N0"]) == {"N0": "newer"}
    assert world.vault.delete("secrets/job_1", "N0") is True
    assert world.vault.delete("secrets/job_1", "N0") is False
    assert world.vault.read("secrets/job_1", ["N0", "N1"]) == {"N1": VALUES[1]}
    assert world.vault.read("secrets/job_10", ["N1"]) == {}


def test_more_than_ten_values_are_read_too_and_none_of_their_neighbours(world: Any) -> None:
    for number in range(12):
        world.vault.put("signing/ep_1", f"sig_{number:02}", f"value {number}")
    world.vault.put("signing/ep_10", "sig_0", "another's")
    names = [f"sig_{n:02}" for n in range(12)]
    assert world.vault.read("signing/ep_1", names) == {f"sig_{n:02}": f"value {n}" for n in range(12)}
    assert world.vault.read("signing/ep_1", ["sig_0", "sig_03"]) == {"sig_03": "value 3"}
    assert world.vault.read("signing/ep_2", names) == {}


@mock_aws
def test_what_somebody_wrote_into_the_vault_by_hand_is_not_taken_for_a_value() -> None:
    store = boto3.client("ssm", region_name="eu-central-1")
    vault = SsmVault(lambda: open_client("eu-central-1"), "test")
    good = base64.b64encode(b"good").decode()
    for name, value in (("GOOD", good), ("ODD", f"{good[:4]}!{good[4:]}")):
        store.put_parameter(Name=f"/rubato/test/secrets/j/{name}", Value=value, Type="SecureString")
    assert vault.read("secrets/j", ["GOOD"]) == {"GOOD": "good"}
    with pytest.raises(Unreadable, match="NotBase64"):
        vault.read("secrets/j", ["ODD"])
