"""What a storm leaves behind: the target's log, the tables, and the diaries."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from rubato.adapters.dynamodb.tables import EndpointsItem
from rubato.bootstrap import AwsWorld
from rubato.domain.audit import Event
from rubato.domain.endpoint import Endpoint
from rubato.domain.ids import endpoint_of_run
from rubato.domain.runs import Run
from rubato.ports import RunFilter
from rubato.usecases.pages import every
from tests.storm.ground import Ground

_PAGE = 200
_PARALLEL = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """One call by the clock of the target: when it came and when its answer went out (ms since the epoch)."""

    at: float
    until: float
    run_id: str
    attempt: int
    slot: int
    status: int = 200

    @property
    def endpoint_id(self) -> str:
        """Whose run it is."""
        return endpoint_of_run(self.run_id) or "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One request over the API's door (ms since the epoch); without an answer, its writer was killed meanwhile."""

    asked: float
    method: str
    path: str
    by: str = ""
    given: Any = None
    answered: float | None = None
    status: int | None = None
    told: Any = None

    @property
    def subject(self) -> str:
        """The id of the job or endpoint that it is about."""
        return self.path.split("/")[2] if self.path.count("/") > 1 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that the rules look at. `standing` is how the endpoints stood at `looked_at`, with actors at work."""

    calls: tuple[Called, ...] = ()
    runs: tuple[Run, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    events: tuple[Event, ...] = ()
    writes: tuple[Write, ...] = ()
    freezes: tuple[tuple[float, float], ...] = ()
    untouched: frozenset[str] = frozenset()
    job_id: str = ""
    standing: tuple[Endpoint, ...] = ()
    looked_at: int = 0
    counted_endpoints: int | None = None

    def run(self, run_id: str) -> Run | None:
        """The record of that id."""
        return next((run for run in self.runs if run.run_id == run_id), None)


def endpoints_there(world: AwsWorld) -> list[Endpoint]:
    """Every endpoint of the table, tombstones included."""
    known = sorted({str(item.pk) for item in EndpointsItem.scan() if str(item.pk).startswith("ep_")})
    with ThreadPoolExecutor(_PARALLEL) as pool:
        return [endpoint for endpoint in pool.map(world.endpoints.load, known) if endpoint is not None]


def runs_of(world: AwsWorld, endpoint_ids: Iterable[str]) -> list[Run]:
    """Every record, in full."""

    def listed(endpoint_id: str) -> list[str]:
        return [r.run_id for r in every(lambda after: world.runs.of_endpoint(endpoint_id, RunFilter(), _PAGE, after))]

    with ThreadPoolExecutor(_PARALLEL) as pool:
        known = [run_id for some in pool.map(listed, endpoint_ids) for run_id in some]
        return [run for run in pool.map(world.runs.get, known) if run is not None]


def events_of(world: AwsWorld, subjects: Iterable[str]) -> list[Event]:
    """Every audit event of these."""

    def listed(subject: str) -> list[Event]:
        return list(every(lambda after: world.trail.of_subject(subject, _PAGE, after)))

    with ThreadPoolExecutor(_PARALLEL) as pool:
        return [event for some in pool.map(listed, subjects) for event in some]


def calls_logged(ground: Ground) -> list[Called]:
    """The target's log."""
    return [Called(run_id=each.pop("run"), **each) for each in ground.diaries("target")]


def writes_told(ground: Ground) -> list[Write]:
    """The writers' diaries: each request once, with its answer if there was one."""
    found: dict[tuple[str, float], Write] = {}
    for entry in ground.diaries("writer-*"):
        if "asked" in entry:
            found[entry["by"], entry["asked"]] = Write(**entry)
    return sorted(found.values(), key=lambda write: write.asked)


def freezes_told(ground: Ground) -> list[tuple[float, float]]:
    """When somebody was frozen."""
    return [(each["since"], each["until"]) for each in ground.diaries("fate") if each["blow"] == "freeze"]
