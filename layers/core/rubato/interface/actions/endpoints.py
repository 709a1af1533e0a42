"""The actions on endpoints."""

from rubato.domain.access import Caller, Scope
from rubato.interface import drafts
from rubato.interface.action import Action, action
from rubato.interface.actions.paging import next_cursor, patch_of, position
from rubato.interface.inputs.endpoints import AddEndpointInput, DeleteEndpointInput, EndpointPatch, ListEndpointsInput
from rubato.interface.inputs.fields import EndpointInput
from rubato.interface.outputs.endpoints import EndpointView
from rubato.interface.views import endpoints as views
from rubato.interface.wire import Listing
from rubato.ports import World
from rubato.usecases import add_endpoint as adding
from rubato.usecases import list_endpoints as listing_endpoints
from rubato.usecases import update_endpoint as updating_endpoint
from rubato.usecases.lookup import find_endpoint, find_job


def add_endpoint(world: World, caller: Caller, given: AddEndpointInput) -> EndpointView:
    """addEndpointToJob."""
    job = find_job(world, caller, given.job_id)
    draft = drafts.endpoint_draft(drafts.with_defaults(given, job))
    return views.endpoint_view(adding.add_endpoint(world, caller, job, draft), world.clock.now())


def update_endpoint(world: World, caller: Caller, given: EndpointPatch, if_version: int | None = None) -> EndpointView:
    """updateEndpointConfig."""
    patch = patch_of(given, "endpoint_id")
    endpoint = updating_endpoint.update_endpoint(
        world,
        caller,
        given.endpoint_id,
        lambda config: drafts.patched_endpoint(config, dict(patch)),
        views.config_fields,
        if_version,
    )
    return views.endpoint_view(endpoint, world.clock.now())


def delete_endpoint(world: World, caller: Caller, given: DeleteEndpointInput) -> None:
    """deleteEndpoint."""
    updating_endpoint.delete_endpoint(world, caller, given.endpoint_id, given.reason)


def list_endpoints(world: World, caller: Caller, given: ListEndpointsInput) -> Listing[EndpointView]:
    """listJobEndpoints."""
    page = listing_endpoints.list_endpoints(
        world,
        caller,
        given.job_id,
        tier=given.tier,
        state=given.state,
        limit=given.limit,
        after=position(given),
    )
    now = world.clock.now()
    items = [views.endpoint_view(endpoint, now) for endpoint in page.items]
    return Listing[EndpointView](items=items, next_cursor=next_cursor(given, page.next))


def get_endpoint(world: World, caller: Caller, given: EndpointInput) -> EndpointView:
    """getEndpoint."""
    return views.endpoint_view(find_endpoint(world, caller, given.endpoint_id), world.clock.now())


ACTIONS: tuple[Action, ...] = (
    action(
        "addEndpointToJob",
        "POST /jobs/{jobId}/endpoints",
        Scope.ENDPOINTS_WRITE,
        "Add an endpoint: an HTTP request and its baseline rhythm.",
        takes=AddEndpointInput,
        gives=EndpointView,
        run=add_endpoint,
        status=201,
        creates=True,
        open_world=True,
        when="Try its baseline with previewSchedule first.",
    ),
    action(
        "updateEndpointConfig",
        "PATCH /endpoints/{endpointId}",
        Scope.ENDPOINTS_WRITE,
        "Change an endpoint's configuration.",
        takes=EndpointPatch,
        gives=EndpointView,
        run=update_endpoint,
        idempotent=True,
        versioned=True,
        open_world=True,
        when="A lasting change, only when asked for one; for a while use applyIntervalHint.",
    ),
    action(
        "deleteEndpoint",
        "DELETE /endpoints/{endpointId}",
        Scope.ENDPOINTS_WRITE,
        "Delete an endpoint; its runs stay readable until their retention ends.",
        takes=DeleteEndpointInput,
        gives=None,
        run=delete_endpoint,
        status=204,
        destructive=True,
        deletes=True,
        idempotent=True,
        when="Only when asked to remove it; to silence it use pauseOrResumeEndpoint.",
    ),
    action(
        "listJobEndpoints",
        "GET /jobs/{jobId}/endpoints",
        Scope.ENDPOINTS_READ,
        "List a job's endpoints with their state and next run, by name.",
        takes=ListEndpointsInput,
        gives=Listing[EndpointView],
        run=list_endpoints,
        read_only=True,
        idempotent=True,
        when="To find an endpointId, or to compare siblings.",
    ),
    action(
        "getEndpoint",
        "GET /endpoints/{endpointId}",
        Scope.ENDPOINTS_READ,
        "Read an endpoint: configuration, live hints, next run and why then.",
        takes=EndpointInput,
        gives=EndpointView,
        run=get_endpoint,
        read_only=True,
        idempotent=True,
        versioned=True,
        when="First look at one endpoint: whyNotRunning and source explain its schedule.",
    ),
)
