"""What a scenario is: a blueprint file, a world of targets, and claims about what must come out.

    SCENARIO = Scenario(
        name="etl-pipeline",                     # `rubato simulate etl-pipeline`
        blueprint="etl-pipeline",                # docs/blueprints/etl-pipeline.json
        summary="dependsOn order with retries and lag",
        minutes=120,                             # how long it plays, after a lead-in of `lead_in_minutes`
        targets=Warehouse,                       # called once for each play: a fresh Targets
        claims=claims,                           # Record -> Verdicts
    )

Write one in cli/simulate/scenarios/, and name it in scenarios/__init__.py: the command, `--all` and the tests follow.

Times are in ms since minute 0 of the scenario, which is `begins` (ms since the epoch, UTC); they are negative in the
lead-in, for which the job has stood before anything happens. The blueprint calls its targets at `${shop}` + path. A
target sees a Visit and gives an Answer; it is asked at the very instant at which the run calls, and may remember. The
Record holds what happened (members, runs, changes, calls); a Verdict is a sentence, whether it held, and the evidence.
The promises that every scenario makes (promises.py: never early, late, doubled, lost; nobody called while paused; each
one-shot once, at its time) are added to its own claims.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from cli.simulate.play.record import Record

MINUTE = 60_000
# A Wednesday, at midnight.
MIDNIGHT = round(datetime(2025, 1, 1, tzinfo=UTC).timestamp() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A call as the target sees it. `at` in ms since minute 0, `attempt` from 1."""

    at: int
    method: str
    path: str
    body: bytes | None = None
    attempt: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a target says, and how long it takes over it (ms). `body` is any JSON value."""

    body: Any = field(default_factory=dict)
    status: int = 200
    takes_ms: int = 50
    headers: tuple[tuple[str, str], ...] = ()


class Targets(Protocol):
    """The world that the runs call."""

    def answer(self, visit: Visit) -> Answer:
        """What is there at `visit.path` at that moment."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """One claim: the sentence, whether it held, and what shows it.

    `measured`: it compares instants that were measured, and so is only as exact as the record's grace.
    """

    claim: str
    held: bool
    evidence: str
    measured: bool = False


Claims = Callable[[Record], Iterable[Verdict]]
Tell = Callable[[int], Mapping[str, str]]


Rows = list[dict[str, str]]


def _nothing(_minute: int) -> Mapping[str, str]:
    return {}


def _no_rows(_record: Record) -> Rows:
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """See the module. `tell` gives the further columns of the per-minute table, by name, for a minute.

    `phases` are (first minute, name), for the summaries; `sums` gives the rows of a table that closes the report.
    `in_memory` plays over the stores in memory, in a moment.
    """

    name: str
    blueprint: str
    summary: str
    minutes: int
    targets: Callable[[], Targets]
    claims: Claims
    lead_in_minutes: int = 10
    begins: int = MIDNIGHT
    phases: tuple[tuple[int, str], ...] = ()
    tell: Tell = _nothing
    sums: Callable[[Record], Rows] = _no_rows
    in_memory: bool = False

    @property
    def ends(self) -> int:
        """The end, in ms since minute 0."""
        return self.minutes * MINUTE
