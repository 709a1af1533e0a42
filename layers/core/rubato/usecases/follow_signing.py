"""The endpoints of a tenant know the keys that sign their requests, whatever dies on the way.

So the dispatcher learns them with the endpoint: an unsigned run costs nothing, and what is not named does not sign.
"""

from collections.abc import Iterable

from rubato.domain.endpoint import Endpoint
from rubato.domain.errors import Unavailable
from rubato.domain.instant import SECOND
from rubato.domain.messages import SigningMessage
from rubato.domain.signing import Live, signers
from rubato.ports import World
from rubato.usecases.get_job import endpoint_ids
from rubato.usecases.pages import every
from rubato.usecases.pool import Pool
from rubato.usecases.replan import Changed, replanned
from rubato.usecases.send_messages import send_messages

_PARALLEL = 8
_PAGE = 200
# Longer than the API function may run: by then it has followed, or died.
_SECOND_LOOK_MS = 45 * SECOND
# The API answers, with a secret that is shown once, before its time is up; the second look goes on.
_PATIENCE_MS = 12 * SECOND
_TRY_AGAIN_S = 10


class _NotFollowed(Exception):
    """Some endpoints could not be told; the message must come back."""


def promise_to_follow_signing(world: World, tenant_id: str) -> None:
    """Put a second look on the queue before the first begins; it also finds endpoints that were added meanwhile.

    Raises Unavailable when it is not known to be there: without it endpoints might stay unsigned for good.
    """
    message = SigningMessage(tenant_id=tenant_id, due=world.clock.now() + _SECOND_LOOK_MS)
    if not send_messages(world, [message], "second look at signing not sent", tenantId=tenant_id):
        raise Unavailable("the queue can't be reached, so nothing was changed; try again", _TRY_AGAIN_S)


def take_second_look_at_signing(world: World, message: SigningMessage) -> str:
    """What the dispatcher does with such a message. Writes nothing where all is well.

    Raises when somebody could not be told; the message comes back, in the end as a dead letter, which is an alarm.
    """
    if not _follow_signing(world, message.tenant_id):
        raise _NotFollowed(message.tenant_id)
    return "followed"


def follow_signing_for_now(world: World, tenant_id: str, endpoint_id: str | None) -> None:
    """What the API does of it: the endpoint, or for None as many of the tenant's as its time allows. Raises nothing."""
    try:
        if endpoint_id is None:
            done = _follow_signing(world, tenant_id, until=world.clock.now() + _PATIENCE_MS)
        else:
            done = _tell(world, tenant_id, endpoint_id)
    except Exception as error:  # noqa: BLE001 - the key is there, and its secret is shown this once
        done = False
        world.telemetry.warn("signing not followed", tenantId=tenant_id, error=type(error).__name__)
    if not done:
        world.telemetry.info("signing follows later", tenantId=tenant_id)


def _follow_signing(world: World, tenant_id: str, until: int | None = None) -> bool:
    """Make every endpoint follow, until no keys came or went meanwhile or until that instant (ms); gives if all did."""
    done = True
    while True:
        live = _live(world, tenant_id)
        for job in every(lambda after: world.jobs.list(tenant_id, None, _PAGE, after)):
            if until is not None and world.clock.now() > until:
                return False
            done &= _tell_all(world, tenant_id, endpoint_ids(world, job.job_id), live)
        if _live(world, tenant_id) == live:
            return done


def _live(world: World, tenant_id: str) -> Live:
    live: dict[str | None, list[str]] = {}
    for key in every(lambda after: world.signing_keys.list(tenant_id, _PAGE, after)):
        live.setdefault(key.endpoint_id, []).append(key.key_id)
    return live


def _tell_all(world: World, tenant_id: str, endpoints: Iterable[str], live: Live) -> bool:
    known = world.endpoints.states(list(endpoints), latest=True)
    wrong = [each for each, state in known.items() if state.signers != signers(each, live)]
    with Pool(_PARALLEL) as pool:
        return all(list(pool.map(lambda endpoint_id: _tell(world, tenant_id, endpoint_id), wrong)))


def _tell(world: World, tenant_id: str, endpoint_id: str) -> bool:
    """The endpoint hears of its keys as they stand after it was read, so that of two who tell the later is right."""

    def told(endpoint: Endpoint, _now: int) -> Changed:
        holders = (endpoint_id, None)
        live = {holder: _ids(world, tenant_id, holder) for holder in holders}
        return Changed(endpoint.with_state(signers=signers(endpoint_id, live)), moves=False)

    return replanned(world, endpoint_id, told, "endpoint not told of its keys")


def _ids(world: World, tenant_id: str, holder: str | None) -> list[str]:
    return [key.key_id for key in world.signing_keys.of_holder(tenant_id, holder)]
