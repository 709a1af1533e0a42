"""Counting a change against the budget of the key that makes it."""

from rubato.domain import budget
from rubato.domain.access import Caller
from rubato.ports import World


def charge_change(world: World, caller: Caller) -> None:
    """Count one change in this hour, in one atomic step; raises LimitReached. Without such a budget it costs nothing.

    When the counter can't be reached the change is not made: here the budget protects from what nobody watches.
    """
    limit, now = caller.budget.changes_per_hour, world.clock.now()
    if limit is not None and not world.usage.take_change(caller.key_id, budget.hour_of(now), limit):
        raise budget.no_changes_left(limit, now)
