"""Further tick invocations: the function invokes itself, without waiting."""

import json
from collections.abc import Sequence
from typing import Any

_CONNECT_TIMEOUT_S = 2
_READ_TIMEOUT_S = 5
_ATTEMPTS = 2


class LambdaTickWorkers:
    """Implements ports.TickWorkers over a botocore Lambda client."""

    def __init__(self, client: Any, function_name: str) -> None:
        self._client = client
        self._function_name = function_name

    def start(self, shards: Sequence[int]) -> None:
        """One asynchronous invocation; its event is `{"shards": [...]}`."""
        payload = json.dumps({"shards": list(shards)}).encode()
        self._client.invoke(FunctionName=self._function_name, InvocationType="Event", Payload=payload)


def open_client(region: str | None, session: Any) -> Any:
    """A client from this botocore session."""
    from botocore.config import Config

    config = Config(
        connect_timeout=_CONNECT_TIMEOUT_S,
        read_timeout=_READ_TIMEOUT_S,
        retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
    )
    return session.create_client("lambda", region_name=region, config=config)
