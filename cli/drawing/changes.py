"""The changes of a tempo in words."""

from itertools import pairwise

from cli.drawing.attribution import plain
from cli.drawing.durations import spell
from cli.drawing.series import Series, Step, Window


def tell_changes(series: Series, window: Window) -> list[str]:
    """One line a change within the window, oldest first: when, to what, by whom and why."""
    return [f"{window.label(step.at)}  {tell_step(step)}" for step in changes_in(series, window)]


def changes_in(series: Series, window: Window) -> list[Step]:
    """The steps within the window that differ from the one before in interval, author or reason."""
    return [
        later
        for earlier, later in pairwise(series.steps)
        if window.since <= later.at < window.until and _told(earlier) != _told(later)
    ]


def tell_step(step: Step) -> str:
    """To what, by whom and why, on one line."""
    said = ": ".join(part for part in (step.author, step.reason) if part)
    tempo = "asleep" if step.interval_ms is None else f"every {spell(step.interval_ms)}"
    back = step.interval_ms == step.baseline_ms and step.interval_ms is not None
    beside = " (baseline)" if back else f" ({step.source})" if step.source else ""
    return plain(f"{tempo}{beside}{', ' + said if said else ''}")


def _told(step: Step) -> tuple[int | None, str, str]:
    return step.interval_ms, step.author, step.reason
