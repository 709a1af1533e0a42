"""The one place that moves a next run: read, change, settle by the governor, write conditionally, send if imminent."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from rubato.domain import lease, steering
from rubato.domain.audit import Event
from rubato.domain.endpoint import Endpoint
from rubato.domain.errors import Conflict, NotFound, WriteRaced
from rubato.domain.messages import RunMessage, run_message
from rubato.ports import World
from rubato.usecases.record_event import expiry_event
from rubato.usecases.send_messages import send_messages

MAX_TRIES = 10


class TooManyWriters(Conflict):
    """Others wrote between each reading and its write; trying again later may work."""

    def __init__(self, endpoint_id: str) -> None:
        super().__init__(f"endpoint {endpoint_id} is being changed by too many writers; try again")


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change made of an endpoint, the audit events that tell of it, and whether it may move the next run."""

    endpoint: Endpoint
    events: tuple[Event, ...] = ()
    moves: bool = True


Change = Callable[[Endpoint, int], Changed]


def unchanged(endpoint: Endpoint, _now: int) -> Changed:
    """Replan only."""
    return Changed(endpoint)


def replan(world: World, endpoint_id: str, change: Change = unchanged, known: Endpoint | None = None) -> Endpoint:
    """Apply `change` and settle what comes next; gives the endpoint as stored.

    `change` may be called several times, each time on a fresh reading, until no other writer came between.
    `known` spares the first reading to a caller that holds one. Raises NotFound, and Conflict under endless races.
    """
    before = known or _load(world, endpoint_id)
    for _ in range(MAX_TRIES):
        now = world.clock.now()
        current, expiries = _without_expired(world, before, now)
        changed = change(current, now)
        events = (*expiries, *changed.events)
        after = changed.endpoint
        if changed.moves or expiries:
            after = lease.settle(after, now, world.limits.look_ahead_ms)
        if after == before and not events:
            return before
        try:
            saved = world.endpoints.save(before, after, *events)
        except WriteRaced:
            before = _load(world, endpoint_id)
            continue
        announce(world, before, saved, now)
        return saved
    raise TooManyWriters(endpoint_id)


def replanned(world: World, endpoint_id: str, change: Change, warning: str) -> bool:
    """Replan one of many, who must hear of it whatever becomes of this one; gives whether it did, or is gone.

    What fails is told by the warning: a second look comes back to it.
    """
    try:
        replan(world, endpoint_id, change)
    except NotFound:
        return True
    except Exception as error:  # noqa: BLE001 - see above
        world.telemetry.warn(warning, endpointId=endpoint_id, error=type(error).__name__)
        return False
    return True


def announce(world: World, before: Endpoint | None, after: Endpoint, now: int) -> None:
    """Send what became imminent: a fresh claim, or the end of a pause within the look-ahead."""
    message = _claimed(before, after) or _waking(world, after, now)
    if message is not None:
        # The claim's lease covers a loss: the tick sends it again.
        send_messages(world, [message], "run message not sent", endpointId=after.id, runId=message.run_id)


def _claimed(before: Endpoint | None, after: Endpoint) -> RunMessage | None:
    claim = after.state.claim
    known = before.state.claim if before is not None else None
    if claim is None or (known is not None and known.fence == claim.fence):
        return None
    return run_message(after.id, after.state)


def _waking(world: World, after: Endpoint, now: int) -> RunMessage | None:
    state = after.state
    if state.claim is not None or not state.parked or state.wake_at is None:
        return None
    imminent = state.wake_at <= now + world.limits.look_ahead_ms
    return RunMessage(endpoint_id=after.id, due=state.wake_at) if imminent else None


def _without_expired(world: World, endpoint: Endpoint, now: int) -> tuple[Endpoint, tuple[Event, ...]]:
    """One-shots that never fired and no longer may are taken away, and the trail says so."""
    expired = steering.expired_one_shots(endpoint, now)
    if not expired:
        return endpoint, ()
    kept = tuple(hint for hint in endpoint.hints if hint not in expired)
    return replace(endpoint, hints=kept), tuple(expiry_event(world, endpoint, hint) for hint in expired)


def _load(world: World, endpoint_id: str) -> Endpoint:
    endpoint = world.endpoints.load(endpoint_id)
    if endpoint is None:
        raise NotFound("endpoint", endpoint_id)
    return endpoint
