"""When a message that could not be handled comes back."""

from rubato.domain.governor import jitter_ms
from rubato.domain.instant import SECOND

_MAX_DOUBLINGS = 5


def backoff_s(message_id: str, received: int) -> int:
    """Seconds until the next try of a message that was received so many times.

    Half of 2, 4, 8, 16, 32 and then something of the other half, so that messages that failed together come back apart.
    """
    whole = 1 << min(max(received, 1), _MAX_DOUBLINGS)
    half = whole // 2
    return half + jitter_ms(message_id, received, (half + 1) * SECOND) // SECOND
