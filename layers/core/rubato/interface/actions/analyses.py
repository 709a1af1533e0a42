"""What the planner's model did, and why."""

from rubato.domain.access import Caller, Scope
from rubato.interface.action import Action, action
from rubato.interface.actions.paging import next_cursor, position
from rubato.interface.inputs.analyses import ListAnalysesInput
from rubato.interface.outputs.analyses import AnalysisView
from rubato.interface.views.analyses import analysis_view
from rubato.interface.wire import Listing
from rubato.ports import World
from rubato.usecases import list_analyses as listing


def list_analyses(world: World, caller: Caller, given: ListAnalysesInput) -> Listing[AnalysisView]:
    """listAnalyses."""
    page = listing.list_analyses(world, caller, given.endpoint_id, limit=given.limit, after=position(given))
    items = [analysis_view(each) for each in page.items]
    return Listing[AnalysisView](items=items, next_cursor=next_cursor(given, page.next))


ACTIONS: tuple[Action, ...] = (
    action(
        "listAnalyses",
        "GET /endpoints/{endpointId}/analyses",
        Scope.RUNS_READ,
        "List what the planner's model did about an endpoint, newest first: calls, reasoning, tokens, cost, outcome.",
        takes=ListAnalysesInput,
        gives=Listing[AnalysisView],
        run=list_analyses,
        read_only=True,
        idempotent=True,
    ),
)
