"""What the actions on API keys answer."""

from typing import ClassVar

from pydantic import Field

from rubato.domain.access import Scope
from rubato.domain.hints import ActorKind
from rubato.interface.wire import Output, Time


class KeyView(Output):
    """An API key, without its secret."""

    key_id: str = Field(description="The key's id.")
    label: str = Field(description="What it is for.")
    kind: ActorKind = Field(description="Who uses it: human, agent or service.")
    scopes: list[Scope] = Field(description="What it may do; a :write implies the :read of its family.")
    created_at: Time = Field(description="When it was made.")
    expires_at: Time | None = Field(description="When it stops working; null for never.")
    last_used_at: Time | None = Field(description="When it was used last, noted at most once an hour; null for never.")
    revoked_at: Time | None = Field(description="When it was revoked; null while it is not.")


class CreatedKey(KeyView):
    """A new API key, with its secret."""

    told_once: ClassVar[frozenset[str]] = frozenset({"apiKey"})

    api_key: str | None = Field(
        description="The key to send in x-api-key, shown this once; null when an Idempotency-Key repeats the answer."
    )
