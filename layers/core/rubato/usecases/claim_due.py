"""Claim what is due within the look-ahead, oldest first over all shards, and put it on the queue."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, takewhile

from rubato.domain import lease, misfire
from rubato.domain.endpoint import Endpoint, EndpointState
from rubato.domain.errors import Conflict, NotFound, WriteRaced
from rubato.domain.lease import Look
from rubato.domain.messages import Message, RunMessage, run_message
from rubato.ports import World
from rubato.usecases.pool import Pool
from rubato.usecases.read_due import Due, Reading, read_due
from rubato.usecases.replan import Changed, replan

# Together they keep within the connections of one client.
_READERS = 8
_CLAIMERS = 16
# Claimed one after the other by one claimer and then sent in one request.
_HANDFUL = 10
# Of a tick's time, one part in so many is kept for claiming, however much there is to read past.
_SHARE_FOR_CLAIMS = 4
# How far, and for how long, a tick that ran out of time still counts what it leaves.
_COUNTED_LEFT = 1000
_COUNTING_MS = 1000


def claim_due(world: World, shards: Sequence[int], deadline: int) -> Counter[str]:
    """Work through the shards until `deadline` (ms), oldest first; gives counts by outcome.

    What is left is younger than what was worked, to within what the claimers have in hand, and stays for the next tick.
    """
    world.telemetry.peak("oldest_due_age", 0)
    horizon = world.clock.now() + world.limits.look_ahead_ms
    counts: Counter[str] = Counter()
    with Pool(_READERS) as readers:
        patience_ends = deadline - (deadline - world.clock.now()) // _SHARE_FOR_CLAIMS
        reading = Reading(horizon=horizon, readers=readers, patience_ends=patience_ends, counts=counts)
        backlog = _Backlog(world, read_due(world, shards, reading), reading, deadline)
        done = _claim_all(world, backlog)
    total = sum(done, counts)
    for outcome, count in total.items():
        world.telemetry.count(outcome, count)
    return total


def overdue(endpoint: Endpoint, now: int) -> Changed:
    """The change behind every belated look: a slot found late is run once or skipped, as configured."""
    state = endpoint.state
    if state.claim is None and not state.is_paused(now) and misfire.is_late(endpoint, now):
        return Changed(misfire.misfire(endpoint, now))
    return Changed(endpoint)


class _Backlog:
    """What is due, for claimers to take from in turn."""

    def __init__(self, world: World, found: Iterator[Due], reading: Reading, deadline: int) -> None:
        self.horizon, self.deadline = reading.horizon, deadline
        self._counts = reading.counts
        self._world = world
        self._found = found
        self._pressing = self._until_deadline()
        self._lock = threading.Lock()

    def take(self) -> list[Due]:
        """The oldest few; nothing when all is taken, or the time is over."""
        with self._lock:
            return list(islice(self._pressing, _HANDFUL))

    def _until_deadline(self) -> Iterator[Due]:
        for due in self._found:
            self._world.telemetry.peak("oldest_due_age", misfire.overdue_ms(due.state, self._world.clock.now()))
            if self._world.clock.now() >= self.deadline:
                self._counts["left"] += self._count(due)
                return
            if self._is_held(due):
                self._counts["held"] += 1
            else:
                yield due

    def _count(self, first: Due) -> int:
        more = takewhile(lambda _: self._world.clock.now() < self.deadline + _COUNTING_MS, self._found)
        return sum(not self._is_held(due) for due in (first, *islice(more, _COUNTED_LEFT - 1)))

    def _is_held(self, due: Due) -> bool:
        return lease.look(due.state, self._world.clock.now(), self.horizon) is Look.LEAVE


def _claim_all(world: World, backlog: _Backlog) -> list[Counter[str]]:
    first = backlog.take()
    if len(first) < _HANDFUL:  # as in most ticks: there is no more
        return [_claim_handful(world, first, backlog)]
    with Pool(_CLAIMERS) as claimers:
        others = [claimers.submit(_claim_from, world, backlog) for _ in range(_CLAIMERS - 1)]
        return [_claim_handful(world, first, backlog), *(other.result() for other in others)]


def _claim_from(world: World, backlog: _Backlog) -> Counter[str]:
    counts: Counter[str] = Counter()
    while handful := backlog.take():
        counts.update(_claim_handful(world, handful, backlog))
    return counts


def _claim_handful(world: World, handful: Sequence[Due], backlog: _Backlog) -> Counter[str]:
    counts: Counter[str] = Counter()
    outgoing: list[Message] = []
    for due in handful:
        if world.clock.now() >= backlog.deadline:
            counts["left"] += 1
        else:
            counts[_try_at(world, due.endpoint_id, due.state, backlog.horizon, outgoing)] += 1
    if outgoing:
        _send(world, outgoing)
    return counts


def _send(world: World, outgoing: Sequence[Message]) -> None:
    """Those that can't be sent are claimed: their leases end soon, and a later tick sends them again."""
    try:
        unsent = len(world.queue.send(outgoing, world.clock.now()))
    except Exception as error:  # noqa: BLE001 - what else is due must not wait for it
        world.telemetry.warn("run messages not sent", count=len(outgoing), error=type(error).__name__)
        return
    if unsent:
        world.telemetry.warn("run messages not sent", count=unsent)


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
    return run_message(endpoint_id, world.endpoints.save_state(endpoint_id, before, after))
