"""Instants: integer milliseconds since the epoch (UTC) inside, ISO 8601 with `Z` outside."""

from datetime import UTC, datetime, timedelta

from rubato.domain.errors import Invalid

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_iso(instant_ms: int) -> str:
    """`2025-01-01T00:00:00.000Z`: always UTC, always three decimals."""
    moment = _EPOCH + timedelta(milliseconds=instant_ms)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant_ms % SECOND:03d}Z"


def from_iso(text: str, path: str) -> int:
    """Milliseconds of an ISO 8601 time that names its offset; `path` is the field to blame in `Invalid`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid.field(path, "must be an ISO 8601 time such as 2025-01-01T00:00:00Z") from None
    if moment.tzinfo is None:
        raise Invalid.field(path, "must name its offset: add Z for UTC")
    if not 1970 < moment.year < 9000:
        raise Invalid.field(path, "must lie between the years 1971 and 8999")
    return from_datetime(moment)


def from_datetime(moment: datetime) -> int:
    """Milliseconds of an aware datetime, rounded down."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)
