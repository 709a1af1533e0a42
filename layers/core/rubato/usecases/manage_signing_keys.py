"""Create, rotate, list and delete the keys that sign requests. Nothing in here reads a secret.

A holder is an endpoint or the whole tenant. Its first key begins the signing, its last one ends it.
"""

from collections.abc import Sequence

from rubato.domain import signing
from rubato.domain.access import Caller
from rubato.domain.audit import Event
from rubato.domain.errors import Conflict, NotFound, WriteRaced
from rubato.domain.signing import MAX_LIVE_KEYS, SigningKey
from rubato.ports import Page, World
from rubato.usecases.follow_signing import follow_signing_for_now, promise_to_follow_signing
from rubato.usecases.lookup import find_endpoint
from rubato.usecases.record_event import event_by
from rubato.usecases.replan import MAX_TRIES

_SECRET_BYTES = 32

Keys = Sequence[SigningKey]


def create_signing_key(world: World, caller: Caller, endpoint_id: str | None) -> tuple[SigningKey, str]:
    """The first key of the endpoint or, for None, of the tenant, and its secret, which is given this once.

    Raises NotFound for an endpoint that is not there, Conflict when the holder has a key or somebody else changes its
    keys at the same time, and Unavailable when nobody can promise that the endpoints will follow.
    """
    if endpoint_id is not None:
        signing.check_headers(find_endpoint(world, caller, endpoint_id).config.request.headers)
    keys = world.signing_keys.of_holder(caller.tenant_id, endpoint_id)
    if keys:
        raise Conflict(f"there is a key: {keys[0].key_id}; POST /signing-keys/{keys[0].key_id}/rotate adds the next")
    return _add(world, caller, endpoint_id, keys, "createSigningKey")


def rotate_signing_key(world: World, caller: Caller, key_id: str) -> tuple[SigningKey, str]:
    """A second key of the same holder; both sign until one is deleted. Raises as creating does, Conflict at two."""
    holder = signing.holder_of(key_id)
    keys = world.signing_keys.of_holder(caller.tenant_id, holder)
    if not _has(keys, key_id):
        raise NotFound("signing key", key_id)
    if len(keys) >= MAX_LIVE_KEYS:
        raise Conflict(f"two keys sign already; DELETE /signing-keys/{keys[0].key_id}, the older one, first")
    return _add(world, caller, holder, keys, "rotateSigningKey")


def list_signing_keys(world: World, caller: Caller, limit: int, after: str | None) -> Page[SigningKey]:
    """The tenant's own first, then those of endpoints."""
    return world.signing_keys.list(caller.tenant_id, limit, after)


def delete_signing_key(world: World, caller: Caller, key_id: str) -> None:
    """It signs no more, within a minute; without its last key a holder signs nothing.

    Repeating it finishes one that died before the secret was forgotten. Raises NotFound, Unavailable, and Conflict
    under endless races.
    """
    holder = signing.holder_of(key_id)
    keys = world.signing_keys.of_holder(caller.tenant_id, holder)
    if not _has(keys, key_id):
        return _forget_unlisted(world, caller, key_id)
    promise_to_follow_signing(world, caller.tenant_id)
    _take_away(world, caller, key_id, keys)
    follow_signing_for_now(world, caller.tenant_id, holder)
    # Not before: an endpoint that is to be signed, and finds no key, does not run.
    _forget_secret(world, caller, key_id)
    return None


def forget_signing_keys(world: World, caller: Caller, endpoint_id: str) -> None:
    """The keys of an endpoint that was deleted go with it. Raises nothing: what is left stays listed, to be deleted."""
    try:
        keys = world.signing_keys.of_holder(caller.tenant_id, endpoint_id)
        for key in keys:
            _forget_secret(world, caller, key.key_id)
        if keys:
            world.signing_keys.replace(keys, (), *(_deleted(world, caller, key.key_id) for key in keys))
    except Exception as error:  # noqa: BLE001 - the endpoint is deleted, and nothing is signed for it
        world.telemetry.warn("signing keys not deleted", endpointId=endpoint_id, error=type(error).__name__)


def _add(world: World, caller: Caller, endpoint_id: str | None, before: Keys, action: str) -> tuple[SigningKey, str]:
    now = world.clock.now()
    key = SigningKey(
        key_id=signing.key_id(endpoint_id, now, world.entropy.bytes(10)),
        tenant_id=caller.tenant_id,
        endpoint_id=endpoint_id,
        created_at=now,
    )
    secret = signing.mint_secret(world.entropy.bytes(_SECRET_BYTES))
    promise_to_follow_signing(world, caller.tenant_id)
    world.vault.put(signing.shelf(caller.tenant_id, endpoint_id), key.key_id, secret)
    event = event_by(world, caller, endpoint_id or key.key_id, action, after={"signingKeyId": key.key_id})
    _store(world, caller, before, key, event)
    follow_signing_for_now(world, caller.tenant_id, endpoint_id)
    return key, secret


def _store(world: World, caller: Caller, before: Keys, key: SigningKey, event: Event) -> None:
    after = sorted((*before, key), key=lambda each: each.key_id)
    try:
        world.signing_keys.replace(before, after, event)
    except WriteRaced:
        # A write whose answer was lost looks like another's when it is repeated.
        if key not in world.signing_keys.of_holder(key.tenant_id, key.endpoint_id):
            _forget_secret(world, caller, key.key_id)
            raise Conflict("somebody else changes these keys at the same time; see GET /signing-keys") from None


def _take_away(world: World, caller: Caller, key_id: str, keys: Keys) -> None:
    for _ in range(MAX_TRIES):
        rest = [key for key in keys if key.key_id != key_id]
        try:
            return world.signing_keys.replace(keys, rest, _deleted(world, caller, key_id))
        except WriteRaced:
            keys = world.signing_keys.of_holder(caller.tenant_id, signing.holder_of(key_id))
            if not _has(keys, key_id):
                return None
    raise Conflict("these keys are being changed by too many writers; try again")


def _forget_unlisted(world: World, caller: Caller, key_id: str) -> None:
    holder = signing.holder_of(key_id)
    if holder is not None:
        find_endpoint(world, caller, holder, deleted_too=True)
    if not _forget_secret(world, caller, key_id):
        raise NotFound("signing key", key_id)


def _has(keys: Keys, key_id: str) -> bool:
    return any(key.key_id == key_id for key in keys)


def _deleted(world: World, caller: Caller, key_id: str) -> Event:
    subject = signing.holder_of(key_id) or key_id
    return event_by(world, caller, subject, "deleteSigningKey", before={"signingKeyId": key_id})


def _forget_secret(world: World, caller: Caller, key_id: str) -> bool:
    return world.vault.delete(signing.shelf(caller.tenant_id, signing.holder_of(key_id)), key_id)
