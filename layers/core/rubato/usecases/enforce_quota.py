"""Runs per tenant and day: counted, held back beyond the quota, and released when it is lifted."""

from concurrent.futures import ThreadPoolExecutor

from rubato.domain import lease, quota
from rubato.domain.endpoint import Endpoint
from rubato.ports import RunMessage, TenantMessage, World
from rubato.usecases.get_job import endpoint_ids
from rubato.usecases.pages import every
from rubato.usecases.replan import Changed, replan

_PAGE = 200
_PARALLEL = 8


def may_run(world: World, endpoint: Endpoint) -> bool:
    """Count the claimed run against the quota, if there is one; False when no run is left today.

    Run-nows were let in at the door, further attempts with the first one. A counter that can't be reached lets the run
    pass: what protects a bill must not stop a rhythm.
    """
    claim, limit = endpoint.state.claim, world.limits.max_runs_per_day
    if not limit or claim is None or claim.is_manual or claim.attempt > 1:
        return True
    try:
        return world.usage.take_run(endpoint.config.tenant_id, quota.day_of(world.clock.now()), limit)
    except Exception as error:  # noqa: BLE001 - see above
        world.telemetry.warn("run not counted", endpointId=endpoint.id, error=type(error).__name__)
        return True


def note_run(world: World, endpoint: Endpoint) -> None:
    """Count the run that was just put in flight, unless `may_run` has counted it."""
    claim = endpoint.state.claim
    if claim is None or claim.attempt > 1 or (world.limits.max_runs_per_day and not claim.is_manual):
        return
    world.usage.note_run(endpoint.config.tenant_id, quota.day_of(world.clock.now()))


def hold_until_tomorrow(world: World, endpoint: Endpoint, message: RunMessage) -> str:
    """The claimed run waits for the next day, or until the quota is lifted."""
    limit = world.limits.max_runs_per_day
    world.usage.note_over(endpoint.config.tenant_id, quota.day_of(world.clock.now()), limit)

    def held(latest: Endpoint, now: int) -> Changed:
        if not lease.stands(latest.state, message.fence):
            return Changed(latest)
        return Changed(quota.wait_for_next_day(latest, limit, now))

    replan(world, endpoint.id, held)
    world.telemetry.warn("daily quota used up", tenantId=endpoint.config.tenant_id, endpointId=endpoint.id)
    return "over_quota"


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

    with ThreadPoolExecutor(_PARALLEL) as pool:
        for job in every(lambda after: world.jobs.list(message.tenant_id, None, _PAGE, after)):
            list(pool.map(release, endpoint_ids(world, job.job_id)))
    return "released"
