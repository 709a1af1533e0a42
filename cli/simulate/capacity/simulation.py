"""The loop of Rubato as events: ticks claim, the queue holds back, dispatchers wait, call, record and send the next."""

import heapq
import random
from dataclasses import dataclass, field

from cli.simulate.capacity import limits, measured
from cli.simulate.capacity.clock import Loop
from cli.simulate.capacity.deployment import Deployment
from cli.simulate.capacity.store import Store
from cli.simulate.capacity.traffic import Traffic

_BATCH = int(limits.BATCH.value)
_DRIFT_MS = 20_000
_SECOND = 1000


@dataclass(slots=True)
class Outcome:
    """What became of the slots. Lateness in ms; `busy_ms` is the time of all dispatchers together."""

    due: int = 0
    lateness: list[float] = field(default_factory=list)
    batches: int = 0
    busy_ms: float = 0
    in_flight: int = 0
    left: int = 0
    throttled: int = 0

    @property
    def waiting(self) -> int:
        """Slots that came and were not called when the simulation ended: none is ever lost."""
        return self.due - len(self.lateness)

    def late(self, share: float) -> float:
        """The lateness that this share of the calls did not exceed; those still waiting count as latest."""
        if not self.lateness:
            return 0.0
        ordered = sorted(self.lateness)
        at = int(share * (len(ordered) + self.waiting))
        return ordered[min(at, len(ordered) - 1)]


class Simulation:
    """One deployment under one traffic. Deterministic: the seed of the traffic decides everything."""

    def __init__(self, traffic: Traffic, deployment: Deployment) -> None:
        self.outcome = Outcome()
        self.traffic, self.here = traffic, deployment
        self.loop, self.chance = Loop(), random.Random(traffic.seed + 2)  # noqa: S311 - a simulation
        place = deployment.place
        if place.requests_per_s:
            self.store = Store(place.requests_per_s, place.store_ms, burst_s=0)
        else:
            self.store = Store(deployment.writes_per_s, place.store_ms)
        self.takes = traffic.durations()
        self.cpu_ms = place.run_cpu_ms / place.dispatcher_processor
        self._visible: list[tuple[float, int, float]] = []
        self._planned: list[tuple[float, int]] = []
        self._working = 0
        self._flying = 0
        self.end = 0.0

    def run(self, seconds: float, drain: float = 0) -> Outcome:
        """Slots of so many seconds; then let the last ones come home for `drain` seconds, without new ones."""
        self.end = seconds * _SECOND
        for endpoint, slot in enumerate(self.traffic.first_slots()):
            self.plan(endpoint, slot, now=-_SECOND * self.chance.random())
        self.loop.at(self.chance.random() * _DRIFT_MS, self._tick)
        self.loop.run_until(self.end + drain * _SECOND)
        self.outcome.throttled = self.store.throttled
        return self.outcome

    def plan(self, endpoint: int, slot: float, now: float) -> None:
        """The next slot: sent at once when imminent, else left to a tick."""
        if slot >= self.end:
            return
        self.loop.at(slot, self._count_due)
        if slot <= now + measured.LOOK_AHEAD_MS:
            self._send(endpoint, slot, now)
        else:
            heapq.heappush(self._planned, (slot, endpoint))

    def _count_due(self) -> None:
        self.outcome.due += 1

    def _send(self, endpoint: int, slot: float, now: float) -> None:
        """SQS delays by whole seconds, rounded down."""
        visible = now + max(slot - now, 0) // _SECOND * _SECOND
        self.loop.at(visible, lambda: self._show(visible, endpoint, slot))

    def _show(self, visible: float, endpoint: int, slot: float) -> None:
        heapq.heappush(self._visible, (visible, endpoint, slot))
        self._engage()

    def _engage(self) -> None:
        """A free dispatcher takes up to a batch of what is there; Lambda does not wait for a full one."""
        if not self._visible:
            return
        if self._working >= self.here.workers_at(self.loop.now):
            if not self._working:
                self.loop.at(self.loop.now + _SECOND, self._engage)
            return
        taken = [heapq.heappop(self._visible) for _ in range(min(_BATCH, len(self._visible)))]
        self._working += 1
        self._flying += len(taken)
        out = self.outcome
        out.batches += 1
        out.in_flight = max(out.in_flight, self._flying)
        _Batch(self, [(endpoint, slot) for _, endpoint, slot in taken]).begin(self.loop.now)

    def release(self, size: int, begun: float) -> None:
        self._working -= 1
        self._flying -= size
        self.outcome.busy_ms += self.loop.now - begun
        # More than one may be let in now: Lambda's allowance has grown meanwhile.
        for _ in range(2):
            self._engage()

    def _tick(self) -> None:
        """Read past what is claimed, then claim what is due within the look-ahead, oldest first."""
        place, now = self.here.place, self.loop.now
        self.loop.at(now + measured.TICK_MS, self._tick)
        power = place.tick_processor * self.here.tick_workers
        held = self.traffic.endpoints - len(self._planned)
        at, deadline = now + held * place.held_cpu_ms / power, now + measured.TICK_BUDGET_MS
        each = max(place.claim_cpu_ms / power, place.store_ms / measured.CLAIMERS / self.here.tick_workers)
        while self._planned and self._planned[0][0] <= now + measured.LOOK_AHEAD_MS:
            at += each
            if at >= deadline:
                self.outcome.left += 1
                break
            slot, endpoint = heapq.heappop(self._planned)
            self.loop.at(at, lambda e=endpoint, s=slot: self._claim(e, s))  # type: ignore[misc]

    def _claim(self, endpoint: int, slot: float) -> None:
        self._send(endpoint, slot, self.store.ask(self.loop.now, 1))


class _Batch:
    """One invocation of the dispatcher: its messages share its processor, and it ends with the last of them."""

    def __init__(self, simulation: Simulation, messages: list[tuple[int, float]]) -> None:
        self._sim = simulation
        self._messages = messages
        self._left = len(messages)
        self._begun = 0.0

    def begin(self, now: float) -> None:
        sim = self._sim
        self._begun = now
        ready = now + sim.here.place.poll_ms
        for endpoint, slot in self._messages:
            # Half of a run's processor time comes before the call, half after.
            ready += sim.cpu_ms / 2
            loaded = sim.store.ask(ready, sim.here.place.load_units)
            start = max(loaded, slot - measured.START_LEAD_MS)
            sim.loop.at(start, lambda e=endpoint, s=slot: self._start(e, s))  # type: ignore[misc]

    def _start(self, endpoint: int, slot: float) -> None:
        sim = self._sim
        called = max(sim.store.ask(sim.loop.now, 1), slot)
        sim.loop.at(called, lambda: self._call(endpoint, slot))

    def _call(self, endpoint: int, slot: float) -> None:
        sim = self._sim
        sim.outcome.lateness.append(sim.loop.now - slot)
        answered = sim.loop.now + sim.takes[endpoint]
        sim.loop.at(answered + sim.cpu_ms / 2, lambda: self._finish(endpoint, slot))

    def _finish(self, endpoint: int, slot: float) -> None:
        sim = self._sim
        recorded = sim.loop.now + sim.here.place.store_ms
        sim.loop.at(sim.store.ask(recorded, sim.here.place.finish_units), lambda: self._done(endpoint, slot))

    def _done(self, endpoint: int, slot: float) -> None:
        sim = self._sim
        now, interval = sim.loop.now, sim.traffic.interval_ms
        passed = max(int((now - slot) // interval), 0)
        sim.plan(endpoint, slot + (passed + 1) * interval, now)
        self._left -= 1
        if not self._left:
            sim.release(len(self._messages), self._begun)
