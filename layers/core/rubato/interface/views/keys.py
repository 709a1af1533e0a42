"""From API keys to answers."""

from typing import Any

from rubato.domain.access import ApiKey
from rubato.domain.budget import UNLIMITED, Budget
from rubato.interface.outputs.keys import BudgetView, CreatedKey, KeyView


def key_view(key: ApiKey) -> KeyView:
    """A key; its digest stays inside."""
    return KeyView(**_key_fields(key))


def created_key(key: ApiKey, token: str) -> CreatedKey:
    """A key with the token that is shown this once."""
    return CreatedKey(**_key_fields(key), api_key=token)


def _budget_view(budget: Budget) -> BudgetView:
    return BudgetView(
        changes_per_hour=budget.changes_per_hour,
        job_ids=sorted(budget.job_ids) if budget.job_ids is not None else None,
        may_delete=budget.may_delete,
    )


def _key_fields(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "label": key.label,
        "kind": key.kind,
        "scopes": sorted(key.scopes),
        "agent_id": key.agent_id,
        "budget": _budget_view(key.budget) if key.budget != UNLIMITED else None,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }
