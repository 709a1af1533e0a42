"""What the actions on API keys take."""

from typing import Literal

from pydantic import Field

from rubato.domain.access import Scope
from rubato.interface.inputs.fields import Name, PageInput, TimeText
from rubato.interface.wire import Wire


class CreateKeyInput(Wire):
    """Input of createApiKey."""

    label: Name = Field(description="What the key is for.")
    kind: Literal["human", "agent", "service"] = Field(description="Who will use it; the audit trail tells them apart.")
    scopes: list[Scope] = Field(
        min_length=1,
        max_length=len(Scope),
        description="What it may do: none that the key which makes it lacks. A :write implies the :read of its family.",
    )
    expires_at: TimeText | None = Field(
        default=None,
        description="When it stops working, ISO 8601 with its offset: not past, and not after the key which makes it."
        " By default when that key does, or never.",
    )


class ListKeysInput(PageInput):
    """Input of listApiKeys."""


class KeyInput(Wire):
    """Input that names an API key."""

    key_id: str = Field(description="The key's id.")
