"""What the actions on API keys take."""

from typing import Literal

from pydantic import Field

from rubato.domain.access import Scope
from rubato.domain.budget import MAX_CHANGES_PER_HOUR, MAX_JOBS
from rubato.interface.inputs.fields import Name, PageInput, TimeText
from rubato.interface.wire import Wire


class BudgetInput(Wire):
    """What a key may do at most, beyond its scopes."""

    changes_per_hour: int | None = Field(
        default=None,
        ge=1,
        le=MAX_CHANGES_PER_HOUR,
        description="How many calls that change something in an hour of the clock, UTC; refused ones count too."
        " By default any number.",
    )
    job_ids: list[str] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_JOBS,
        description="The only jobs that it sees and touches; it creates none. By default all.",
    )
    may_delete: bool = Field(default=True, description="Whether it may delete endpoints and archive jobs.")


class CreateKeyInput(Wire):
    """Input of createApiKey."""

    label: Name = Field(description="What the key is for.")
    kind: Literal["human", "agent", "service"] = Field(description="Who will use it; the audit trail tells them apart.")
    scopes: list[Scope] = Field(
        min_length=1,
        max_length=len(Scope),
        description="What it may do: none that the key which makes it lacks. A :write implies the :read of its family.",
    )
    agent_id: str | None = Field(
        default=None,
        description="The registered agent that will use it, for kind agent: its events name it and its owner.",
    )
    budget: BudgetInput | None = Field(
        default=None, description="Limits beyond the scopes; only without the scopes keys:read and keys:write."
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
