"""Each minute: put everything that is due within the look-ahead on the run queue. May touch: endpoints, run queue."""

from typing import Any

from rubato.bootstrap import world
from rubato.usecases.claim_due import claim_due

# Left for the last page to be written and sent before Lambda ends the invocation.
_RESERVE_MS = 5_000


def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    """EventBridge's scheduled event; its content does not matter."""
    here = world()
    here.open("endpoints", "queue", "usage")
    deadline = here.clock.now() + context.get_remaining_time_in_millis() - _RESERVE_MS
    counts = claim_due(here, range(here.limits.shards), deadline)
    here.telemetry.info("tick", **counts)
    here.telemetry.flush()
    return dict(counts)
