"""How often AWS told a client to slow down, including each time that the client then tried again by itself."""

from collections.abc import Callable
from typing import Any

_CODES = frozenset(
    {
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ThrottlingError",  # a reason why a transaction was cancelled
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


def count_throttles(client: Any, count: Callable[[], None]) -> None:
    """Call `count` at each throttled answer to a botocore client."""

    def look(response: Any = None, **_: Any) -> None:
        if response is not None and is_throttled(response[1]):
            count()

    # NOTE: this event comes after every single attempt, before botocore's own decision to repeat it; giving None leaves
    # the decision as it is.
    client.meta.events.register("needs-retry.*", look)


def is_throttled(answer: dict[str, Any]) -> bool:
    """Whether an answer, as botocore parses it, asks to slow down."""
    reasons = [answer.get("Error") or {}, *(answer.get("CancellationReasons") or ())]
    return any(reason.get("Code") in _CODES for reason in reasons)
