"""From API keys to answers."""

from typing import Any

from rubato.domain.access import ApiKey
from rubato.interface.outputs.keys import CreatedKey, KeyView


def key_view(key: ApiKey) -> KeyView:
    """A key; its digest stays inside."""
    return KeyView(**_key_fields(key))


def created_key(key: ApiKey, token: str) -> CreatedKey:
    """A key with the token that is shown this once."""
    return CreatedKey(**_key_fields(key), api_key=token)


def _key_fields(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "label": key.label,
        "kind": key.kind,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }
