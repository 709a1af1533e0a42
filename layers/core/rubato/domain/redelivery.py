"""When a message that could not be handled comes back."""

from rubato.domain.governor import jitter_ms
from rubato.domain.instant import SECOND

# Then a queue puts a message among the dead letters, as template.yaml says.
RECEIVES = 5
_MAX_DOUBLINGS = 5
_FIRST_PATIENCE_S = 30
_LONGEST_PATIENCE_S = 900


def backoff_s(message_id: str, received: int) -> int:
    """Seconds until the next try of a message that was received so many times.

    Half of 2, 4, 8, 16, 32 and then something of the other half, so that messages that failed together come back apart.
    """
    return _spread(message_id, received, 1 << min(max(received, 1), _MAX_DOUBLINGS))


def patience_s(message_id: str, received: int) -> int:
    """The same for a message that nobody sends again: no lease stands behind it, so it has to outlast an outage.

    Half of 30, 120, 480, 900 and then, and something of the other half.
    """
    whole = _FIRST_PATIENCE_S * 4 ** min(max(received, 1) - 1, _MAX_DOUBLINGS)
    return _spread(message_id, received, min(whole, _LONGEST_PATIENCE_S))


def _spread(message_id: str, received: int, whole: int) -> int:
    half = whole // 2
    return half + jitter_ms(message_id, received, (half + 1) * SECOND) // SECOND
