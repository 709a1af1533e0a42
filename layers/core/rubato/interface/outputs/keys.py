"""What the actions on API keys answer."""

from typing import ClassVar

from pydantic import Field

from rubato.domain.access import Scope
from rubato.domain.hints import ActorKind
from rubato.interface.wire import Output, Time


class BudgetView(Output):
    """What a key may do at most, beyond its scopes."""

    changes_per_hour: int | None = Field(description="Changes by the clock's hour, UTC; null for any number.")
    job_ids: list[str] | None = Field(description="The only jobs that it sees; null for all.")
    may_delete: bool = Field(description="Whether it may delete endpoints and archive jobs.")


class KeyView(Output):
    """An API key, without its secret."""

    key_id: str = Field(description="The key's id.")
    label: str = Field(description="What it is for.")
    kind: ActorKind = Field(description="Who uses it: human, agent or service.")
    scopes: list[Scope] = Field(description="What it may do; a :write implies the :read of its family.")
    agent_id: str | None = Field(description="The registered agent that uses it; null for none.")
    budget: BudgetView | None = Field(description="Limits beyond the scopes; null for none.")
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
