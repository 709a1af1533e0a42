"""API keys and registered agents in memory. Same contracts, one process."""

import threading
from dataclasses import replace

from rubato.adapters.memory import MemoryTrail
from rubato.domain.access import ApiKey
from rubato.domain.agents import Agent, handle_of
from rubato.domain.audit import Event
from rubato.domain.errors import Conflict, WriteRaced
from rubato.ports import Page


class MemoryKeys:
    """Implements ports.Keys."""

    def __init__(self, trail: MemoryTrail) -> None:
        self._keys: dict[str, ApiKey] = {}
        self._trail = trail
        self._lock = threading.Lock()

    def create(self, key: ApiKey, event: Event) -> None:
        """Both or nothing."""
        with self._lock:
            self._keys[key.key_id] = key
            self._trail.events.append(event)

    def get(self, key_id: str) -> ApiKey | None:
        """By id."""
        return self._keys.get(key_id)

    def list(self, tenant_id: str, limit: int, after: str | None) -> Page[ApiKey]:
        """Newest first."""
        mine = [k for k in self._keys.values() if k.tenant_id == tenant_id and (after is None or k.key_id < after)]
        mine.sort(key=lambda key: key.key_id, reverse=True)
        return Page(tuple(mine[:limit]), mine[limit - 1].key_id if len(mine) > limit else None)

    def revoke(self, key_id: str, event: Event) -> None:
        """The first time counts."""
        with self._lock:
            key = self._keys.get(key_id)
            if key is None or key.revoked_at is not None:
                raise WriteRaced(key_id)
            self._keys[key_id] = replace(key, revoked_at=event.at)
            self._trail.events.append(event)

    def record_use(self, key_id: str, at: int, unless_since: int) -> None:
        """By id."""
        with self._lock:
            key = self._keys.get(key_id)
            if key is not None and (key.last_used_at is None or key.last_used_at <= unless_since):
                self._keys[key_id] = replace(key, last_used_at=at)


class MemoryAgents:
    """Implements ports.Agents."""

    def __init__(self, trail: MemoryTrail) -> None:
        self._agents: dict[str, Agent] = {}
        self._trail = trail
        self._lock = threading.Lock()

    def create(self, agent: Agent, event: Event) -> None:
        """Both or nothing."""
        with self._lock:
            if self.named(agent.tenant_id, agent.name) is not None:
                raise Conflict(f"there is an agent {agent.name!r} already; choose another name")
            self._agents[agent.agent_id] = agent
            self._trail.events.append(event)

    def get(self, agent_id: str) -> Agent | None:
        """By id."""
        return self._agents.get(agent_id)

    def named(self, tenant_id: str, name: str) -> Agent | None:
        """Among those that are not retired."""
        wanted = (tenant_id, handle_of(name), None)
        return next((a for a in self._agents.values() if (a.tenant_id, a.handle, a.retired_at) == wanted), None)

    def list(self, tenant_id: str, limit: int, after: str | None) -> Page[Agent]:
        """Newest first."""
        mine = [a for a in self._agents.values() if a.tenant_id == tenant_id and (after is None or a.agent_id < after)]
        mine.sort(key=lambda agent: agent.agent_id, reverse=True)
        return Page(tuple(mine[:limit]), mine[limit - 1].agent_id if len(mine) > limit else None)

    def retire(self, agent: Agent, event: Event) -> None:
        """The first time counts."""
        with self._lock:
            if self._agents[agent.agent_id].retired_at is not None:
                raise WriteRaced(agent.agent_id)
            self._agents[agent.agent_id] = replace(agent, retired_at=event.at)
            self._trail.events.append(event)
