"""What listEndpointEvents answers."""

from typing import Any

from pydantic import Field

from rubato.domain.access import Door
from rubato.domain.hints import ActorKind
from rubato.interface.wire import Output, Time


class EventView(Output):
    """A change: who or what made it, and why."""

    event_id: str = Field(description="The event's id.")
    subject: str = Field(description="What was changed: the id of an endpoint, a job, a key or an agent.")
    at: Time = Field(description="When it happened.")
    actor: str = Field(description="Who did it: a key's id, a rule's name, planner, or rubato itself.")
    actor_kind: ActorKind = Field(description="human, agent, service, rule, planner or system.")
    action: str = Field(description="What was done: the action's name, or what Rubato did by itself.")
    before: dict[str, Any] = Field(alias="from", description="What changed, as it was before; secrets are ***.")
    after: dict[str, Any] = Field(alias="to", description="What changed, as it is since; secrets are ***.")
    reason: str | None = Field(description="Why, as given.")
    agent_id: str | None = Field(description="The registered agent that the key belongs to; null for none.")
    agent_name: str | None = Field(description="Its name.")
    on_behalf_of: str | None = Field(description="The agent's owner, as registered.")
    door: Door | None = Field(description="The way in: http, mcp or cli; null for Rubato's own rules and planner.")
