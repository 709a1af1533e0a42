"""From a simulated slice to what a whole deployment needs, costs and runs into."""

from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from cli.bench.prices import PRICES
from cli.bench.sizing import TICK_MB
from cli.simulate.capacity import limits, measured
from cli.simulate.capacity.deployment import Deployment, slices
from cli.simulate.capacity.measured import Place
from cli.simulate.capacity.simulation import Outcome, Simulation
from cli.simulate.capacity.traffic import Spread, Traffic
from cli.trouble import Trouble

_SLICE = 10_000
_SEARCH_S = 30
_SECONDS = 90
_DRAIN_S = 30
_MONTH_S = 30 * 86_400
_MARGIN = 1.5
_LEAST_SHARDS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a load asks of AWS, a second or at once."""

    runs: float
    is_chained: bool
    held: int

    @property
    def state_writes(self) -> float:
        """Write units a second on the endpoints table, without its index."""
        return self.runs * (measured.CHAINED_STATE_WRITES if self.is_chained else measured.TICKED_STATE_WRITES)

    @property
    def tick_reads(self) -> float:
        """Read units of one tick that reads past what is claimed."""
        return self.held * measured.HELD_READS


def needs_of(traffic: Traffic) -> Needs:
    """Runs a second, whether they chain themselves, and how many endpoints each tick reads past."""
    is_chained = traffic.interval_ms <= measured.LOOK_AHEAD_MS
    share = 1 if is_chained else measured.LOOK_AHEAD_MS / traffic.interval_ms
    runs = traffic.endpoints * 1000 / traffic.interval_ms
    return Needs(runs=runs, is_chained=is_chained, held=round(traffic.endpoints * share))


def shards_for(needs: Needs) -> int:
    """Each shard is one key of the due index, and so within what one partition writes, and can be walked in a tick."""
    writes = 0 if needs.is_chained else needs.runs * measured.TICKED_INDEX_WRITES
    by_writes = writes * _MARGIN / limits.PARTITION_WRITES.value
    pages = needs.held / measured.DUE_PAGE
    by_walk = pages * 2 * measured.AWS.store_ms * _MARGIN / measured.TICK_BUDGET_MS
    # A worker of the tick takes whole shards.
    return max(ceil(by_writes), ceil(by_walk), tick_workers_for(needs), _LEAST_SHARDS)


def tick_workers_for(needs: Needs) -> int:
    """So many that each reads past its share of claimed endpoints, and claims the rest, within a tick."""
    place = measured.AWS
    claims = 0 if needs.is_chained else needs.runs * measured.TICK_MS / 1000
    cpu_ms = needs.held * place.held_cpu_ms + claims * place.claim_cpu_ms
    return max(ceil(cpu_ms / place.tick_processor * _MARGIN / measured.TICK_BUDGET_MS), 1)


def enough(traffic: Traffic, p99_ms: float, place: Place = measured.AWS) -> int:
    """The fewest dispatchers, to within a twentieth, with which 99 % of the calls are at most `p99_ms` late.

    Raises Trouble when no number of them is enough.
    """
    factor = slices(traffic, _SLICE)
    part = replace(traffic, endpoints=ceil(traffic.endpoints / factor))

    def suffice(workers: int) -> bool:
        outcome = Simulation(part, _ample(workers, place)).run(_SEARCH_S, _DRAIN_S)
        return outcome.late(0.99) <= p99_ms and not outcome.waiting

    most = 1
    while not suffice(most):
        if most > part.endpoints:
            raise Trouble(
                f"no number of dispatchers keeps 99 % of the calls within {p99_ms:g} ms; allow more with --p99-ms"
            )
        most *= 2
    least = most // 2
    while most - least > max(most // 20, 1):
        middle = (least + most) // 2
        least, most = (least, middle) if suffice(middle) else (middle, most)
    return most * factor


def _ample(workers: float, place: Place) -> Deployment:
    return Deployment(dispatchers=workers, tick_workers=1_000, writes_per_s=None, place=place)


def simulate(traffic: Traffic, deployment: Deployment) -> tuple[Outcome, int]:
    """The outcome of one slice, and how many slices make the whole."""
    factor = slices(traffic, _SLICE)
    part = replace(traffic, endpoints=ceil(traffic.endpoints / factor))
    return Simulation(part, deployment.sliced(factor)).run(_SECONDS, _DRAIN_S), factor


def answer(traffic: Traffic, deployment: Deployment) -> dict[str, Any]:
    """Everything worth telling, ready for JSON."""
    needs = needs_of(traffic)
    outcome, factor = simulate(traffic, deployment)
    calls = max(len(outcome.lateness), 1)
    return {
        "endpoints": traffic.endpoints,
        "everyS": traffic.interval_ms / 1000,
        "spread": str(traffic.spread),
        "place": deployment.place.name,
        "dispatcherMb": deployment.place.dispatcher_mb,
        "slice": f"1/{factor}",
        "runsPerS": round(needs.runs),
        "shards": deployment.shards,
        "tickWorkers": int(deployment.tick_workers),
        "dispatchers": int(deployment.dispatchers),
        "due": outcome.due,
        "called": len(outcome.lateness),
        "waiting": outcome.waiting,
        "leftByTicks": outcome.left,
        "throttled": outcome.throttled,
        "latenessMs": {name: round(outcome.late(share)) for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1))},
        "perBatch": round(calls / max(outcome.batches, 1), 1),
        "inFlight": outcome.in_flight * factor,
        "writesPerS": round(needs.state_writes),
        "readsPerTick": round(needs.tick_reads),
        "dollarsPerMonth": cost(needs, outcome, deployment.place),
        "exceeds": exceeded(needs, deployment, outcome.in_flight * factor, outcome.batches * factor / _SECONDS),
    }


def cost(needs: Needs, outcome: Outcome, place: Place) -> dict[str, int]:
    """Dollars of 30 days, by service, without what the targets' traffic or logs cost."""
    runs, ticks = needs.runs * _MONTH_S, _MONTH_S * 1000 / measured.TICK_MS
    calls = max(len(outcome.lateness), 1)
    batches = outcome.batches / calls
    writes = measured.CHAINED_WRITES - 1 + batches if needs.is_chained else measured.TICKED_WRITES - 1 + batches
    sends = 1 if needs.is_chained else 1 / limits.BATCH.value
    gb_s = outcome.busy_ms / calls / 1000 * place.dispatcher_mb / 1024
    parts = {
        "writes": runs * writes * PRICES["writeUnits"],
        "reads": (runs * measured.RUN_READS + ticks * needs.tick_reads) * PRICES["readUnits"],
        "queue": runs * (sends + 2 * batches) * PRICES["sqsRequests"],
        "lambda": runs * (gb_s * PRICES["lambdaGbSeconds"] + batches * PRICES["lambdaRequests"])
        + ticks * _tick_cost(needs),
    }
    rounded = {name: round(amount) for name, amount in parts.items()}
    return {**rounded, "sum": sum(rounded.values())}


