"""How many runs an endpoint had in the last hour, for rules."""

from weakref import WeakKeyDictionary

from rubato.domain.instant import HOUR, MINUTE
from rubato.ports import RunFilter, World

# One page of the store. Who runs more often than every 18 s is told no more than this.
MAX_COUNTED = 200
# A count up to this costs little, and is always fresh.
_CHEAP = 20
_FRESH_MS = MINUTE
_MAX_KEPT = 1_000

# What this process counted lately: (when, how many) by endpoint. Reading a full page on each look would cost more than
# all else that a look reads.
_kept: WeakKeyDictionary[World, dict[str, tuple[int, int]]] = WeakKeyDictionary()


def count_runs(world: World, endpoint_id: str, now: int) -> int:
    """Of the hour before `now` (ms), at most MAX_COUNTED; more than a few may be up to a minute old."""
    kept = _kept.setdefault(world, {})
    at, count = kept.get(endpoint_id, (now - _FRESH_MS, 0))
    if 0 <= now - at < _FRESH_MS:
        return count
    count = len(world.runs.of_endpoint(endpoint_id, RunFilter(since=now - HOUR), MAX_COUNTED, None).items)
    if count > _CHEAP:
        if len(kept) >= _MAX_KEPT:
            kept.clear()
        kept[endpoint_id] = (now, count)
    return count
