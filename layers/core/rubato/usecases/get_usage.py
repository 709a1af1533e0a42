"""What a tenant uses."""

from dataclasses import replace

from rubato.domain import quota
from rubato.domain.access import Caller
from rubato.domain.quota import Usage
from rubato.ports import World
from rubato.usecases.get_job import endpoint_ids
from rubato.usecases.pages import every

_PAGE = 200


def get_usage(world: World, caller: Caller) -> Usage:
    """The caller's tenant as it stands now, without its synthetic jobs."""
    counted = world.usage.of(caller.tenant_id, quota.day_of(world.clock.now()))
    jobs = every(lambda after: world.jobs.list(caller.tenant_id, None, _PAGE, after))
    synthetic = sum(len(endpoint_ids(world, job.job_id)) for job in jobs if job.is_synthetic)
    return replace(counted, endpoints=max(counted.endpoints - synthetic, 0))