def _tick_cost(needs: Needs) -> float:
    seconds = needs.held * measured.AWS.held_cpu_ms / measured.AWS.tick_processor / 1000
    return seconds * TICK_MB / 1024 * PRICES["lambdaGbSeconds"]


def exceeded(needs: Needs, deployment: Deployment, in_flight: int, batches_per_s: float) -> list[dict[str, Any]]:
    """The published limits that the load needs more than, the most exceeded first."""
    tick_s = measured.TICK_BUDGET_MS / 1000
    asked = [
        (limits.MAPPING_CONCURRENCY, "SQS to Lambda, MaximumConcurrency", deployment.dispatchers),
        (limits.CONCURRENCY, "Lambda at once", deployment.dispatchers + deployment.tick_workers),
        (limits.TABLE_WRITES, "writes on the endpoints table", needs.state_writes),
        (limits.TABLE_READS, "reads by the tick", needs.tick_reads / tick_s + needs.runs),
        (limits.IN_FLIGHT, "SQS in flight", in_flight),
        (limits.PARTITION_WRITES, "runs/s of one job (index byJob)", needs.runs),
        (limits.PARTITION_WRITES, "batches/s of one tenant (its count of runs)", batches_per_s),
    ]
    over = [(needed / limit.value, limit, name, needed) for limit, name, needed in asked if needed > limit.value]
    over.sort(key=lambda each: -each[0])
    return [
        {
            "limit": name,
            "needed": round(needed),
            "published": round(limit.value),
            "unit": limit.unit,
            "ask": limit.quota,
        }
        for _, limit, name, needed in over
    ]


def first_dispatchers(spread: Spread) -> float | None:
    """A herd meets a queue that was idle; a steady load has long grown what it needs."""
    return limits.MAPPING_START.value if spread is Spread.TOGETHER else None
