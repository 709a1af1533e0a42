"""From an API key to a caller, before anything else runs. May touch: keys (reading, and their last use)."""

from typing import Any

from rubato.bootstrap import world
from rubato.domain.errors import Unauthenticated
from rubato.interface.gateway import allow, request_id_of
from rubato.usecases.authenticate import authenticate


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A REQUEST authorizer event. API Gateway turns the exception named Unauthorized into a 401."""
    telemetry = world().telemetry
    with telemetry.about(requestId=request_id_of(event), lambdaRequestId=context.aws_request_id):
        try:
            caller = authenticate(world(), event.get("headers") or {})
        except Unauthenticated:
            raise Exception("Unauthorized") from None  # noqa: TRY002 - the text is API Gateway's contract
        except Exception:  # noqa: BLE001 - see below
            # Lambda counts both as errors of the function; only this one is trouble.
            telemetry.count("authorizer_error")
            telemetry.error("key not looked up")
            raise Exception("Unavailable") from None  # noqa: TRY002 - API Gateway makes any other text a 500
        finally:
            telemetry.flush()
    return allow(caller, event["methodArn"])
