"""What every store promises of API keys and of idempotent requests. Each test runs over memory and over DynamoDB."""

from typing import Any

import pytest

from rubato.domain.access import ALL_SCOPES, ApiKey
from rubato.domain.audit import Event
from rubato.domain.errors import NotFound, WriteRaced
from rubato.domain.hints import Actor, ActorKind
from rubato.domain.idempotency import Reservation, Standing
from rubato.domain.instant import DAY, HOUR, SECOND
from rubato.usecases.manage_keys import list_keys, revoke_key
from tests.worlds import MALLORY, MIDNIGHT, a_key

ANSWER: dict[str, Any] = {"z": 1, "name": "ü ✓", "apiKey": None, "deep": {"b": [1.5, {}], "a": "", "c": True}}


def service_key(world: Any, tenant: str = "acme", expires_at: int | None = None) -> ApiKey:
    key, _ = a_key(world, tenant, label="ci", kind=ActorKind.SERVICE, scopes=ALL_SCOPES, expires_at=expires_at)
    return key


def revoked(key: ApiKey, at: int, number: int = 1) -> Event:
    return Event(
        event_id=f"ev_{number}",
        subject=key.key_id,
        tenant_id=key.tenant_id,
        at=at,
        actor=Actor(id="key_anne", kind=ActorKind.HUMAN),
        action="revokeApiKey",
        before={},
        after={},
    )


def reservation(holder: str = "a", fingerprint: str = "f", now: int = MIDNIGHT) -> Reservation:
    return Reservation(request_id="request", fingerprint=fingerprint, holder=holder, expires_at=now + 30 * SECOND)


def stored(world: Any, key: ApiKey) -> ApiKey:
    found: ApiKey | None = world.keys.get(key.key_id)
    assert found is not None
    return found


def test_a_key_comes_back_as_it_was_stored(world: Any) -> None:
    for expires_at in (None, MIDNIGHT + DAY):
        key = service_key(world, expires_at=expires_at)
        assert stored(world, key) == key
    assert world.keys.get("key_unknown") is None


def test_keys_are_listed_by_tenant_newest_first_in_pages(world: Any) -> None:
    mine = []
    for _ in range(4):
        world.clock.instant += 1
        mine.append(service_key(world))
        service_key(world, "evil")
    first = list_keys(world, "acme", 2)
    second = list_keys(world, "acme", 2, first.next)
    assert [*first.items, *second.items] == mine[::-1]
    assert first.next is not None and second.next is None
    assert list_keys(world, "nobody", 2).items == ()


def test_a_revoked_key_stays_revoked_from_the_first_time_on(world: Any) -> None:
    key = service_key(world)
    revoke_key(world, key.key_id)
    world.clock.instant += 1000
    revoke_key(world, key.key_id)
    assert stored(world, key).revoked_at == MIDNIGHT and not stored(world, key).is_valid(world.clock.now())
    with pytest.raises(NotFound):
        revoke_key(world, "key_unknown")
    with pytest.raises(NotFound):
        revoke_key(world, key.key_id, MALLORY)


def test_a_key_and_its_events_are_written_together_or_not_at_all(world: Any) -> None:
    key = service_key(world)
    revoke_key(world, key.key_id)
    with pytest.raises(WriteRaced):
        world.keys.revoke(key.key_id, revoked(key, MIDNIGHT + 1))
    events = world.trail.of_subject(key.key_id, 10, None).items
    assert sorted(event.action for event in events) == ["createApiKey", "revokeApiKey"]


def test_a_key_that_is_not_there_is_not_made_by_revoking_or_using_it(world: Any) -> None:
    key = service_key(world)
    gone = ApiKey(**{**{f: getattr(key, f) for f in ApiKey.__slots__}, "key_id": "key_gone"})
    with pytest.raises(WriteRaced):
        world.keys.revoke(gone.key_id, revoked(gone, MIDNIGHT))
    world.keys.record_use(gone.key_id, MIDNIGHT, MIDNIGHT - HOUR)
    assert world.keys.get(gone.key_id) is None
    assert world.trail.of_subject(gone.key_id, 10, None).items == ()


def test_a_use_is_noted_unless_a_later_one_stands_there(world: Any) -> None:
    key = service_key(world)
    for at, noted in ((0, 0), (HOUR - 1, 0), (HOUR, HOUR), (HOUR, HOUR)):
        world.keys.record_use(key.key_id, MIDNIGHT + at, MIDNIGHT + at - HOUR)
        assert stored(world, key).last_used_at == MIDNIGHT + noted


def test_noting_a_use_does_not_revive_a_revoked_key(world: Any) -> None:
    key = service_key(world)
    revoke_key(world, key.key_id)
    world.keys.record_use(key.key_id, MIDNIGHT + 1, MIDNIGHT - HOUR)
    assert stored(world, key).revoked_at == MIDNIGHT


def test_only_the_first_of_two_reserves_a_request(world: Any) -> None:
    store = world.idempotency
    assert store.reserve(reservation("a", "mine"), MIDNIGHT) is None
    assert store.reserve(reservation("b", "other"), MIDNIGHT) == Standing(fingerprint="mine")


def test_a_holder_whose_reservation_arrives_twice_holds_it(world: Any) -> None:
    for _ in range(2):
        assert world.idempotency.reserve(reservation("a"), MIDNIGHT) is None


def test_a_kept_answer_comes_back_as_it_was_and_in_its_order(world: Any) -> None:
    store, mine = world.idempotency, reservation()
    store.reserve(mine, MIDNIGHT)
    store.keep(mine, ANSWER, MIDNIGHT + DAY)
    found = store.reserve(reservation("b"), MIDNIGHT + DAY - 1)
    assert found == Standing(fingerprint="f", answer=ANSWER)
    assert list(found.answer) == list(ANSWER) and list(found.answer["deep"]) == ["b", "a", "c"]


def test_an_expired_reservation_or_answer_counts_for_nothing(world: Any) -> None:
    store, first = world.idempotency, reservation("a")
    store.reserve(first, MIDNIGHT)
    second = reservation("b", now=MIDNIGHT + 30 * SECOND)
    assert store.reserve(second, MIDNIGHT + 30 * SECOND) is None
    store.keep(second, ANSWER, MIDNIGHT + DAY)
    assert store.reserve(reservation("c", "new", MIDNIGHT + DAY), MIDNIGHT + DAY) is None
    assert store.reserve(reservation("d", "new"), MIDNIGHT + DAY) == Standing(fingerprint="new")


def test_a_released_request_may_be_reserved_again(world: Any) -> None:
    store = world.idempotency
    store.reserve(reservation("a"), MIDNIGHT)
    store.release(reservation("a"))
    assert store.reserve(reservation("b"), MIDNIGHT) is None


def test_who_has_lost_a_reservation_neither_answers_nor_releases_for_the_new_holder(world: Any) -> None:
    store, late, now = world.idempotency, reservation("a"), MIDNIGHT + 30 * SECOND
    store.reserve(late, MIDNIGHT)
    store.reserve(reservation("b", now=now), now)
    store.keep(late, {"stale": True}, MIDNIGHT + DAY)
    store.release(late)
    assert store.reserve(reservation("c", now=now), now) == Standing(fingerprint="f")
    store.release(reservation("never"))
