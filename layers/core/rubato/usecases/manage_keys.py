"""Create, list and revoke API keys."""

import base64

from rubato.domain import access, ids
from rubato.domain.access import ApiKey, Scope
from rubato.domain.hints import ActorKind
from rubato.ports import World

_SECRET_BYTES = 32


def create_key(
    world: World,
    *,
    tenant_id: str,
    label: str,
    kind: ActorKind,
    scopes: frozenset[Scope],
    expires_at: int | None = None,
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
    world.keys.create(key)
    return key, token


def list_keys(world: World, tenant_id: str) -> list[ApiKey]:
    """The tenant's keys, oldest first, revoked ones included."""
    return world.keys.list(tenant_id)


def revoke_key(world: World, key_id: str) -> None:
    """From now on the key opens nothing (within the authorizer's cache time). Raises NotFound."""
    world.keys.revoke(key_id, world.clock.now())
