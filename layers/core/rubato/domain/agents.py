"""Agents: programs that act for somebody, registered so that each of their changes can be laid at the right door."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """For whom a key acts: the agent that uses it, and the person or team on whose behalf."""

    agent_id: str
    agent_name: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A registered agent. Its name is unique in the tenant while it is not retired. Times in ms since the epoch."""

    agent_id: str
    tenant_id: str
    name: str
    owner: str
    created_at: int
    retired_at: int | None = None

    @property
    def delegation(self) -> Delegation:
        """What its keys carry."""
        return Delegation(agent_id=self.agent_id, agent_name=self.name, owner=self.owner)
