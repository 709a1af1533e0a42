"""Show when an endpoint would run, before there is one. Stores nothing."""

from rubato.domain.checks import check_config
from rubato.domain.endpoint import Clamp
from rubato.domain.errors import Invalid
from rubato.domain.preview import sketch, upcoming_slots
from rubato.domain.schedule import Baseline
from rubato.ports import World

_LATEST = 221_845_392_000_000  # the year 9000: a hundred runs, a year apart, still have dates


def preview_schedule(world: World, baseline: Baseline, clamp: Clamp, *, since: int | None, count: int) -> list[int]:
    """The next `count` slots (ms) after `since`, taken for anchor and last run; from now by default.

    Raises Invalid for what no endpoint may have, and for a `since` before 1970 or after the year 9000.
    """
    if since is not None and not 0 <= since < _LATEST:
        raise Invalid.field("from", "must lie between the years 1970 and 9000")
    config = sketch(baseline, clamp)
    check_config(config, world.limits.min_interval_ms, world.limits.allowed_target_cidrs)
    return upcoming_slots(config, world.clock.now() if since is None else since, count)
