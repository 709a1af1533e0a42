"""The actions that look back on an endpoint: how it did, and what was changed about it."""

from rubato.domain.access import Caller, Scope
from rubato.domain.instant import HOUR
from rubato.interface.action import Action, action
from rubato.interface.actions.paging import next_cursor, position
from rubato.interface.inputs.events import ListEventsInput
from rubato.interface.inputs.health import HealthInput
from rubato.interface.outputs.events import EventView
from rubato.interface.outputs.health import HealthView
from rubato.interface.views.events import event_view
from rubato.interface.views.health import health_view
from rubato.interface.wire import Listing
from rubato.ports import World
from rubato.usecases import list_events as listing_events
from rubato.usecases import summarize_health as summarizing


def summarize_health(world: World, caller: Caller, given: HealthInput) -> HealthView:
    """summarizeEndpointHealth."""
    report = summarizing.summarize_health(world, caller, given.endpoint_id, given.window_hours * HOUR)
    return health_view(report, given.window_hours, world.clock.now())


def list_events(world: World, caller: Caller, given: ListEventsInput) -> Listing[EventView]:
    """listEndpointEvents."""
    page = listing_events.list_events(world, caller, given.endpoint_id, limit=given.limit, after=position(given))
    items = [event_view(event) for event in page.items]
    return Listing[EventView](items=items, next_cursor=next_cursor(given, page.next))


ACTIONS: tuple[Action, ...] = (
    action(
        "summarizeEndpointHealth",
        "GET /endpoints/{endpointId}/health",
        Scope.RUNS_READ,
        "Sum up an endpoint's runs within a window: success, duration, lateness, time to repair, and its rhythm now.",
        takes=HealthInput,
        gives=HealthView,
        run=summarize_health,
        read_only=True,
        idempotent=True,
        when="To judge whether there is a trend before steering.",
    ),
    action(
        "listEndpointEvents",
        "GET /endpoints/{endpointId}/events",
        Scope.RUNS_READ,
        "List what was changed about an endpoint, newest first: who or what, from, to and why.",
        takes=ListEventsInput,
        gives=Listing[EventView],
        run=list_events,
        read_only=True,
        idempotent=True,
        when="To find out who or what changed its tempo or configuration, and why.",
    ),
)
