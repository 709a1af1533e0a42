"""Read what was changed about an endpoint, by whom and why."""

from rubato.domain.access import Caller
from rubato.domain.audit import Event
from rubato.ports import Page, World
from rubato.usecases.lookup import find_endpoint


def list_events(world: World, caller: Caller, endpoint_id: str, *, limit: int, after: str | None) -> Page[Event]:
    """Newest first; those of a deleted endpoint stay readable. Raises NotFound."""
    find_endpoint(world, caller, endpoint_id, deleted_too=True)
    return world.trail.of_subject(endpoint_id, limit, after)
