"""Create, rotate, list and delete the keys that sign requests. Nothing in here reads a secret.

A holder is an endpoint or the whole tenant. Its first key begins the signing, its last one ends it.
"""

from rubato.domain import signing
from rubato.domain.access import Caller
from rubato.domain.errors import Conflict, NotFound, WriteRaced
from rubato.domain.signing import MAX_LIVE_KEYS, SigningKey
from rubato.ports import Page, World
from rubato.usecases.follow_signing import follow_signing_for_now, promise_to_follow_signing
from rubato.usecases.lookup import find_endpoint
from rubato.usecases.record_event import event_by

_SECRET_BYTES = 32


def create_signing_key(world: World, caller: Caller, endpoint_id: str | None) -> tuple[SigningKey, str]:
    """The first key of the endpoint or, for None, of the tenant, and its secret, which is given this once.

    Raises NotFound for an endpoint that is not there, Conflict when the holder has a key.
    """
    if endpoint_id is not None:
        signing.check_headers(find_endpoint(world, caller, endpoint_id).config.request.headers)
    keys = world.signing_keys.of_holder(caller.tenant_id, endpoint_id)
    if keys:
        raise Conflict(f"there is a key: {keys[0].key_id}; POST /signing-keys/{keys[0].key_id}/rotate adds the next")
    return _add(world, caller, endpoint_id, "createSigningKey")


def rotate_signing_key(world: World, caller: Caller, key_id: str) -> tuple[SigningKey, str]:
    """A second key of the same holder; both sign until one is deleted. Raises NotFound, and Conflict at two keys."""
    holder = _find(world, caller, key_id).endpoint_id
    keys = world.signing_keys.of_holder(caller.tenant_id, holder)
    if len(keys) >= MAX_LIVE_KEYS:
        raise Conflict(f"two keys sign already; DELETE /signing-keys/{keys[0].key_id}, the older one, first")
    return _add(world, caller, holder, "rotateSigningKey")


def list_signing_keys(world: World, caller: Caller, limit: int, after: str | None) -> Page[SigningKey]:
    """The tenant's own first, then those of endpoints."""
    return world.signing_keys.list(caller.tenant_id, limit, after)


def delete_signing_key(world: World, caller: Caller, key_id: str) -> None:
    """It signs no more, within a minute; without its last key a holder signs nothing. Raises NotFound."""
    key = _find(world, caller, key_id)
    is_last = len(world.signing_keys.of_holder(caller.tenant_id, key.endpoint_id)) == 1
    promise_to_follow_signing(world, caller.tenant_id)
    if not is_last:
        _forget_secret(world, key)
    event = event_by(world, caller, key.endpoint_id or key_id, "deleteSigningKey", before={"signingKeyId": key_id})
    try:
        world.signing_keys.delete(key, event)
    except WriteRaced:
        raise NotFound("signing key", key_id) from None
    follow_signing_for_now(world, caller.tenant_id, key.endpoint_id)
    if is_last:
        # Not before: an endpoint that is to be signed, and finds no key, does not run.
        _forget_secret(world, key)


def _add(world: World, caller: Caller, endpoint_id: str | None, action: str) -> tuple[SigningKey, str]:
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
    world.signing_keys.create(key, event)
    follow_signing_for_now(world, caller.tenant_id, endpoint_id)
    return key, secret


def _find(world: World, caller: Caller, key_id: str) -> SigningKey:
    key = world.signing_keys.get(caller.tenant_id, key_id)
    if key is None:
        raise NotFound("signing key", key_id)
    return key


def _forget_secret(world: World, key: SigningKey) -> None:
    world.vault.delete(signing.shelf(key.tenant_id, key.endpoint_id), key.key_id)
