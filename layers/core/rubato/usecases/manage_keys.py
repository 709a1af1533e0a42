"""Create, list and revoke API keys."""

import base64
from typing import Any

from rubato.domain import access, ids
from rubato.domain.access import ApiKey, Caller, Scope, implied
from rubato.domain.audit import Event
from rubato.domain.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated, WriteRaced
from rubato.domain.hints import Actor, ActorKind
from rubato.domain.instant import to_iso
from rubato.ports import Page, World
from rubato.usecases.replan import MAX_TRIES

OPERATOR = Actor(id="operator", kind=ActorKind.HUMAN)
"""Whoever has the AWS credentials of the deployment: bound to no tenant and no scope."""

_SECRET_BYTES = 32


def issue_key(
    world: World,
    caller: Caller,
    *,
    label: str,
    kind: ActorKind,
    scopes: frozenset[Scope],
    expires_at: int | None = None,
) -> tuple[ApiKey, str]:
    """A new key of the caller's tenant, and its token; it can do no more than the caller's, and for no longer.

    The caller's own key is read again: one that was revoked a moment ago must not live on in another that it made.
    Raises Unauthenticated for that, Forbidden naming the scopes that the caller lacks, and Invalid for `expiresAt`.
    """
    maker = world.keys.get(caller.key_id)
    if maker is None or not maker.is_valid(world.clock.now()):
        raise Unauthenticated("this API key is unknown, revoked or expired")
    missing = scopes - implied(caller.scopes)
    if missing:
        raise Forbidden(", ".join(sorted(missing)))
    return create_key(
        world,
        tenant_id=caller.tenant_id,
        label=label,
        kind=kind,
        scopes=scopes,
        expires_at=_expiry(maker, expires_at, world.clock.now()),
        by=caller.actor,
    )


def create_key(
    world: World,
    *,
    tenant_id: str,
    label: str,
    kind: ActorKind,
    scopes: frozenset[Scope],
    expires_at: int | None = None,
    by: Actor = OPERATOR,
) -> tuple[ApiKey, str]:
    """A new key and its token, which is shown this once and stored nowhere."""
    now = world.clock.now()
    key_id = "key_" + ids.ulid(now, world.entropy.bytes(10))
    secret = base64.urlsafe_b64encode(world.entropy.bytes(_SECRET_BYTES)).rstrip(b"=").decode()
    token = access.mint_token(key_id, secret)
    key = ApiKey(
        key_id=key_id,
        tenant_id=tenant_id,
        digest=access.digest_of(token),
        label=label,
        kind=kind,
        scopes=scopes,
        created_at=now,
        expires_at=expires_at,
    )
    world.keys.create(key, _event(world, key, by, "createApiKey", _told(key)))
    return key, token


def list_keys(world: World, tenant_id: str, limit: int = 50, after: str | None = None) -> Page[ApiKey]:
    """The tenant's keys, newest first, expired and revoked ones included while they are remembered."""
    return world.keys.list(tenant_id, limit, after)


def revoke_key(world: World, key_id: str, *, tenant_id: str | None = None, by: Actor = OPERATOR) -> None:
    """From now on the key opens nothing (within the authorizer's cache time). Revoking it again changes nothing.

    Raises NotFound, also for a key of another tenant than `tenant_id`; Conflict under endless races.
    """
    for _ in range(MAX_TRIES):
        key = world.keys.get(key_id)
        if key is None or tenant_id not in (None, key.tenant_id):
            raise NotFound("key", key_id)
        if key.revoked_at is not None:
            return None
        event = _event(world, key, by, "revokeApiKey", {"revokedAt": to_iso(world.clock.now())})
        try:
            return world.keys.revoke(key_id, event)
        except WriteRaced:
            continue
    raise Conflict(f"key {key_id} is being changed by too many writers; try again")


def _expiry(maker: ApiKey, wanted: int | None, now: int) -> int | None:
    if wanted is None:
        return maker.expires_at
    if wanted <= now:
        raise Invalid.field("expiresAt", f"{to_iso(wanted)} has passed; choose a later time")
    if maker.expires_at is not None and wanted > maker.expires_at:
        raise Invalid.field(
            "expiresAt", f"is later than {to_iso(maker.expires_at)}, when the key that makes it expires"
        )
    return wanted


def _told(key: ApiKey) -> dict[str, Any]:
    return {
        "label": key.label,
        "kind": key.kind.value,
        "scopes": sorted(scope.value for scope in key.scopes),
        "expiresAt": to_iso(key.expires_at) if key.expires_at is not None else None,
    }


def _event(world: World, key: ApiKey, by: Actor, action: str, after: dict[str, Any]) -> Event:
    now = world.clock.now()
    return Event(
        event_id=ids.event_id(now, world.entropy.bytes(10)),
        subject=key.key_id,
        tenant_id=key.tenant_id,
        at=now,
        actor=by,
        action=action,
        before={},
        after=after,
    )
