"""Runs per tenant and day: counted, held back beyond the quota, and released when it is lifted.

Runs of synthetic jobs are no use of Rubato: they are not among the tenant's, and have a small quota of their own.
"""

from rubato.domain import lease, quota
from rubato.domain.access import Caller
from rubato.domain.endpoint import Endpoint
from rubato.domain.messages import TenantMessage
from rubato.ports import World
from rubato.usecases.get_job import endpoint_ids
from rubato.usecases.pages import every
from rubato.usecases.pool import Pool
from rubato.usecases.record_event import pause_event
from rubato.usecases.replan import Changed, replan

_PAGE = 200
_PARALLEL = 8


def may_run(world: World, started: Endpoint) -> bool:
    """Count the run that was just put in flight, on the day of its start; False when the day's quota is used up.

    Only whoever won the start counts, so a duplicate costs nothing. Run-nows were let in at the door, further attempts
    with the first one. A counter that can't be reached lets the run pass: what protects a bill must not stop a rhythm.
    """
    claim, limit = started.state.claim, world.limits.max_runs_per_day
    if claim is None or claim.attempt > 1 or (limit and claim.is_manual):
        return True
    tenant_id, day = started.config.tenant_id, quota.day_of(claim.started_at or 0)
    if not limit:
        if not started.state.synthetic:
            world.usage.note_run(tenant_id, day)
        return True
    try:
        return _take(world, tenant_id, day, started.state.synthetic)
    except Exception as error:  # noqa: BLE001 - see above
        world.telemetry.warn("run not counted", endpointId=started.id, error=type(error).__name__)
        return True


def take_run_now(world: World, caller: Caller, endpoint: Endpoint) -> None:
    """Count a run-now at the door; raises LimitReached when the day's quota is used up."""
    now, limit, is_synthetic = world.clock.now(), world.limits.max_runs_per_day, endpoint.state.synthetic
    if limit and not _take(world, caller.tenant_id, quota.day_of(now), is_synthetic):
        raise quota.no_runs_left(limit, now, is_synthetic)


def _take(world: World, tenant_id: str, day: str, is_synthetic: bool) -> bool:
    allowed = quota.runs_allowed(world.limits.max_runs_per_day, is_synthetic)
    return world.usage.take_run(tenant_id, day, allowed, synthetic=is_synthetic)


def hold_until_tomorrow(world: World, before: Endpoint, started: Endpoint) -> str:
    """The run, put in flight out of `before`, waits for the next day, or until the quota is lifted."""
    claim, limit = started.state.claim, world.limits.max_runs_per_day
    assert claim is not None and claim.started_at is not None
    moment = claim.started_at

    def held(latest: Endpoint, now: int) -> Changed:
        if not lease.holds(latest.state, claim.fence, now):
            return Changed(latest)
        resting = quota.wait_for_next_day(lease.unstart(latest, before.state, started.state), limit, moment)
        return Changed(resting, (pause_event(world, resting),))

    # Before the hold: whoever dies in between leaves a note too many, not an endpoint that no raised limit wakes.
    # And after it: a tick that saw a raised limit in between took the first note away, and finds this one later.
    _note_over(world, started, quota.day_of(moment))
    replan(world, started.id, held, known=started)
    _note_over(world, started, quota.day_of(moment))
    world.telemetry.warn("daily quota used up", tenantId=started.config.tenant_id, endpointId=started.id)
    return "over_quota"


def _note_over(world: World, endpoint: Endpoint, day: str) -> None:
    """One of the two is enough, and neither may stand in the way of the hold."""
    try:
        world.usage.note_over(endpoint.config.tenant_id, day, world.limits.max_runs_per_day)
    except Exception as error:  # noqa: BLE001 - see above
        world.telemetry.warn("hold by quota not noted", endpointId=endpoint.id, error=type(error).__name__)


def release_lifted(world: World) -> int:
    """Wake the tenants whose quota was raised or lifted since it held them back; gives how many. Part of each tick."""
    now, limit = world.clock.now(), world.limits.max_runs_per_day
    day = quota.day_of(now)
    lifted = [tenant for tenant, held_at in world.usage.over(day).items() if not limit or limit > held_at]
    for tenant_id in lifted:
        if not world.queue.send([TenantMessage(tenant_id=tenant_id, due=now)], now):
            world.usage.forget_over(tenant_id, day)
    return len(lifted)


def release_tenant(world: World, message: TenantMessage) -> str:
    """What the dispatcher does with such a message: every endpoint that the quota holds goes on."""

    def release(endpoint_id: str) -> None:
        replan(world, endpoint_id, lambda latest, _now: Changed(quota.lifted(latest)))

    with Pool(_PARALLEL) as pool:
        for job in every(lambda after: world.jobs.list(message.tenant_id, None, _PAGE, after)):
            list(pool.map(release, endpoint_ids(world, job.job_id)))
    return "released"
