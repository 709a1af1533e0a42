"""From agents to answers."""

from rubato.domain.agents import Agent
from rubato.interface.outputs.agents import AgentView


def agent_view(agent: Agent) -> AgentView:
    """A registered agent."""
    return AgentView(
        agent_id=agent.agent_id,
        name=agent.name,
        owner=agent.owner,
        created_at=agent.created_at,
        retired_at=agent.retired_at,
    )
