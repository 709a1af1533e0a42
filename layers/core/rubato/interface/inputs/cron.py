"""A cron expression as a JSON Schema: all of its syntax, but neither backward ranges nor days that never come."""

from typing import Any

_MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"
_WEEKDAYS = "SUN MON TUE WED THU FRI SAT"
_NICKNAMES = "hourly daily weekly monthly yearly"


def _any_case(words: str) -> str:
    return "|".join("".join(f"[{letter.upper()}{letter.lower()}]" for letter in word) for word in words.split())


def _field(number: str, names: str = "") -> str:
    one = f"0*({number}){'|' if names else ''}{_any_case(names)}"
    item = rf"(({one})|(\*|({one})-({one}))(/0*[1-9][0-9]*)?)"
    return f"{item}(,{item})*"


_FIELDS = (
    _field("[0-5]?[0-9]"),
    _field("[01]?[0-9]|2[0-3]"),
    _field("[1-9]|[12][0-9]|3[01]"),
    _field("[1-9]|1[0-2]", _MONTHS),
    _field("[0-7]", _WEEKDAYS),
)
_GAP = r"\s+"

SCHEMA: dict[str, Any] = {
    "type": "string",
    "maxLength": 255,
    "format": "cron",
    "pattern": rf"^\s*(@({_any_case(_NICKNAMES)})|{_GAP.join(_FIELDS)})\s*$",
}
