"""Whether a failed attempt is followed by another one within its run, and when. Pure; see the design's semantics."""

from datetime import UTC
from email.utils import parsedate_to_datetime

from rubato.domain import governor
from rubato.domain.endpoint import Claim, Endpoint, Retry
from rubato.domain.exchange import ErrorKind, Headers, Reply
from rubato.domain.instant import MINUTE, SECOND, from_datetime

_RETRYABLE_CODES = (408, 425, 429)
_RETRYABLE_KINDS = (ErrorKind.CONNECT, ErrorKind.TIMEOUT)
# A target that asks for more than this is not waited for: the run fails, and its rhythm goes on.
MAX_RETRY_AFTER_MS = 15 * MINUTE
# A vault that gave no answer is not asked again before.
VAULT_PATIENCE_MS = 5 * SECOND


def retry_at(endpoint: Endpoint, reply: Reply, now: int) -> int | None:
    """When the claimed run, whose attempt has failed at `now`, calls again (ms); None when it ends here."""
    claim = endpoint.state.claim
    assert claim is not None
    made = claim.attempt - claim.lost_count
    if made >= endpoint.config.retry.max_attempts or not is_retryable(reply):
        return None
    asked = VAULT_PATIENCE_MS if reply.may_pass else retry_after_ms(reply.headers, now)
    if asked > MAX_RETRY_AFTER_MS:
        return None
    at = now + max(backoff_ms(endpoint.config.retry, claim.run_id, made), asked)
    following = _next_slot(endpoint, claim)
    return at if following is None or at < following else None


def is_overtaken(endpoint: Endpoint, now: int) -> bool:
    """Whether the attempt that waits must not be made: the endpoint has stopped, or has its next slot before it now."""
    claim = endpoint.state.claim
    if claim is None or claim.retry_at is None or claim.started_at is not None:
        return False
    if endpoint.is_deleted or (endpoint.state.is_paused(now) and not claim.is_manual):
        return True
    following = _next_slot(endpoint, claim)
    return following is not None and following <= claim.retry_at


def is_retryable(reply: Reply) -> bool:
    """Connect errors, timeouts, 408, 425, 429, every 5xx and our own outages may pass; others would only repeat."""
    if reply.error_kind is not None:
        return reply.may_pass or reply.error_kind in _RETRYABLE_KINDS
    code = reply.status_code or 0
    return code in _RETRYABLE_CODES or 500 <= code <= 599


def backoff_ms(retry: Retry, run_id: str, made: int) -> int:
    """Full jitter: anything from 0 to the window, which doubles with each attempt made. Follows from the run alone."""
    window = min(retry.backoff_ms << min(made - 1, 16), retry.max_backoff_ms)
    return governor.jitter_ms(run_id, made, window + 1)


def retry_after_ms(headers: Headers, now: int) -> int:
    """What Retry-After asks for (RFC 9110, 10.2.3: seconds or a date), in ms from `now`; 0 when it asks nothing."""
    text = next((value.strip() for name, value in headers if name.lower() == "retry-after"), "")
    if text.isascii() and text.isdecimal():
        return int(text[:12]) * SECOND
    try:
        moment = parsedate_to_datetime(text)
        # The oldest of the three forms names no zone, and means UTC.
        return max(from_datetime(moment.replace(tzinfo=moment.tzinfo or UTC)) - now, 0)
    except (ValueError, TypeError, OverflowError):
        return 0


def _next_slot(endpoint: Endpoint, claim: Claim) -> int | None:
    """The cadence's next slot after that of the run, as if nothing had failed; None when none is planned."""
    following = governor.cadence_run(claim.plan.slot, endpoint.with_state(failures=0))
    return following.slot if following else None
