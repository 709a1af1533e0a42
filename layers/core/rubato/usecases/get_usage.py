"""What a tenant uses, and whether more is allowed."""

from rubato.domain import quota
from rubato.domain.access import Caller
from rubato.domain.quota import Usage
from rubato.ports import World


def get_usage(world: World, caller: Caller) -> Usage:
    """The caller's tenant as it stands now."""
    return world.usage.of(caller.tenant_id, quota.day_of(world.clock.now()))


def require_runs_left(world: World, caller: Caller) -> None:
    """Raise LimitReached when the day's runs are used up."""
    if world.limits.max_runs_per_day:
        quota.require_runs(get_usage(world, caller), world.limits.max_runs_per_day, world.clock.now())
