"""What a tenant uses."""

from rubato.domain import quota
from rubato.domain.access import Caller, Scope
from rubato.interface.action import Action, action
from rubato.interface.inputs.fields import NoInput
from rubato.interface.outputs.usage import LimitsView, UsageView
from rubato.ports import World
from rubato.usecases import get_usage as reading


def get_usage(world: World, caller: Caller, _given: NoInput) -> UsageView:
    """getUsage."""
    usage, limits = reading.get_usage(world, caller), world.limits
    return UsageView(
        endpoints=usage.endpoints,
        runs_today=usage.runs_today,
        planner_tokens_today=0,
        limits=LimitsView(max_endpoints=limits.max_endpoints or None, max_runs_per_day=limits.max_runs_per_day or None),
        resets_at=quota.next_day(world.clock.now()),
    )


ACTIONS: tuple[Action, ...] = (
    action(
        "getUsage",
        "GET /usage",
        Scope.JOBS_READ,
        "Read what the tenant uses, and its quotas.",
        takes=NoInput,
        gives=UsageView,
        run=get_usage,
        read_only=True,
        idempotent=True,
    ),
)
