"""From an API key to a caller, before anything else runs. May touch: keys (reading, and their last use)."""

from typing import Any

from rubato.bootstrap import world
from rubato.domain.errors import Unauthenticated
from rubato.interface.gateway import allow
from rubato.usecases.authenticate import authenticate


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """A REQUEST authorizer event. API Gateway turns the exception named Unauthorized into a 401."""
    try:
        caller = authenticate(world(), event.get("headers") or {})
    except Unauthenticated:
        raise Exception("Unauthorized") from None  # noqa: TRY002 - the text is API Gateway's contract
    return allow(caller, event["methodArn"])
