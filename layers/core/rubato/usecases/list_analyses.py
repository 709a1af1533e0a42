"""Read what the planner's model did about an endpoint, and why."""

from rubato.domain.access import Caller
from rubato.domain.analysis import Analysis
from rubato.ports import Page, World
from rubato.usecases.lookup import find_endpoint


def list_analyses(world: World, caller: Caller, endpoint_id: str, *, limit: int, after: str | None) -> Page[Analysis]:
    """Newest first; those of a deleted endpoint stay readable. Raises NotFound."""
    find_endpoint(world, caller, endpoint_id, deleted_too=True)
    return world.analyses.of_endpoint(endpoint_id, limit, after)
