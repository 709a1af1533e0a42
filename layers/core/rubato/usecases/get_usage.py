"""What a tenant uses."""

from rubato.domain import quota
from rubato.domain.access import Caller
from rubato.domain.quota import Usage
from rubato.ports import World


def get_usage(world: World, caller: Caller) -> Usage:
    """The caller's tenant as it stands now."""
    return world.usage.of(caller.tenant_id, quota.day_of(world.clock.now()))
