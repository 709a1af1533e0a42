"""Cron fields at the door: what is accepted, and why everything else is refused (the design's semantics, Baseline)."""

from dataclasses import dataclass

from rubato.domain.errors import Invalid

_PATH = "baseline.cron"
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
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
    """One of the five fields: its name, its bounds and the names that its numbers have."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def parse(self, text: str) -> frozenset[int]:
        """The numbers that match; raises Invalid naming the field and the remedy."""
        values: set[int] = set()
        for item in text.split(","):
            values.update(self._item(item))
        return frozenset(values)

    def _item(self, item: str) -> range:
        base, slash, step_text = item.partition("/")
        first, last = self._bounds(base, item)
        if not slash:
            return range(first, last + 1)
        if base != "*" and "-" not in base:
            raise self.refuse(f"{item!r} steps from a single number; write {base}-{self.high}/{step_text}")
        if not step_text.isascii() or not step_text.isdecimal() or int(step_text) == 0:
            raise self.refuse(f"{item!r} has no whole step of 1 or more after the slash")
        return range(first, last + 1, int(step_text))

    def _bounds(self, base: str, item: str) -> tuple[int, int]:
        if base == "*":
            return self.low, self.high
        low_text, dash, high_text = base.partition("-")
        first = self._number(low_text, item)
        last = self._number(high_text, item) if dash else first
        if first > last:
            raise self.refuse(f"the range {base!r} runs backwards; write it as a list, or swap its ends")
        return first, last

    def _number(self, text: str, item: str) -> int:
        if text.upper() in self.names:
            return self.names.index(text.upper()) + self.low
        if not text.isascii() or not text.isdecimal():
            raise self.refuse(f"{item!r} is no number, name, range, list or step of them")
        number = int(text)
        if not self.low <= number <= self.high:
            raise self.refuse(f"{number} is outside {self.low}-{self.high}")
        return number

    def refuse(self, why: str) -> Invalid:
        """An error that names this field."""
        return Invalid.field(_PATH, f"{self.name}: {why}")


MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY = Field("day of month", 1, 31)
MONTH = Field("month", 1, 12, _MONTHS)
WEEKDAY = Field("day of week", 0, 7, _WEEKDAYS)
FIELDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)


def split(expression: str) -> tuple[str, ...]:
    """The five fields as text, a nickname resolved; raises Invalid."""
    text = " ".join(expression.split())
    if text.startswith("@"):
        if text.lower() not in _NICKNAMES:
            raise Invalid.field(_PATH, f"unknown nickname {text!r}; choose from {', '.join(_NICKNAMES)}")
        text = _NICKNAMES[text.lower()]
    fields = tuple(text.split())
    if len(fields) != len(FIELDS):
        names = ", ".join(field.name for field in FIELDS)
        raise Invalid.field(
            _PATH, f"has {len(fields)} fields; write five: {names} (seconds and years are not supported)"
        )
    return fields
