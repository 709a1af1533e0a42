"""One analysis of one endpoint by the model, under a lease, kept whatever becomes of it.

The endpoint stays due until an analysis has ended: when a worker dies anywhere on the way, the next look finds it again
as soon as the lease is over.
"""

from collections.abc import Callable
from dataclasses import replace

from rubato.domain import ids, quota, watching
from rubato.domain.analysis import LEASE_MS, Analysis, Outcome, cost_of, has_to_wait, next_look
from rubato.domain.briefing import brief
from rubato.domain.endpoint import Endpoint
from rubato.domain.errors import NotFound
from rubato.domain.jobs import Job
from rubato.domain.messages import AnalysisMessage
from rubato.ports import World
from rubato.usecases.converse import converse
from rubato.usecases.look_around import look_around
from rubato.usecases.rehearse import rehearsal
from rubato.usecases.replan import Changed, replan
from rubato.usecases.use_tool import Desk, use_tool

# Enough to see how often in a row nothing came of it.
_EARLIER = 6


def analyse_endpoint(world: World, message: AnalysisMessage) -> str:
    """What the planner does with such a message; gives the outcome's name. Safe to repeat.

    Raises what the store raises; the endpoint then stays due.
    """
    watched = _still_due(world, message.endpoint_id)
    if watched is None or not world.limits.planning.is_on:
        return "not_due"
    begun = _begun(world, *watched)
    if not world.analyses.begin(begun, begun.started_at + LEASE_MS):
        return "under_analysis"
    try:
        # Again under the lease: another message may have been worked off meanwhile.
        watched = _still_due(world, message.endpoint_id)
        if watched is None:
            return _called_off(world, begun)
        return _analyse(world, *watched, begun)
    finally:
        world.analyses.release(begun)


def _still_due(world: World, endpoint_id: str) -> tuple[Job, Endpoint] | None:
    endpoint = world.endpoints.load(endpoint_id)
    if endpoint is None or not watching.is_due(endpoint, world.clock.now()):
        return None
    job = world.jobs.get(endpoint.config.job_id)
    return (job, endpoint) if job is not None and job.is_watched else None


def _begun(world: World, job: Job, endpoint: Endpoint) -> Analysis:
    now = world.clock.now()
    return Analysis(
        analysis_id=ids.analysis_id(now, world.entropy.bytes(10)),
        tenant_id=job.tenant_id,
        job_id=job.job_id,
        endpoint_id=endpoint.id,
        model=world.limits.planning.model or "",
        started_at=now,
        is_dry_run=job.planner.dry_run,
    )


def _called_off(world: World, begun: Analysis) -> str:
    world.analyses.drop(begun)
    return "not_due"


def _analyse(world: World, job: Job, endpoint: Endpoint, begun: Analysis) -> str:
    page = world.analyses.of_endpoint(endpoint.id, _EARLIER + 1, None)
    earlier = tuple(each for each in page.items if each.analysis_id != begun.analysis_id)
    ended = _costed(world, _guarded(world, begun, lambda: _conversation(world, job, endpoint, begun, earlier)))
    world.analyses.keep(ended)
    _plan_next_look(world, endpoint, ended, earlier)
    _tell(world, ended)
    return f"analysis_{ended.outcome.value}"


def _conversation(
    world: World, job: Job, endpoint: Endpoint, begun: Analysis, earlier: tuple[Analysis, ...]
) -> Analysis:
    briefing = brief(look_around(world, job, endpoint, earlier), world.clock.now())
    desk = Desk(world=rehearsal(world) if begun.is_dry_run else world, endpoint=endpoint)
    return converse(world, begun, briefing, lambda call: use_tool(desk, call))


def _guarded(world: World, begun: Analysis, analyse: Callable[[], Analysis]) -> Analysis:
    try:
        return analyse()
    except Exception as error:  # noqa: BLE001 - an analysis that fails is kept, and tried again later and later
        world.telemetry.warn("analysis failed", error=type(error).__name__)
        return replace(begun, outcome=Outcome.FAILED, error=f"Rubato failed at it: {type(error).__name__}")


def _costed(world: World, ended: Analysis) -> Analysis:
    terms = world.limits.planning
    cost = cost_of(ended.input_tokens, ended.output_tokens, terms.input_price, terms.output_price)
    return replace(ended, finished_at=world.clock.now(), cost=cost)


def _plan_next_look(world: World, seen: Endpoint, ended: Analysis, earlier: tuple[Analysis, ...]) -> None:
    def looked_at(latest: Endpoint, now: int) -> Changed:
        then = next_look(ended, earlier, now, quota.next_day(now))
        floor = then if has_to_wait(ended) else now + watching.FLOOR_MS
        return Changed(watching.looked_at(latest, seen.state, then, floor), moves=False)

    try:
        replan(world, seen.id, looked_at)
    except NotFound:
        return  # deleted, and its tombstone gone


def _tell(world: World, ended: Analysis) -> None:
    """Neither what the model said nor what it read: both may hold what does not belong into a log."""
    tokens = ended.input_tokens + ended.output_tokens
    world.telemetry.count("planner_tokens", tokens)
    world.telemetry.info(
        "analysis ended",
        analysisId=ended.analysis_id,
        outcome=ended.outcome.value,
        fault=ended.fault.value if ended.fault else None,
        calls=len(ended.calls),
        tokens=tokens,
        durationMs=ended.duration_ms,
        isDryRun=ended.is_dry_run,
    )
