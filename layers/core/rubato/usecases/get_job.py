"""Read a job with the state of its endpoints in sum."""

from dataclasses import dataclass

from rubato.domain.access import Caller
from rubato.domain.jobs import Job
from rubato.domain.rule_ledger import Trouble
from rubato.ports import World
from rubato.usecases.check_rules import rule_warnings
from rubato.usecases.lookup import find_job
from rubato.usecases.pages import every

_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSummary:
    """The job and what its endpoints add up to. `last_run_at` in ms; health: unknown, healthy, degraded or failing.

    `rule_warnings` are (rule, what is odd about it).
    """

    job: Job
    endpoint_count: int
    failing_count: int
    last_run_at: int | None
    rule_warnings: tuple[tuple[str, str], ...] = ()
    rule_errors: tuple[Trouble, ...] = ()

    @property
    def health(self) -> str:
        """failing: every endpoint's latest run failed; degraded: some; unknown: nothing ran yet."""
        if self.last_run_at is None:
            return "unknown"
        if self.failing_count == 0:
            return "healthy"
        return "failing" if self.failing_count == self.endpoint_count else "degraded"


def get_job(world: World, caller: Caller, job_id: str) -> JobSummary:
    """The job with its sums; raises NotFound."""
    job = find_job(world, caller, job_id)
    states = world.endpoints.states(endpoint_ids(world, job_id))
    last_runs = [state.last_run.started_at for state in states.values() if state.last_run is not None]
    return JobSummary(
        job=job,
        endpoint_count=len(states),
        failing_count=sum(1 for state in states.values() if state.failures > 0),
        last_run_at=max(last_runs, default=None),
        rule_warnings=tuple(rule_warnings(world, job, len(states))),
        rule_errors=world.rule_ledgers.get(job_id).troubles if job.is_ruled else (),
    )


def endpoint_ids(world: World, job_id: str) -> list[str]:
    """The ids of all endpoints of a job."""
    return list(every(lambda after: world.endpoints.of_job(job_id, _PAGE, after)))
