"""What a tenant uses."""

from rubato.domain import quota
from rubato.domain.access import Caller, Scope
from rubato.domain.analysis import is_exhausted
from rubato.domain.limits import Planning
from rubato.domain.quota import Usage
from rubato.interface.action import Action, action
from rubato.interface.inputs.fields import NoInput
from rubato.interface.outputs.usage import LimitsView, PlannerUsage, UsageView
from rubato.ports import World
from rubato.usecases import get_usage as reading


def get_usage(world: World, caller: Caller, _given: NoInput) -> UsageView:
    """getUsage."""
    usage, limits = reading.get_usage(world, caller), world.limits
    return UsageView(
        endpoints=usage.endpoints,
        runs_today=usage.runs_today,
        planner_tokens_today=usage.planner_tokens_today,
        planner=PlannerUsage(model=limits.planning.model, status=_status(limits.planning, usage)),
        limits=LimitsView(
            max_endpoints=limits.max_endpoints or None,
            max_runs_per_day=limits.max_runs_per_day or None,
            planner_tokens_per_day=limits.planning.tokens_per_day or None,
        ),
        resets_at=quota.next_day(world.clock.now()),
    )


def _status(planning: Planning, usage: Usage) -> str:
    if not planning.is_on:
        return "rules_only"
    return "quota_exhausted" if is_exhausted(usage.planner_tokens_today, planning.tokens_per_day) else "on"


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
