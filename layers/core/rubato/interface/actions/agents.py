"""The actions on registered agents."""

from rubato.domain.access import Caller, Scope
from rubato.interface.action import Action, action
from rubato.interface.actions.paging import next_cursor, position
from rubato.interface.inputs.agents import AgentInput, ListAgentEventsInput, ListAgentsInput, RegisterAgentInput
from rubato.interface.outputs.agents import AgentView
from rubato.interface.outputs.events import EventView
from rubato.interface.views.agents import agent_view
from rubato.interface.views.events import event_view
from rubato.interface.wire import Listing
from rubato.ports import World
from rubato.usecases import manage_agents


def register_agent(world: World, caller: Caller, given: RegisterAgentInput) -> AgentView:
    """registerAgent."""
    return agent_view(manage_agents.register_agent(world, caller, given.name, given.owner))


def list_agents(world: World, caller: Caller, given: ListAgentsInput) -> Listing[AgentView]:
    """listAgents."""
    page = manage_agents.list_agents(world, caller, given.limit, position(given))
    items = [agent_view(agent) for agent in page.items]
    return Listing[AgentView](items=items, next_cursor=next_cursor(given, page.next))


def retire_agent(world: World, caller: Caller, given: AgentInput) -> None:
    """retireAgent."""
    manage_agents.retire_agent(world, caller, given.agent_id)


def list_agent_events(world: World, caller: Caller, given: ListAgentEventsInput) -> Listing[EventView]:
    """listAgentEvents."""
    page = manage_agents.list_agent_events(world, caller, given.agent_id, given.limit, position(given))
    items = [event_view(event) for event in page.items]
    return Listing[EventView](items=items, next_cursor=next_cursor(given, page.next))


ACTIONS: tuple[Action, ...] = (
    action(
        "registerAgent",
        "POST /agents",
        Scope.KEYS_WRITE,
        "Register an agent with its owner; then createApiKey with its agentId.",
        takes=RegisterAgentInput,
        gives=AgentView,
        run=register_agent,
        status=201,
        creates=True,
    ),
    action(
        "listAgents",
        "GET /agents",
        Scope.KEYS_READ,
        "List registered agents, newest first, retired ones too.",
        takes=ListAgentsInput,
        gives=Listing[AgentView],
        run=list_agents,
        read_only=True,
        idempotent=True,
    ),
    action(
        "retireAgent",
        "DELETE /agents/{agentId}",
        Scope.KEYS_WRITE,
        "Retire an agent: all its keys stop working within 60 seconds.",
        takes=AgentInput,
        gives=None,
        run=retire_agent,
        status=204,
        destructive=True,
        deletes=True,
        idempotent=True,
    ),
    action(
        "listAgentEvents",
        "GET /agents/{agentId}/events",
        Scope.RUNS_READ,
        "List what an agent changed, newest first, with any of its keys.",
        takes=ListAgentEventsInput,
        gives=Listing[EventView],
        run=list_agent_events,
        read_only=True,
        idempotent=True,
        tenant_wide=True,
        when="To review an agent's work; for one endpoint's history use listEndpointEvents.",
    ),
)
