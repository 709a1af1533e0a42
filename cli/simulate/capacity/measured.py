"""What one run takes, each figure with where it comes from.

Units are those of docs/decisions.md, counted from the code's writes. Processor times are of the 2-core machine of the
README, as a process counts its own; AWS processors may differ. Service times are assumptions, for nobody measured AWS.
"""

from dataclasses import dataclass, replace

from cli.bench.sizing import DISPATCHER_MB, TICK_MB
from cli.simulate.capacity.limits import FULL_PROCESSOR

# A run whose next slot lies within the look-ahead: start 1, finish with the next claim 1, record 1 and its index 1,
# and a share of the count of runs, here one write for a batch.
CHAINED_WRITES = 5
# A slower one: claim 1 and finish 1 + 2 in the due index more.
TICKED_WRITES = 8
RUN_READS = 2
# Of those writes, what falls on the endpoints table; the runs table and its index by job take one each.
CHAINED_STATE_WRITES = 2
TICKED_STATE_WRITES = 3
TICKED_INDEX_WRITES = 2

# The tick reads past an endpoint that is claimed: half a unit for its claim, and a unit for each page of 100 keys.
HELD_READS = 0.5 + 1 / 100
DUE_PAGE = 100

# Processor time in ms: `rubato bench --only workers`, dispatches, claims and passes.
RUN_CPU_MS = 19.0
CLAIM_CPU_MS = 3.6
HELD_CPU_MS = 0.13

# Of the code: usecases/dispatch_run.py, functions/tick, template.yaml.
LOOK_AHEAD_MS = 120_000
TICK_MS = 60_000
TICK_BUDGET_MS = 50_000
START_LEAD_MS = 25
CLAIMERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where it runs. Times in ms, processor times of one whole processor, of which a worker has a share.

    `requests_per_s` is what the store serves where that, and not a table's limit, binds; the units are in its coin.
    """

    name: str
    poll_ms: float
    store_ms: float
    run_cpu_ms: float
    claim_cpu_ms: float
    held_cpu_ms: float
    requests_per_s: float | None
    load_units: float
    finish_units: float
    dispatcher_mb: int
    dispatcher_processor: float
    tick_processor: float


# `rubato local up` of this project: DispatcherConcurrency of samconfig.toml, workers are processes. The emulator
# takes one of the 2 cores, so they share the other.
LOCAL_DISPATCHERS = 4
LOCAL_REQUESTS_PER_S = 300
LOCAL = Place(
    name="local",
    poll_ms=100,
    store_ms=5,
    run_cpu_ms=RUN_CPU_MS,
    claim_cpu_ms=CLAIM_CPU_MS,
    held_cpu_ms=HELD_CPU_MS,
    requests_per_s=LOCAL_REQUESTS_PER_S,
    load_units=1,
    finish_units=2,
    dispatcher_mb=DISPATCHER_MB,
    dispatcher_processor=0.25,
    tick_processor=1,
)

AWS = replace(
    LOCAL,
    name="aws",
    poll_ms=20,
    requests_per_s=None,
    load_units=0,
    finish_units=1,
    dispatcher_processor=DISPATCHER_MB / FULL_PROCESSOR.value,
    tick_processor=TICK_MB / FULL_PROCESSOR.value,
)


def aws(dispatcher_mb: int) -> Place:
    """AWS with so much memory for a dispatcher; Python's threads use one processor at most."""
    return replace(AWS, dispatcher_mb=dispatcher_mb, dispatcher_processor=min(dispatcher_mb / FULL_PROCESSOR.value, 1))
