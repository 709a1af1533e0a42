"""The kinds of runs whose books are kept."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from cli.bench.stage import Stage, answer_error, answer_large, answer_ok, answer_second_time
from rubato.domain.access import ALL_SCOPES, Caller
from rubato.domain.endpoint import Endpoint, EndpointConfig, Retry, TargetRequest
from rubato.domain.exchange import Call, Reply
from rubato.domain.hints import ActorKind
from rubato.domain.instant import HOUR, MINUTE, SECOND
from rubato.domain.jobs import Job, PlannerSettings
from rubato.domain.schedule import Baseline, IntervalBaseline, ManualBaseline
from rubato.ports import World
from rubato.usecases.add_endpoint import add_endpoint
from rubato.usecases.create_job import create_job
from rubato.usecases.steer_endpoint import hint_one_shot
from rubato.usecases.trigger_run import trigger_run
from rubato.usecases.update_job import update_job

OWNER = Caller(tenant_id="acme", key_id="key_bench", kind=ActorKind.HUMAN, scopes=ALL_SCOPES)
_AHEAD_MS = 30 * SECOND
_REQUEST = TargetRequest(url="https://api.example.com/v1/stock?warehouse=7", headers=(("accept", "application/json"),))


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Endpoints that run in one way. `prepare` has its word before they are made, `provoke` before each round."""

    name: str
    baseline: Baseline
    rounds: int = 2
    batches: tuple[int, ...] = (1,)
    answer: Callable[[Call], Reply] = answer_ok
    config: dict[str, Any] = field(default_factory=dict)
    prepare: Callable[[Stage, Job], object] = lambda _stage, _job: None
    provoke: Callable[[Stage, list[Endpoint]], None] = lambda _stage, _endpoints: None

    def add(self, stage: Stage, count: int) -> list[Endpoint]:
        """Create so many endpoints of this kind, in one job."""
        job = create_job(stage.world, OWNER, a_job())
        stage.target.answer = answer_ok
        self.prepare(stage, job)
        stage.target.answer = self.answer
        return [add(stage.world, job, f"endpoint {number}", self.baseline, **self.config) for number in range(count)]


def a_job() -> Job:
    """A job that is not stored yet."""
    return Job(job_id="", tenant_id="", name="bench", created_at=0, updated_at=0)


def add(world: World, job: Job, name: str, baseline: Baseline, **config: Any) -> Endpoint:
    """A stored endpoint."""
    draft = EndpointConfig(
        endpoint_id="",
        tenant_id="",
        job_id="",
        name=name,
        request=config.pop("request", _REQUEST),
        baseline=baseline,
        created_at=0,
        updated_at=0,
        **config,
    )
    return add_endpoint(world, OWNER, job, draft)


def _add_gate(stage: Stage, job: Job) -> Endpoint:
    return add(stage.world, job, "gate", ManualBaseline())


def _add_open_gate(stage: Stage, job: Job) -> None:
    _ask_one_shots(stage, [_add_gate(stage, job)])
    stage.play_until(lambda: stage.runs > 0)


def _ask_one_shots(stage: Stage, endpoints: list[Endpoint]) -> None:
    for each in endpoints:
        hint_one_shot(
            stage.world, OWNER, each.id, run_at=None, run_in_ms=_AHEAD_MS, ttl_minutes=None, reason="a sale begins"
        )


def _plan(stage: Stage, job: Job) -> None:
    update_job(stage.world, OWNER, job.job_id, lambda each: replace(each, planner=PlannerSettings(enabled=True)))


def _run_now(stage: Stage, endpoints: list[Endpoint]) -> None:
    for each in endpoints:
        trigger_run(stage.world, OWNER, each.id)


KINDS = (
    Kind(name="sub-minute", baseline=IntervalBaseline(10 * SECOND), rounds=6, batches=(1, 10)),
    Kind(name="minute", baseline=IntervalBaseline(MINUTE), batches=(1, 10)),
    Kind(name="hourly", baseline=IntervalBaseline(HOUR), rounds=1, batches=(1, 10)),
    Kind(name="minute, 8 KB kept", baseline=IntervalBaseline(MINUTE), answer=answer_large),
    Kind(
        name="minute, one retry",
        baseline=IntervalBaseline(MINUTE),
        answer=answer_second_time,
        config={"retry": Retry(max_attempts=2)},
    ),
    Kind(name="minute, failure", baseline=IntervalBaseline(MINUTE), answer=answer_error),
    Kind(
        name="minute, gate open",
        baseline=IntervalBaseline(MINUTE),
        config={"depends_on": ("gate",)},
        prepare=_add_open_gate,
    ),
    Kind(
        name="minute, gate closed",
        baseline=IntervalBaseline(MINUTE),
        config={"depends_on": ("gate",)},
        prepare=_add_gate,
    ),
    Kind(name="minute, with a planner", baseline=IntervalBaseline(MINUTE), prepare=_plan),
    Kind(name="one-shot", baseline=ManualBaseline(), provoke=_ask_one_shots),
    Kind(name="run-now", baseline=ManualBaseline(), provoke=_run_now),
)
