"""The books: units, requests and Lambda time of each kind of run, exact and the same on every machine."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from cli.bench.kinds import KINDS, OWNER, Kind, a_job, add
from cli.bench.meter import Bill
from cli.bench.prices import MILLION, PRICES, REGION, dollars
from cli.bench.sizing import DISPATCHER_MB, PLANNER_MB, TICK_MB
from cli.bench.stage import Stage, stage
from rubato.domain.endpoint import Endpoint
from rubato.domain.instant import HOUR, MINUTE
from rubato.domain.lane import Lane
from rubato.domain.limits import Limits, Planning
from rubato.domain.schedule import IntervalBaseline, ManualBaseline
from rubato.usecases.create_job import create_job
from rubato.usecases.run_planner import run_planner
from rubato.usecases.steer_endpoint import pause_endpoint

# What a call of DynamoDB or SQS takes from within the region; an assumption, which measuring here can't replace.
SERVICE_MS = 5
_TICK_MS = 100  # likewise
_IDLE_TICKS = 20
_DAY_TICKS = 24 * 60
# Lambda's poller keeps five long polls of 20 s open for each of the queues, also when nothing comes.
_POLLS_PER_DAY = len(Lane) * 5 * 86_400 / 20
_LOOKS_PER_DAY = 24 * 60 // Planning().minutes
Fact = dict[str, Any]


def unit_facts() -> Iterator[Fact]:
    """The prices, one line for each kind in batches of one and of ten, what rests, and a deployment at rest."""
    million = {name: round(price * MILLION, 6) for name, price in PRICES.items()}
    yield {"bench": "prices", "region": REGION, "dollarsPerMillion": million}
    resting = tick_reads()
    for kind in KINDS:
        yield from (run_fact(kind, batch, resting) for batch in kind.batches)
    yield idle_fact(resting)
    yield deployment_fact(tick_reads(Limits().shards), look_reads())


def run_fact(kind: Kind, batch: int, resting: float) -> Fact:
    """What one run costs, from the claim to the next plan; of the ticks, what they read beyond `resting` each."""
    with stage(batch) as played:
        endpoints = kind.add(played, batch)
        _play(kind, played, endpoints, 1)
        played.forget()
        _play(kind, played, endpoints, kind.rounds)
        return _fact(kind, played, batch, resting)


def tick_reads(shards: int = 1) -> float:
    """Read units of a tick that finds nothing."""
    with stage(shards=shards) as played:
        played.play_until(lambda: played.ticks == 1)
        return played.meter.bill("tick").read_units


def look_reads() -> float:
    """Read units of a planner's schedule that finds no rules, and asks for nothing else as there is no model."""
    with stage() as played:
        with played.meter.charging("planner"):
            run_planner(played.world, played.world.clock.now() + MINUTE)
        return played.meter.bill("planner").read_units


def idle_fact(resting: float) -> Fact:
    """What endpoints between their slots, without any, and paused cost in a day."""
    with stage() as played:
        job = create_job(played.world, OWNER, a_job())
        for name, baseline in (("hourly", IntervalBaseline(HOUR)), ("dormant", ManualBaseline())):
            add(played.world, job, name, baseline)
        paused = add(played.world, job, "paused", IntervalBaseline(HOUR))
        pause_endpoint(played.world, OWNER, paused.id, until=None, reason="at rest")
        played.forget()
        played.play_until(lambda: played.ticks == _IDLE_TICKS)
        bills = list(played.meter.bills.values())
    spent = sum(bill.read_units for bill in bills) - _IDLE_TICKS * resting
    per_day = _DAY_TICKS / _IDLE_TICKS
    return {
        "bench": "units",
        "kind": "idle endpoint, a day",
        "writeUnits": sum(bill.write_units for bill in bills) * per_day,
        "readUnits": spent * per_day,
        "sqsRequests": sum(bill.sqs_requests for bill in bills) * per_day,
    }


def deployment_fact(resting: float, looking: float) -> Fact:
    """What a deployment without endpoints costs in thirty days, free tiers aside."""
    amounts = {
        "readUnits": resting * _DAY_TICKS + looking * _LOOKS_PER_DAY,
        "sqsRequests": _POLLS_PER_DAY,
        "lambdaRequests": _DAY_TICKS + _LOOKS_PER_DAY,
        "lambdaGbSeconds": _DAY_TICKS * _gb_seconds(_TICK_MS, TICK_MB)
        + _LOOKS_PER_DAY * _gb_seconds(_TICK_MS, PLANNER_MB),
    }
    per_day = {name: round(amount, 3) for name, amount in amounts.items()}
    return {"bench": "units", "kind": "idle deployment, a day", **per_day, "dollarsIn30Days": dollars(amounts, 30)}


def _play(kind: Kind, played: Stage, endpoints: list[Endpoint], rounds: int) -> None:
    for _ in range(rounds):
        wanted = played.runs + len(endpoints)
        with played.meter.charging("api"):
            kind.provoke(played, endpoints)
        played.play_until(partial(_has_run, played, wanted))


def _has_run(played: Stage, wanted: int) -> bool:
    return played.runs >= wanted


def _fact(kind: Kind, played: Stage, batch: int, resting: float) -> Fact:
    tick, dispatcher, api = (played.meter.bill(purpose) for purpose in ("tick", "dispatcher", "api"))
    total = {
        "writeUnits": tick.write_units + dispatcher.write_units,
        "readUnits": tick.read_units + dispatcher.read_units - played.ticks * resting,
        # The poller receives a batch with one request and deletes it with another.
        "sqsRequests": tick.sqs_requests + dispatcher.sqs_requests + 2 * played.batches,
        "lambdaRequests": played.batches,
        "lambdaGbSeconds": _gb_seconds(_worker_ms(played, dispatcher, batch)),
    }
    amounts = {name: amount / played.runs for name, amount in total.items()}
    return {
        "bench": "units",
        "kind": kind.name,
        "batch": batch,
        "runs": played.runs,
        **{name: round(amount, 3) for name, amount in amounts.items()},
        "lambdaMs": round(_worker_ms(played, dispatcher, batch) / played.runs),
        "scans": sum(bill.requests["Scan"] for bill in played.meter.bills.values()),
        "apiWriteUnits": round(api.write_units / played.runs, 3),
        "dollarsPerMillion": dollars(amounts, MILLION),
    }


def _worker_ms(played: Stage, bill: Bill, batch: int) -> float:
    """Billed time of the dispatchers: waiting and the target by the clock, calls of AWS as assumed; threads overlap."""
    return played.worker_ms + SERVICE_MS * bill.calls / batch


def _gb_seconds(milliseconds: float, megabytes: int = DISPATCHER_MB) -> float:
    return milliseconds / 1000 * megabytes / 1024
