"""What the actions on agents answer."""

from pydantic import Field

from rubato.interface.wire import Output, Time


class AgentView(Output):
    """A registered agent."""

    agent_id: str = Field(description="The agent's id.")
    name: str = Field(description="What it is called.")
    owner: str = Field(description="On whose behalf it acts.")
    created_at: Time = Field(description="When it was registered.")
    retired_at: Time | None = Field(description="When it was retired; null while it is not.")
