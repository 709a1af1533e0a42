"""The tick: look at everything that is due within the look-ahead, oldest first, and put it on the queue."""

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from rubato.domain import lease, misfire
from rubato.domain.endpoint import Endpoint, EndpointState
from rubato.domain.errors import Conflict, NotFound, WriteRaced
from rubato.domain.lease import Look
from rubato.domain.messages import Message, RunMessage
from rubato.ports import World
from rubato.usecases.enforce_quota import release_lifted
from rubato.usecases.replan import Changed, replan

_PARALLEL_SHARDS = 16


def claim_due(world: World, shards: Iterable[int], deadline: int) -> Counter[str]:
    """Work through the shards until `deadline` (ms); what is left stays for the next tick. Gives counts by outcome."""
    total: Counter[str] = Counter()
    _release_lifted(world)
    with ThreadPoolExecutor(_PARALLEL_SHARDS) as pool:
        for counts in pool.map(lambda shard: _claim_shard(world, shard, deadline), shards):
            total.update(counts)
    for outcome, count in total.items():
        world.telemetry.count(outcome, count)
    return total


def overdue(endpoint: Endpoint, now: int) -> Changed:
    """The change behind every belated look: a slot found late is run once or skipped, as configured."""
    state = endpoint.state
    if state.claim is None and not state.is_paused(now) and misfire.is_late(endpoint, now):
        return Changed(misfire.misfire(endpoint, now))
    return Changed(endpoint)


def _release_lifted(world: World) -> None:
    try:
        release_lifted(world)
    except Exception as error:  # noqa: BLE001 - due runs must not wait for it; the next tick looks again
        world.telemetry.warn("lifted quotas not looked at", error=type(error).__name__)


def _claim_shard(world: World, shard: int, deadline: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    horizon = world.clock.now() + world.limits.look_ahead_ms
    for page in world.endpoints.due(shard, horizon):
        if world.clock.now() >= deadline:
            counts["left"] += len(page)
            break
        counts.update(_claim_page(world, page, horizon, deadline))
    return counts


def _claim_page(world: World, page: Sequence[str], horizon: int, deadline: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    outgoing: list[Message] = []
    states = world.endpoints.states(page)
    for endpoint_id in page:
        if world.clock.now() >= deadline:
            counts["left"] += 1
        elif endpoint_id in states:
            counts[_try_at(world, endpoint_id, states[endpoint_id], horizon, outgoing)] += 1
    unsent = world.queue.send(outgoing, world.clock.now())
    if unsent:
        # Each of them is claimed: its lease ends soon and a later tick sends it again.
        world.telemetry.warn("run messages not sent", count=len(unsent))
    return counts


def _try_at(world: World, endpoint_id: str, state: EndpointState, horizon: int, outgoing: list[Message]) -> str:
    try:
        return _look_at(world, endpoint_id, state, horizon, outgoing)
    except (WriteRaced, Conflict, NotFound):
        # Somebody else moved it: theirs is the newer truth.
        return "raced"
    except Exception as error:  # noqa: BLE001 - one endpoint must not withhold the messages of the others
        world.telemetry.warn("tick failed for an endpoint", endpointId=endpoint_id, error=type(error).__name__)
        return "failed"


def _look_at(world: World, endpoint_id: str, state: EndpointState, horizon: int, outgoing: list[Message]) -> str:
    now = world.clock.now()
    match lease.look(state, now, horizon):
        case Look.CLAIM:
            outgoing.append(_save_claim(world, endpoint_id, state, lease.claim_next(endpoint_id, state, now)))
            return "claimed"
        case Look.RESEND:
            outgoing.append(_save_claim(world, endpoint_id, state, lease.resend(state, now)))
            return "resent"
        case Look.RECOVER:
            outgoing.append(_save_claim(world, endpoint_id, state, lease.recover(state, now)))
            return "recovered"
        case Look.WAKE:
            assert state.wake_at is not None
            outgoing.append(RunMessage(endpoint_id=endpoint_id, due=state.wake_at))
            return "woken"
        case Look.REPLAN:
            replan(world, endpoint_id, overdue)
            return "replanned"
        case Look.LEAVE:
            return "held"


def _save_claim(world: World, endpoint_id: str, before: EndpointState, after: EndpointState) -> RunMessage:
    saved = world.endpoints.save_state(endpoint_id, before, after)
    claim = saved.claim
    assert claim is not None
    return RunMessage(endpoint_id=endpoint_id, due=claim.call_at, run_id=claim.run_id, fence=claim.fence)
