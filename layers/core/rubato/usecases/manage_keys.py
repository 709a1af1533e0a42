"""Create, list and revoke API keys."""

import base64
from dataclasses import dataclass, replace
from typing import Any

from rubato.domain import access, ids
from rubato.domain.access import ALL_SCOPES, KEY_SCOPES, ApiKey, Caller, Door, Scope, implied
from rubato.domain.budget import UNLIMITED, Budget
from rubato.domain.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, WriteRaced
from rubato.domain.hints import ActorKind
from rubato.domain.instant import to_iso
from rubato.ports import Page, World
from rubato.usecases.authenticate import standing_key
from rubato.usecases.lookup import find_job
from rubato.usecases.manage_agents import find_agent
from rubato.usecases.record_event import event_by
from rubato.usecases.replan import MAX_TRIES

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDraft:
    """A key as it is wanted. `agent_id` is the registered agent that will use it; times in ms since the epoch."""

    label: str
    kind: ActorKind
    scopes: frozenset[Scope]
    expires_at: int | None = None
    budget: Budget = UNLIMITED
    agent_id: str | None = None


def operator(tenant_id: str) -> Caller:
    """Whoever has the AWS credentials of the deployment, in a tenant of their choice: bound to no scope."""
    return Caller(tenant_id=tenant_id, key_id="operator", kind=ActorKind.HUMAN, scopes=ALL_SCOPES, door=Door.CLI)


def issue_key(world: World, caller: Caller, draft: KeyDraft) -> tuple[ApiKey, str]:
    """A new key of the caller's tenant, and its token; it can do no more than the caller's, and for no longer.

    The caller's own key is read again: one that was revoked a moment ago must not live on in another that it made.
    What an agent makes is for the same agent, so that its work can be told from everybody else's. Raises
    Unauthenticated for a revoked maker, Forbidden naming the scopes that the caller lacks, and Invalid.
    """
    maker, _ = standing_key(world, caller.key_id)
    missing = draft.scopes - implied(caller.scopes)
    if missing:
        raise Forbidden.lacks(", ".join(sorted(missing)))
    expires_at = _expiry(maker, draft.expires_at, world.clock.now())
    return create_key(world, caller, replace(_inheriting(caller, draft), expires_at=expires_at))


def create_key(world: World, caller: Caller, draft: KeyDraft) -> tuple[ApiKey, str]:
    """A new key and its token, which is shown this once and stored nowhere. Raises Invalid for agent and budget."""
    _check_agent(world, caller, draft)
    _check_budget(world, caller, draft)
    now = world.clock.now()
    key_id = ids.key_id(now, world.entropy.bytes(10))
    secret = base64.urlsafe_b64encode(world.entropy.bytes(_SECRET_BYTES)).rstrip(b"=").decode()
    token = access.mint_token(key_id, secret)
    key = ApiKey(
        key_id=key_id,
        tenant_id=caller.tenant_id,
        digest=access.digest_of(token),
        label=draft.label,
        kind=draft.kind,
        scopes=draft.scopes,
        budget=draft.budget,
        agent_id=draft.agent_id,
        created_at=now,
        expires_at=draft.expires_at,
    )
    world.keys.create(key, event_by(world, caller, key_id, "createApiKey", after=_told(key)))
    return key, token


def list_keys(world: World, tenant_id: str, limit: int = 50, after: str | None = None) -> Page[ApiKey]:
    """The tenant's keys, newest first, expired and revoked ones included while they are remembered."""
    return world.keys.list(tenant_id, limit, after)


def revoke_key(world: World, key_id: str, caller: Caller | None = None) -> None:
    """From now on the key opens nothing (within the authorizer's cache time). Revoking it again changes nothing.

    Without a caller the operator does it, in any tenant. Raises NotFound, also for another tenant's key; Conflict under
    endless races.
    """
    for _ in range(MAX_TRIES):
        key = world.keys.get(key_id)
        if key is None or (caller is not None and caller.tenant_id != key.tenant_id):
            raise NotFound("key", key_id)
        if key.revoked_at is not None:
            return None
        told = {"revokedAt": to_iso(world.clock.now())}
        event = event_by(world, caller or operator(key.tenant_id), key_id, "revokeApiKey", after=told)
        try:
            return world.keys.revoke(key_id, event)
        except WriteRaced:
            continue
    raise Conflict(f"key {key_id} is being changed by too many writers; try again")


def _inheriting(caller: Caller, draft: KeyDraft) -> KeyDraft:
    if caller.kind is not ActorKind.AGENT:
        return draft
    own = caller.delegation.agent_id if caller.delegation is not None else None
    if draft.kind is not ActorKind.AGENT or draft.agent_id not in (None, own):
        raise Forbidden("an agent's key makes keys for the same agent only; ask a person for another")
    return replace(draft, agent_id=own)


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


def _check_agent(world: World, caller: Caller, draft: KeyDraft) -> None:
    if draft.agent_id is None:
        return
    if draft.kind is not ActorKind.AGENT:
        raise Invalid.field("agentId", "only a key of kind agent belongs to one; set kind to agent, or leave it out")
    try:
        agent = find_agent(world, caller, draft.agent_id)
    except NotFound:
        raise Invalid.field("agentId", f"no agent {draft.agent_id!r}; POST /agents registers one") from None
    if agent.retired_at is not None:
        raise Invalid.field("agentId", f"{agent.name!r} is retired; register it again")


def _check_budget(world: World, caller: Caller, draft: KeyDraft) -> None:
    """A key that could make keys, or secrets for any job, would have no budget at all."""
    draft.budget.check()
    if draft.budget != UNLIMITED and draft.scopes & KEY_SCOPES:
        raise Invalid.field(
            "budget", "a key with a budget can't have keys:read or keys:write; leave out the one or the other"
        )
    broken = [_unknown(job_id) for job_id in sorted(draft.budget.job_ids or ()) if not _has_job(world, caller, job_id)]
    if broken:
        raise Invalid(*broken)


def _has_job(world: World, caller: Caller, job_id: str) -> bool:
    try:
        find_job(world, caller, job_id)
    except NotFound:
        return False
    return True


def _unknown(job_id: str) -> FieldError:
    return FieldError("budget.jobIds", f"no job {job_id!r}; GET /jobs lists them")


def _told(key: ApiKey) -> dict[str, Any]:
    told: dict[str, Any] = {
        "label": key.label,
        "kind": key.kind.value,
        "scopes": sorted(scope.value for scope in key.scopes),
        "expiresAt": to_iso(key.expires_at) if key.expires_at is not None else None,
    }
    if key.agent_id is not None:
        told["agentId"] = key.agent_id
    return told if key.budget == UNLIMITED else {**told, "budget": key.budget.to_plain()}
