"""Cron expressions in time zones, with the daylight-saving rule of the design's semantics.

croniter finds matching wall-clock times, and only those: it is fed naive datetimes. How wall clocks map to instants is
decided here. A fixed-time expression (neither minute nor hour begins with `*`) fires once for each wall-clock time: at
the first of two, or right after the gap that swallowed it. Every other expression follows real time.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from rubato.domain import cron_fields
from rubato.domain.errors import Invalid

_ZONE_NAME = re.compile(r"UTC|[A-Za-z_]+(/[A-Za-z0-9_+-]+)+")
_OFFSET_ZONE = re.compile(r"Etc/GMT[+-]?\d+|(posix|right|SystemV)/.*")
_DAY_S = 86_400
# A transition moves wall clocks by a day at most; looking this far ahead finds each before a slot is taken.
_HORIZON_S = 26 * 3600
# The rarest expression: 29 February on one weekday, across the year 2100.
_MAX_YEARS = 60
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall-clock times are naive here, on purpose


@dataclass(frozen=True)
class CronExpression:
    """A checked expression and its zone. Instants are ms since the epoch, UTC; slots are whole minutes of the zone."""

    expression: str
    timezone: str = "UTC"

    @classmethod
    def parse(cls, expression: str, timezone: str = "UTC") -> "CronExpression":
        """Raises Invalid with the path baseline.cron or baseline.timezone, naming the field and the remedy."""
        return _parse(expression, timezone)

    def next_after(self, instant_ms: int) -> int | None:
        """The first slot strictly after the instant; None when there is none within sixty years."""
        second = instant_ms // 1000
        slot = self._next_fixed(second) if self._is_fixed else self._next_flowing(second)
        return None if slot is None else slot * 1000

    def latest_at_or_before(self, instant_ms: int, after_ms: int) -> int | None:
        """The latest slot in (after_ms, instant_ms]; by bisection: a long outage costs no more than a short one."""
        found = self.next_after(after_ms)
        if found is None or found > instant_ms:
            return None
        low, high = found, instant_ms
        while low < high:
            middle = (low + high) // 2
            following = self.next_after(middle)
            if following is None or following > instant_ms:
                high = middle
            else:
                found = low = following
        return found

    def count_between(self, after_ms: int, until_ms: int, limit: int = 1000) -> int:
        """How many slots lie in (after_ms, until_ms], at most `limit`."""
        count, slot = 0, self.next_after(after_ms)
        while slot is not None and slot <= until_ms and count < limit:
            count += 1
            slot = self.next_after(slot)
        return count

    def local(self, instant_ms: int) -> str:
        """ISO 8601 in the zone, with its offset."""
        return datetime.fromtimestamp(instant_ms // 1000, self._zone).isoformat()

    @cached_property
    def _zone(self) -> ZoneInfo:
        return _zone(self.timezone)

    @cached_property
    def _fields(self) -> tuple[str, ...]:
        return cron_fields.split(self.expression)

    @cached_property
    def _is_fixed(self) -> bool:
        minute, hour, *_ = self._fields
        return not minute.startswith("*") and not hour.startswith("*")

    @cached_property
    def _plain(self) -> str:
        """For croniter: numbers only, Sunday as 0."""
        plain = []
        for field, text in zip(cron_fields.FIELDS, self._fields, strict=True):
            values = field.parse(text)
            if field is cron_fields.WEEKDAY:
                values = frozenset(value % 7 for value in values)
                full = len(values) == 7
            else:
                full = len(values) == field.high - field.low + 1
            plain.append("*" if full else ",".join(map(str, sorted(values))))
        return " ".join(plain)

    @cached_property
    def _either_day(self) -> bool:
        """Vixie's rule: if either day field begins with `*` both must match, else one is enough."""
        return not self._fields[2].startswith("*") and not self._fields[4].startswith("*")

    def _next_wall(self, wall: int) -> int | None:
        """The first matching wall-clock time strictly after `wall`; both in seconds as if the zone were UTC."""
        # NOTE: croniter costs more to import than the rest of the scheduler's domain; most endpoints have no cron.
        from croniter import CroniterBadDateError, croniter

        start = _EPOCH + timedelta(seconds=wall)
        walls: Any = croniter(self._plain, start, day_or=self._either_day, max_years_between_matches=_MAX_YEARS)
        try:
            found: datetime = walls.get_next(datetime)
        except CroniterBadDateError:
            return None
        return int((found - _EPOCH).total_seconds())

    def _next_fixed(self, second: int) -> int | None:
        wall = self._next_wall(second + self._offset(second))
        while wall is not None:
            instant = self._first_instant(wall)
            if instant is not None and instant > second:
                return instant
            wall = self._next_wall(wall)
        return None

    def _next_flowing(self, second: int) -> int | None:
        offset = self._offset(second)
        after = second + offset
        while (wall := self._next_wall(after)) is not None:
            candidate = wall - offset
            ahead = min(candidate, second + _HORIZON_S)
            change = self._transition(second, ahead)
            if change is not None:
                # Go on from the change, its own wall-clock time included, with the offset that holds from there.
                second, offset = change, self._offset(change)
                after = change + offset - 1
            elif ahead == candidate:
                return candidate
            else:
                # No wall-clock time matches before `wall`: go closer to it, and look again with the offset there.
                second = max(ahead, candidate - 2 * _HORIZON_S)
                offset = self._offset(second)
                after = second + offset
        return None

    def _first_instant(self, wall: int) -> int | None:
        """When the zone's clocks first show `wall`, or leave the gap that it fell into; None in a gap of a day."""
        earlier, later = (self._instant(wall, fold) for fold in (0, 1))
        if earlier <= later:
            return earlier
        # In a gap the offset before it (fold 0) leads to an instant after it, and the other way round.
        if earlier - later >= _DAY_S:
            return None
        return self._transition(later, earlier)

    def _instant(self, wall: int, fold: int) -> int:
        shown = (_EPOCH + timedelta(seconds=wall)).replace(tzinfo=self._zone, fold=fold)
        return wall - int(shown.utcoffset().total_seconds())  # type: ignore[union-attr]

    def _offset(self, second: int) -> int:
        moment = datetime.fromtimestamp(second, UTC).astimezone(self._zone)
        return int(moment.utcoffset().total_seconds())  # type: ignore[union-attr]

    def _transition(self, after: int, until: int) -> int | None:
        """The instant in (after, until] from which another offset holds; None when the ends agree."""
        before = self._offset(after)
        if self._offset(until) == before:
            return None
        while until - after > 1:
            middle = (after + until) // 2
            if self._offset(middle) == before:
                after = middle
            else:
                until = middle
        return until


@lru_cache(maxsize=1024)
def _parse(expression: str, timezone: str) -> CronExpression:
    _zone(timezone)
    fields = cron_fields.split(expression)
    for field, text in zip(cron_fields.FIELDS, fields, strict=True):
        field.parse(text)
    parsed = CronExpression(" ".join(expression.split()), timezone)
    if parsed._next_wall(0) is None:
        raise cron_fields.DAY.refuse("this day never comes in these months; the expression would never fire")
    return parsed


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    if not _ZONE_NAME.fullmatch(name) or _OFFSET_ZONE.fullmatch(name):
        raise _unknown(name)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise _unknown(name) from None


def _unknown(name: str) -> Invalid:
    return Invalid.field(
        "baseline.timezone", f"{name!r} is no zone of the IANA database; write UTC or Area/City, such as Europe/Berlin"
    )
