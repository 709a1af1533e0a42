"""Each minute: put everything that is due within the look-ahead on the run queue.

May touch: endpoints, audit, usage, run queue, itself (to share the work out).
"""

from typing import Any

from rubato.bootstrap import world
from rubato.usecases.claim_due import claim_due
from rubato.usecases.run_tick import run_tick

# Left for the claims in hand to be written and sent before Lambda ends the invocation.
_RESERVE_MS = 5_000


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """EventBridge's scheduled event, or from another tick the shards to work, as in `{"shards": [1, 3]}`."""
    here = world()
    here.open("endpoints", "queue", "usage")
    deadline = here.clock.now() + context.get_remaining_time_in_millis() - _RESERVE_MS
    shards = event.get("shards")
    with here.telemetry.about(requestId=context.aws_request_id):
        counts = run_tick(here, deadline) if shards is None else claim_due(here, shards, deadline)
        here.telemetry.info("tick", shards=shards, **counts)
    here.telemetry.flush()
    return dict(counts)
