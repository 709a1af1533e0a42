"""The one tenant of a storm."""

from rubato.domain.access import ALL_SCOPES, Caller
from rubato.domain.hints import ActorKind

TENANT = "storm"


def caller(name: str) -> Caller:
    """A caller of the tenant; each writer is an author of its own."""
    return Caller(tenant_id=TENANT, key_id=f"key_{name}", kind=ActorKind.HUMAN, scopes=ALL_SCOPES)
