"""What the actions on agents take."""

from pydantic import Field

from rubato.interface.inputs.fields import AgentName, PageInput
from rubato.interface.wire import Wire


class RegisterAgentInput(Wire):
    """Input of registerAgent."""

    name: AgentName = Field(description="What it is called: unique among those not retired, whatever the case.")
    owner: AgentName = Field(description="The person or team on whose behalf it acts, as the audit trail names them.")


class ListAgentsInput(PageInput):
    """Input of listAgents."""


class AgentInput(Wire):
    """Input that names an agent."""

    agent_id: str = Field(description="The agent's id.")


class ListAgentEventsInput(PageInput):
    """Input of listAgentEvents."""

    agent_id: str = Field(description="The agent's id.")
