"""The actions on API keys."""

from rubato.domain.access import Caller, Scope
from rubato.domain.budget import UNLIMITED, Budget
from rubato.domain.hints import ActorKind
from rubato.domain.instant import from_iso
from rubato.interface.action import Action, action
from rubato.interface.actions.paging import next_cursor, position
from rubato.interface.inputs.keys import BudgetInput, CreateKeyInput, KeyInput, ListKeysInput
from rubato.interface.outputs.keys import CreatedKey, KeyView
from rubato.interface.views.keys import created_key, key_view
from rubato.interface.wire import Listing
from rubato.ports import World
from rubato.usecases import manage_keys
from rubato.usecases.manage_keys import KeyDraft


def create_key(world: World, caller: Caller, given: CreateKeyInput) -> CreatedKey:
    """createApiKey."""
    draft = KeyDraft(
        label=given.label,
        kind=ActorKind(given.kind),
        scopes=frozenset(given.scopes),
        expires_at=from_iso(given.expires_at, "expiresAt") if given.expires_at is not None else None,
        budget=_budget(given.budget),
        agent_id=given.agent_id,
    )
    return created_key(*manage_keys.issue_key(world, caller, draft))


def list_keys(world: World, caller: Caller, given: ListKeysInput) -> Listing[KeyView]:
    """listApiKeys."""
    page = manage_keys.list_keys(world, caller.tenant_id, given.limit, position(given))
    return Listing[KeyView](items=[key_view(key) for key in page.items], next_cursor=next_cursor(given, page.next))


def revoke_key(world: World, caller: Caller, given: KeyInput) -> None:
    """revokeApiKey."""
    manage_keys.revoke_key(world, given.key_id, caller)


def _budget(given: BudgetInput | None) -> Budget:
    if given is None:
        return UNLIMITED
    return Budget(
        changes_per_hour=given.changes_per_hour,
        job_ids=frozenset(given.job_ids) if given.job_ids is not None else None,
        may_delete=given.may_delete,
    )


ACTIONS: tuple[Action, ...] = (
    action(
        "createApiKey",
        "POST /api-keys",
        Scope.KEYS_WRITE,
        "Make an API key that can do no more than the one that makes it; its secret is shown this once.",
        takes=CreateKeyInput,
        gives=CreatedKey,
        run=create_key,
        status=201,
        creates=True,
        when="Only when asked for; the secret will stand in this conversation.",
    ),
    action(
        "listApiKeys",
        "GET /api-keys",
        Scope.KEYS_READ,
        "List API keys, newest first, with their scopes and last use, never with their secrets.",
        takes=ListKeysInput,
        gives=Listing[KeyView],
        run=list_keys,
        read_only=True,
        idempotent=True,
    ),
    action(
        "revokeApiKey",
        "DELETE /api-keys/{keyId}",
        Scope.KEYS_WRITE,
        "Revoke an API key, the caller's own too; it stops working within 60 seconds.",
        takes=KeyInput,
        gives=None,
        run=revoke_key,
        status=204,
        destructive=True,
        deletes=True,
        idempotent=True,
        when="Only when asked for; listApiKeys shows what still uses a key.",
    ),
)
