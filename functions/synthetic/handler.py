"""The targets at /synthetic, by which the deployment is monitored. May touch: nothing."""

from typing import Any

from rubato.bootstrap import world
from rubato.interface.gateway import request_id_of
from rubato.interface.synthetic import handle


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """An API Gateway proxy event of anybody. Logs no request: strangers could fill the log."""
    here = world()
    with here.telemetry.about(requestId=request_id_of(event), lambdaRequestId=context.aws_request_id):
        return handle(here, event, on_crash=lambda: here.telemetry.error("request failed"))
