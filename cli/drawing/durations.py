"""Durations as people say them."""

_UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))


def spell(milliseconds: float) -> str:
    """With one unit and at most one digit after the point: 30 s, 1.5 min, 2 h."""
    for size, unit in _UNITS:
        if abs(milliseconds) >= size:
            return f"{round(milliseconds / size, 1):g} {unit}"
    return f"{round(milliseconds)} ms"


def spell_exactly(milliseconds: int) -> str:
    """With as many units as it takes: 1 min 30 s."""
    parts, rest = list[str](), milliseconds
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        parts += [f"{count} {unit}"] if count else []
    return " ".join([*parts, f"{rest} ms"] if rest or not parts else parts)
