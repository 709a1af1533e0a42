"""A blueprint made quicker: all of its durations divided by the speed. What can't be divided whole is refused.

Divided: intervals of baselines, clamps and hints, delays, jitter, lateness; `ttlMinutes` and `forMinutes`, which must
stay whole; `for` and `cooldown`, whole seconds; and within `when` the seconds with which ageSeconds, heldSeconds and
lastFiredAgo are compared. Left as they are: timeouts, retries, and every figure that is no duration.
"""

import re
from typing import Any

from cli.trouble import Trouble

_MS = ("intervalMs", "minIntervalMs", "maxIntervalMs", "runInMs", "jitterMs", "maxLatenessMs")
_MINUTES = ("ttlMinutes", "forMinutes")
_WRITTEN = ("for", "cooldown")
_FIXED = ("cron", "runAt", "until")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_COMPARED = re.compile(r"((?:ageSeconds|heldSeconds|lastFiredAgo)(?: \|\| `0`\))? [<>]=? `)(\d+)(`)")
_FASTEST = 60


def speed_up(content: dict[str, Any], speed: int) -> dict[str, Any]:
    """The same blueprint at so many times the speed; raises Trouble that names the speeds at which it can be played."""
    try:
        return _divided(content, speed)
    except _Fraction as fraction:
        able = ", ".join(str(each) for each in range(1, _FASTEST + 1) if _is_possible(content, each))
        raise Trouble(f"--speed {speed}: {fraction}; it can be played at {able}") from None


class _Fraction(Exception):
    """Something that would not stay whole."""


def _is_possible(content: dict[str, Any], speed: int) -> bool:
    try:
        _divided(content, speed)
    except _Fraction:
        return False
    return True


def _divided(content: dict[str, Any], speed: int) -> dict[str, Any]:
    return {**content, **{part: _value(content[part], speed) for part in ("job", "endpoints")}}


def _value(value: Any, speed: int) -> Any:
    if isinstance(value, dict):
        return {key: _field(key, each, speed) for key, each in value.items()}
    return [_value(each, speed) for each in value] if isinstance(value, list) else value


def _field(key: str, value: Any, speed: int) -> Any:
    if key in _FIXED and speed > 1 and isinstance(value, str) and value != "indefinite":
        raise _Fraction(f"{key} {value} is a time of the clock")
    if isinstance(value, int) and key in _MS + _MINUTES:
        return _whole(value, speed, f"{key} {value}")
    if isinstance(value, str) and key in _WRITTEN:
        return f"{_whole(int(value[:-1]) * _UNITS[value[-1]], speed, f'{key} {value}')}s"
    if isinstance(value, str) and key == "when":
        return _COMPARED.sub(lambda found: f"{found[1]}{_whole(int(found[2]), speed, found[0])}{found[3]}", value)
    return _value(value, speed) if key not in ("body", "metadata", "headers") else value


def _whole(value: int, speed: int, told: str) -> int:
    if value % speed:
        raise _Fraction(f"{told} can't be divided by {speed}")
    return value // speed
