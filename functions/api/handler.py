"""Every action over HTTP. May touch: jobs, endpoints, runs (reading), audit, keys, idempotency, run queue."""

from typing import Any

from rubato.bootstrap import world
from rubato.interface.http import handle


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """An API Gateway proxy event; the authorizer has put the caller into it."""
    here = world()
    return handle(here, event, on_crash=lambda: here.telemetry.error("request failed", path=event.get("path")))
