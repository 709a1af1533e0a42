"""Registered agents in DynamoDB, beside the API keys."""

import hashlib
import json

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from rubato.adapters.dynamodb.identity_items import AgentItem, AgentNameItem, ends
from rubato.adapters.dynamodb.tables import whole
from rubato.adapters.dynamodb.trail import event_item
from rubato.domain.agents import Agent, handle_of
from rubato.domain.audit import Event
from rubato.domain.errors import Conflict, WriteRaced
from rubato.domain.ids import AGENT_PREFIX
from rubato.ports import Page


class DynamoAgents:
    """Implements ports.Agents. `retention_s` is how long events, and agents that are retired, stay readable."""

    def __init__(self, connection: Connection, retention_s: int) -> None:
        self._connection = connection
        self._retention_s = retention_s

    def create(self, agent: Agent, event: Event) -> None:
        """Agent, name and event in one transaction."""
        is_free = AgentNameItem.name_id.does_not_exist() | AgentNameItem.retired_at.exists()
        try:
            with TransactWrite(connection=self._connection) as write:
                write.save(_name_item(agent), condition=is_free)
                write.save(_item(agent))
                write.save(event_item(event, self._retention_s))
        except TransactWriteError as error:
            if not any(error.cancellation_reasons):
                raise
            # The repetition of itself, whose first answer was lost?
            if self.get(agent.agent_id) == agent:
                return
            if _is_taken(error):
                raise Conflict(f"there is an agent {agent.name!r} already; choose another name") from error
            raise WriteRaced(agent.agent_id) from error

    def get(self, agent_id: str) -> Agent | None:
        """One consistent read: a retired agent must not live on in a lagging replica."""
        if not agent_id.startswith(AGENT_PREFIX):
            return None
        try:
            return _load(AgentItem.get(agent_id, consistent_read=True))
        except AgentItem.DoesNotExist:
            return None

    def named(self, tenant_id: str, name: str) -> Agent | None:
        """Two consistent reads: the name leads to the agent."""
        try:
            taken = AgentNameItem.get(_name_id(tenant_id, handle_of(name)), consistent_read=True)
        except AgentNameItem.DoesNotExist:
            return None
        agent = self.get(taken.agent_id)
        return agent if agent is not None and agent.retired_at is None else None

    def list(self, tenant_id: str, limit: int, after: str | None) -> Page[Agent]:
        """One query of the index; two items more: the last of the page before, and whether another page follows."""
        theirs = AgentItem.agent_id.between(*ends(AGENT_PREFIX, after))
        query = AgentItem.by_tenant.query(tenant_id, theirs, scan_index_forward=False, limit=limit + 2)
        found = [agent for agent in map(_load, query) if agent.agent_id != after]
        return Page(tuple(found[:limit]), found[limit - 1].agent_id if len(found) > limit else None)

    def retire(self, agent: Agent, event: Event) -> None:
        """Agent, name and event in one transaction."""
        ttl = event.at // 1000 + self._retention_s
        marks = [AgentItem.retired_at.set(event.at), AgentItem.ttl.set(ttl)]
        freed = [AgentNameItem.retired_at.set(event.at), AgentNameItem.ttl.set(ttl)]
        is_active = AgentItem.name.exists() & AgentItem.retired_at.does_not_exist()
        try:
            with TransactWrite(connection=self._connection) as write:
                write.update(AgentItem(agent.agent_id), actions=list(marks), condition=is_active)
                write.update(AgentNameItem(_name_id(agent.tenant_id, agent.handle)), actions=list(freed))
                write.save(event_item(event, self._retention_s))
        except TransactWriteError as error:
            if not any(error.cancellation_reasons):
                raise
            stored = self.get(agent.agent_id)
            if stored is None or stored.retired_at != event.at:
                raise WriteRaced(agent.agent_id) from error


def _name_id(tenant_id: str, handle: str) -> str:
    """A key of its own for each pair, of one length whatever characters are in them."""
    return "agentName#" + hashlib.sha256(json.dumps([tenant_id, handle]).encode()).hexdigest()


def _is_taken(error: TransactWriteError) -> bool:
    """Whether it was the name, the first write, that was refused, and not a race that lost."""
    reason = error.cancellation_reasons[0]
    return reason is not None and reason.code == "ConditionalCheckFailed"


def _name_item(agent: Agent) -> AgentNameItem:
    return AgentNameItem(name_id=_name_id(agent.tenant_id, agent.handle), agent_id=agent.agent_id)


def _item(agent: Agent) -> AgentItem:
    return AgentItem(
        agent_id=agent.agent_id,
        tenant_id=agent.tenant_id,
        name=agent.name,
        owner=agent.owner,
        created_at=agent.created_at,
    )


def _load(item: AgentItem) -> Agent:
    return Agent(
        agent_id=item.agent_id,
        tenant_id=item.tenant_id,
        name=item.name,
        owner=item.owner,
        created_at=int(item.created_at),
        retired_at=whole(item.retired_at),
    )
