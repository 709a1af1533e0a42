"""Durations as people write them: an integer and a unit."""

import re
from dataclasses import dataclass

from rubato.domain.errors import Invalid
from rubato.domain.instant import DAY, HOUR, MINUTE, SECOND

PATTERN = r"^[0-9]{1,9}[smhd]$"
LONGEST_MS = 366 * DAY
_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_WRITTEN = re.compile(PATTERN, re.ASCII)


@dataclass(frozen=True, slots=True)
class Duration:
    """As it was written, such as `10m`, and in ms."""

    text: str
    ms: int


ZERO = Duration("0s", 0)


def read_duration(text: str, path: str) -> Duration:
    """An integer with s, m, h or d, up to 366 days; `path` is the field to blame in `Invalid`."""
    if not _WRITTEN.fullmatch(text):
        raise Invalid.field(path, f"{text!r} is no duration; write an integer with s, m, h or d, such as 10m")
    ms = int(text[:-1]) * _UNITS[text[-1]]
    if ms > LONGEST_MS:
        raise Invalid.field(path, f"{text} is longer than 366 days")
    return Duration(text, ms)
