"""Every action over HTTP.

May touch: jobs, endpoints, runs (reading), audit, keys, idempotency, run queue, vault (writing).
"""

from typing import Any

from rubato.bootstrap import AwsWorld, world
from rubato.interface.gateway import request_id_of
from rubato.interface.http import handle

_QUIET = ("GET", "HEAD", "OPTIONS")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """An API Gateway proxy event; the authorizer has put the caller into it."""
    here = world()
    with here.telemetry.about(requestId=request_id_of(event), lambdaRequestId=context.aws_request_id):
        answer = handle(here, event, on_crash=lambda: here.telemetry.error("request failed"))
        _log(here, event["httpMethod"], answer["statusCode"])
    here.telemetry.flush()
    return answer


def _log(here: AwsWorld, method: str, status: int) -> None:
    """What changes something, or fails here, is found again; reading is too frequent for that."""
    quiet = method in _QUIET and status < 500
    (here.telemetry.debug if quiet else here.telemetry.info)("request", method=method, status=status)
