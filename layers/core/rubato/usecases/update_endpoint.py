"""Change or delete an endpoint."""

from collections.abc import Callable
from typing import Any

from rubato.domain import edits, signing
from rubato.domain.access import Caller
from rubato.domain.checks import check_config
from rubato.domain.endpoint import Endpoint, EndpointConfig
from rubato.domain.errors import NotFound, StaleVersion
from rubato.ports import World
from rubato.usecases.lookup import owns
from rubato.usecases.manage_secrets import check_secrets
from rubato.usecases.manage_signing_keys import forget_signing_keys
from rubato.usecases.record_event import difference, event_by
from rubato.usecases.references import check_references, heard_so_far
from rubato.usecases.replan import Changed, replan
from rubato.usecases.tell_followers import ask_those_followed

Edit = Callable[[EndpointConfig], EndpointConfig]
Describe = Callable[[EndpointConfig], dict[str, Any]]


def update_endpoint(
    world: World, caller: Caller, endpoint_id: str, edit: Edit, describe: Describe, if_version: int | None = None
) -> Endpoint:
    """Apply `edit`; `describe` gives the public view of a configuration, of which the audit keeps what changed.

    Raises NotFound, Invalid, Conflict (name taken), StaleVersion when `if_version` is not the stored one.
    """

    follows_anew = False

    def change(endpoint: Endpoint, now: int) -> Changed:
        _require_owned(caller, endpoint)
        if if_version is not None and endpoint.config.version != if_version:
            raise StaleVersion(f"endpoint {endpoint_id} is at version {endpoint.config.version}; read it again")
        config = edit(endpoint.config)
        if config == endpoint.config:
            return Changed(endpoint)
        check_config(config, world.limits.min_interval_ms, world.limits.allowed_target_cidrs)
        check_references(world, config, endpoint.config)
        check_secrets(world, config, endpoint.config)
        if endpoint.state.signed_by is not None and config.request != endpoint.config.request:
            signing.check_headers(config.request.headers)
        before, after = difference(describe(endpoint.config), describe(config))
        event = event_by(world, caller, endpoint_id, "updateEndpointConfig", before=before, after=after)
        nonlocal follows_anew
        follows_anew = config.baseline != endpoint.config.baseline
        heard = heard_so_far(world, config) if follows_anew else ()
        return Changed(edits.configured(endpoint, config, now, heard), (event,), edits.moves(endpoint.config, config))

    edited = replan(world, endpoint_id, change)
    if follows_anew:
        ask_those_followed(world, edited)
    return edited


def delete_endpoint(world: World, caller: Caller, endpoint_id: str, reason: str | None = None) -> None:
    """Leave a tombstone: the name is free again, a run in flight ends and is recorded, runs stay readable.

    Its own signing keys go with it.
    """

    def change(endpoint: Endpoint, now: int) -> Changed:
        _require_owned(caller, endpoint)
        told = {"name": endpoint.config.name}
        event = event_by(world, caller, endpoint_id, "deleteEndpoint", before=told, reason=reason)
        return Changed(edits.deleted(endpoint, now), (event,))

    replan(world, endpoint_id, change)
    forget_signing_keys(world, caller, endpoint_id)


def _require_owned(caller: Caller, endpoint: Endpoint) -> None:
    if not owns(caller, endpoint) or endpoint.is_deleted:
        raise NotFound("endpoint", endpoint.id)
