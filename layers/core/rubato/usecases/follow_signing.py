"""The endpoints of a tenant know whose keys sign their requests, whatever dies on the way.

So the dispatcher learns it with the endpoint, and an unsigned run costs nothing.
"""

from collections.abc import Iterable

from rubato.domain.endpoint import Endpoint
from rubato.domain.errors import NotFound
from rubato.domain.instant import SECOND
from rubato.domain.messages import SigningMessage
from rubato.domain.signing import signed_by
from rubato.ports import World
from rubato.usecases.get_job import endpoint_ids
from rubato.usecases.pages import every
from rubato.usecases.pool import Pool
from rubato.usecases.replan import Changed, replan
from rubato.usecases.send_messages import send_messages

_PARALLEL = 8
_PAGE = 200
# Longer than the API function may run: by then it has followed, or died.
_SECOND_LOOK_MS = 45 * SECOND
# The API answers, with a secret that is shown once, before its time is up; the second look goes on.
_PATIENCE_MS = 12 * SECOND

Holders = frozenset[str | None]


def promise_to_follow_signing(world: World, tenant_id: str) -> None:
    """Put a second look on the queue before the first begins; it also finds endpoints that were added meanwhile."""
    message = SigningMessage(tenant_id=tenant_id, due=world.clock.now() + _SECOND_LOOK_MS)
    send_messages(world, [message], "second look at signing not sent", tenantId=tenant_id)


def take_second_look_at_signing(world: World, message: SigningMessage) -> str:
    """What the dispatcher does with such a message. Writes nothing where all is well."""
    follow_signing(world, message.tenant_id)
    return "followed"


def follow_signing_for_now(world: World, tenant_id: str, endpoint_id: str | None) -> None:
    """What the API does of it: the endpoint, or for None as many of the tenant's as its time allows."""
    if endpoint_id is None:
        follow_signing(world, tenant_id, until=world.clock.now() + _PATIENCE_MS)
    else:
        _mark(world, [endpoint_id], _holders(world, tenant_id))


def follow_signing(world: World, tenant_id: str, until: int | None = None) -> None:
    """Make every endpoint follow; goes on until no keys came or went meanwhile, or until that instant (ms)."""
    while True:
        holders = _holders(world, tenant_id)
        for job in every(lambda after: world.jobs.list(tenant_id, None, _PAGE, after)):
            if until is not None and world.clock.now() > until:
                world.telemetry.info("signing follows later", tenantId=tenant_id)
                return
            _mark(world, endpoint_ids(world, job.job_id), holders)
        if _holders(world, tenant_id) == holders:
            return


def _holders(world: World, tenant_id: str) -> Holders:
    keys = every(lambda after: world.signing_keys.list(tenant_id, _PAGE, after))
    return frozenset(key.endpoint_id for key in keys)


def _mark(world: World, endpoints: Iterable[str], holders: Holders) -> None:
    def follow(endpoint: Endpoint, _now: int) -> Changed:
        return Changed(endpoint.with_state(signed_by=signed_by(endpoint.id, holders)), moves=False)

    def mark(endpoint_id: str) -> None:
        try:
            replan(world, endpoint_id, follow)
        except NotFound:
            return

    known = world.endpoints.states(list(endpoints), latest=True)
    wrong = [each for each, state in known.items() if state.signed_by is not signed_by(each, holders)]
    with Pool(_PARALLEL) as pool:
        list(pool.map(mark, wrong))
