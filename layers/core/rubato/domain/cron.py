"""Cron expressions in time zones, with the daylight-saving rule of the design's semantics.

croniter finds matching wall-clock times, and only those: it is fed naive datetimes. How wall clocks map to instants is
decided here. A fixed-time expression (neither minute nor hour begins with `*`) fires once for each wall-clock time: at
the first of two, or right after the gap that swallowed it. Every other expression follows real time.
"""

import re
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import islice, takewhile
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
# Close to the end of Python's calendar (9999), with room for the rarest expression.
_LAST_S = (9900 - 1970) * 365 * _DAY_S
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
        """The first slot strictly after the instant; None when there is none within sixty years or past year 9900."""
        slot = next(self._slots(instant_ms // 1000), None)
        return None if slot is None else slot * 1000

    def latest_at_or_before(self, instant_ms: int, after_ms: int) -> int | None:
        """The latest slot in (after_ms, instant_ms], or None; a long outage costs no more than a short one."""
        bound, until = after_ms // 1000, instant_ms // 1000
        since, window = until, 60
        while since > bound:
            since = max(bound, until - window)
            first = self._first(since, until)
            if first is not None:
                return self._last(first, until) * 1000
            window *= 8
        return None

    def count_between(self, after_ms: int, until_ms: int, limit: int = 1000) -> int:
        """How many slots lie in (after_ms, until_ms], at most `limit`."""
        until = until_ms // 1000
        return sum(1 for _ in islice(takewhile(lambda slot: slot <= until, self._slots(after_ms // 1000)), limit))

    def local(self, instant_ms: int) -> str:
        """ISO 8601 in the zone, with its offset, cut to the second."""
        return datetime.fromtimestamp(instant_ms // 1000, self._zone).isoformat()

    @cached_property
    def _zone(self) -> ZoneInfo:
        return _zone(self.timezone)

    @cached_property
    def _pattern(self) -> cron_fields.Pattern:
        return cron_fields.read(self.expression)

    @cached_property
    def _evaluator(self) -> Any:
        # NOTE: croniter takes 50 ms to import; whoever only stores or shows an expression shall not wait for it.
        from croniter import croniter

        either = self._pattern.either_day
        return croniter(self._pattern.plain, 0.0, day_or=either, max_years_between_matches=_MAX_YEARS)

    def _walls(self, after: int) -> Iterator[int]:
        """Matching wall-clock times strictly after `after`, all in seconds as if the zone were UTC."""
        # NOTE: croniter spends most of its time on reading the expression, and what it has read is never written to;
        # a copy has a position of its own.
        walls = copy(self._evaluator)
        walls.set_current(float(after))
        return map(int, walls.all_next(float))

    def _slots(self, second: int) -> Iterator[int]:
        """The slots strictly after the instant; from here on everything is in seconds."""
        if second >= _LAST_S:
            return iter(())
        return self._fixed_slots(second) if self._pattern.is_fixed_time else self._flowing_slots(second)

    def _fixed_slots(self, second: int) -> Iterator[int]:
        for wall in self._walls(second + self._offset(second)):
            instant = self._first_instant(wall)
            # Past already: the second showing of a repeated time, or one more time that fell into the same gap.
            if instant is not None and instant > second:
                yield instant
                second = instant

    def _flowing_slots(self, second: int) -> Iterator[int]:
        offset = self._offset(second)
        walls = self._walls(second + offset)
        while (wall := next(walls, None)) is not None:
            candidate = wall - offset
            ahead = min(candidate, second + _HORIZON_S)
            change = self._transition(second, ahead)
            if change is None and ahead == candidate:
                yield candidate
                second = candidate
                continue
            # Until here no clock showed `wall` or any other match. Two horizons before the candidate none can yet,
            # however the offset changes meanwhile; a change itself may show a match.
            second = max(ahead, candidate - 2 * _HORIZON_S) if change is None else change
            offset = self._offset(second)
            walls = self._walls(second + offset - 1)

    def _first(self, after: int, until: int) -> int | None:
        slot = next(self._slots(after), None)
        return None if slot is None or slot > until else slot

    def _last(self, found: int, until: int) -> int:
        """The last slot up to `until`, by bisection from one that is known."""
        low, high = found, until
        while low < high:
            middle = (low + high) // 2
            following = self._first(middle, until)
            if following is None:
                high = middle
            else:
                found = low = following
        return found

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
    cron_fields.read(expression)
    return CronExpression(" ".join(expression.split()), timezone)


def check_zone(name: str, path: str) -> None:
    """Raise Invalid, blaming the field `path`, for what is no zone of the IANA database."""
    try:
        _zone(name)
    except Invalid as refused:
        raise Invalid.field(path, refused.errors[0].message) from None


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    if not _ZONE_NAME.fullmatch(name) or _OFFSET_ZONE.fullmatch(name):
        raise _refused(f"{name!r} is not a zone's name but an offset, an abbreviation or something else")
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise _refused(f"{name!r} is not in the IANA database") from None


def _refused(why: str) -> Invalid:
    return Invalid.field("baseline.timezone", f"{why}; write UTC or Area/City, such as Europe/Berlin")
