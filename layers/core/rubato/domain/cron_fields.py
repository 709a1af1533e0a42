"""Cron fields at the door: what is accepted, and why everything else is refused (the design's semantics, Baseline)."""

from dataclasses import dataclass
from functools import lru_cache

from rubato.domain.errors import Invalid

_PATH = "baseline.cron"
# The API takes no more either; a longer one is a list that wants to be a range.
_MAX_LENGTH = 255
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One of the five fields: its name, the numbers it takes, how many of them differ, and the names they have."""

    name: str
    low: int
    high: int
    size: int
    names: tuple[str, ...] = ()

    def parse(self, text: str) -> frozenset[int]:
        """The numbers that match, 7 as 0 in the day of week; raises Invalid naming the field and the remedy."""
        numbers: set[int] = set()
        for item in text.split(","):
            numbers.update(self._wrapped(number) for number in self._item(item))
        return frozenset(numbers)

    def is_full(self, numbers: frozenset[int]) -> bool:
        """Whether the field excludes nothing, however it is written."""
        return len(numbers) == self.size

    def refuse(self, why: str) -> Invalid:
        """An error that names this field."""
        return Invalid.field(_PATH, f"{self.name}: {why}")

    @property
    def _top(self) -> int:
        return self.low + self.size - 1

    def _wrapped(self, number: int) -> int:
        return self.low + (number - self.low) % self.size

    def _item(self, item: str) -> range:
        base, slash, step = item.partition("/")
        first, last = self._bounds(base, item)
        if not slash:
            return range(first, last + 1)
        if not _is_number(step) or int(step) == 0:
            raise self.refuse(f"{item!r} needs a whole step of 1 or more after the slash")
        if base != "*" and "-" not in base:
            remedy = f"{self._wrapped(first)}-{self._top}/{step}"
            raise self.refuse(f"{item!r} steps from a single number; write {remedy}")
        return range(first, last + 1, int(step))

    def _bounds(self, base: str, item: str) -> tuple[int, int]:
        if base == "*":
            return self.low, self._top
        low_text, dash, high_text = base.partition("-")
        first = self._number(low_text, item)
        last = self._number(high_text, item) if dash else first
        if first > last:
            raise self.refuse(f"the range {base!r} runs backwards; write {self._forwards(first, last)}")
        return first, last

    def _number(self, text: str, item: str) -> int:
        if text.isascii() and text.upper() in self.names:
            return self.names.index(text.upper()) + self.low
        if not _is_number(text):
            names = f" or {self.names[0]}-{self.names[-1]}" if self.names else ""
            spelling = f"numbers {self.low}-{self.high}{names}, with `*`, ranges, lists and steps"
            raise self.refuse(f"{item!r} is not understood; write {spelling} (no R, H, L, W, # or ?)")
        number = int(text)
        if not self.low <= number <= self.high:
            raise self.refuse(f"{number} is outside {self.low}-{self.high}")
        return number

    def _forwards(self, first: int, last: int) -> str:
        """The two ranges that a range across the end of the hour, day, month, year or week stands for."""
        start = self._wrapped(first)
        if start <= last:
            return _span(start, last)
        return f"{_span(start, self._top)},{_span(self.low, last)}"


MINUTE = Field("minute", 0, 59, 60)
HOUR = Field("hour", 0, 23, 24)
DAY = Field("day of month", 1, 31, 31)
MONTH = Field("month", 1, 12, 12, _MONTHS)
# Sunday is 0 and 7, as in Vixie's cron.
WEEKDAY = Field("day of week", 0, 7, 7, _WEEKDAYS)
FIELDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A checked expression. `plain` is its spelling for croniter: numbers and bare stars only.

    is_fixed_time: neither the minute nor the hour field begins with `*` (semantics, Daylight saving).
    either_day: one matching day field is enough, as neither begins with `*` (semantics, Baseline; Vixie's rule).
    """

    plain: str
    is_fixed_time: bool
    either_day: bool


@lru_cache(maxsize=1024)
def read(expression: str) -> Pattern:
    """Check five fields or a nickname; raises Invalid, also for what would never fire."""
    texts = _split(expression)
    minute, hour, day, _, weekday = texts
    numbers = [field.parse(text) for field, text in zip(FIELDS, texts, strict=True)]
    either_day = not day.startswith("*") and not weekday.startswith("*")
    if not either_day:
        _refuse_days_that_never_come(days=numbers[2], months=numbers[3])
    return Pattern(
        plain=_plain(numbers, either_day),
        is_fixed_time=not minute.startswith("*") and not hour.startswith("*"),
        either_day=either_day,
    )


def _split(expression: str) -> list[str]:
    if len(expression) > _MAX_LENGTH:
        raise Invalid.field(_PATH, f"is longer than {_MAX_LENGTH} characters; write lists as ranges or steps")
    texts = expression.split()
    if texts and texts[0].startswith("@"):
        nickname = " ".join(texts)
        if not nickname.isascii() or nickname.lower() not in _NICKNAMES:
            raise Invalid.field(_PATH, f"unknown nickname {nickname!r}; choose from {', '.join(_NICKNAMES)}")
        texts = _NICKNAMES[nickname.lower()].split()
    if len(texts) != len(FIELDS):
        names = ", ".join(field.name for field in FIELDS)
        raise Invalid.field(
            _PATH, f"has {len(texts)} fields; write five: {names} (seconds and years are not supported)"
        )
    return texts


def _refuse_days_that_never_come(days: frozenset[int], months: frozenset[int]) -> None:
    longest = max(_MONTH_DAYS[month - 1] for month in months)
    if min(days) > longest:
        raise DAY.refuse(f"no chosen month has a day {min(days)}, so it would never fire; choose 1-{longest}")


def _plain(numbers: list[frozenset[int]], either_day: bool) -> str:
    texts = [
        "*" if field.is_full(chosen) else ",".join(map(str, sorted(chosen)))
        for field, chosen in zip(FIELDS, numbers, strict=True)
    ]
    # NOTE: croniter leaves the day to the other field as soon as one is `*`. Where either is enough and one of them
    # excludes nothing (1-31), that would lose days: every day matches.
    if either_day and "*" in (texts[2], texts[4]):
        texts[2] = texts[4] = "*"
    return " ".join(texts)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
