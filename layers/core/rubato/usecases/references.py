"""Looking up the endpoints that another one names: for its refusals, its gate and what it hears."""

from collections.abc import Iterable

from rubato.domain.endpoint import Endpoint, EndpointConfig, EndpointState
from rubato.domain.errors import FieldError, Invalid
from rubato.domain.references import closed_by, followed, references
from rubato.ports import World


def check_references(world: World, config: EndpointConfig, known: EndpointConfig | None = None) -> None:
    """Raise Invalid for unknown names, itself and cycles. Spared when `known`, as stored, says the same."""
    if known is not None and (references(known), known.name) == (references(config), config.name):
        return
    broken = [error for path, names in references(config).items() for error in _broken(world, config, path, names)]
    if broken:
        raise Invalid(*broken)


def closed_gate(world: World, endpoint: Endpoint) -> str | None:
    """Why the claimed slot must not run; None when its gate is open. One-shots, run-nows and retries have no gate."""
    names, claim = endpoint.config.depends_on, endpoint.state.claim
    if not names or claim is None or claim.plan.trigger != "cadence" or claim.attempt > 1:
        return None
    return closed_by(names, _states(world, endpoint.config.job_id, names))


def heard_so_far(world: World, config: EndpointConfig) -> tuple[tuple[str, int], ...]:
    """When each of the followed endpoints last finished a scheduled run with success."""
    states = _states(world, config.job_id, followed(config))
    return tuple((name, state.succeeded_at) for name, state in states.items() if state.succeeded_at is not None)


def _broken(world: World, config: EndpointConfig, path: str, names: tuple[str, ...]) -> list[FieldError]:
    if config.name in names:
        return [FieldError(path, f"{config.name!r} is the endpoint itself; name others")]
    found = world.endpoints.named(config.job_id, names)
    unknown = [name for name in names if name not in found]
    if unknown:
        return [FieldError(path, f"the job has no endpoint {', '.join(map(repr, unknown))}; create it first")]
    if _leads_to(world, config, names):
        return [FieldError(path, f"makes a cycle: what it names waits for {config.name!r} in turn; leave one out")]
    return []


def _leads_to(world: World, config: EndpointConfig, names: Iterable[str]) -> bool:
    """Whether following references from `names` comes back to the endpoint."""
    seen: set[str] = set()
    frontier = set(names)
    while frontier:
        seen |= frontier
        found = world.endpoints.named(config.job_id, tuple(sorted(frontier)))
        others = [each for each in world.endpoints.load_many(tuple(found.values())) if each.id != config.endpoint_id]
        frontier = {name for each in others for named in references(each.config).values() for name in named} - seen
        if config.name in frontier:
            return True
    return False


def _states(world: World, job_id: str, names: tuple[str, ...]) -> dict[str, EndpointState]:
    found = world.endpoints.named(job_id, names)
    states = world.endpoints.states(tuple(found.values()), latest=True)
    return {name: states[endpoint_id] for name, endpoint_id in found.items() if endpoint_id in states}
