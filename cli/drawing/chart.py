"""One endpoint over several lines: its interval as steps, against the dotted baseline."""

from string import ascii_lowercase

from cli.drawing.changes import changes_in, tell_step
from cli.drawing.durations import spell
from cli.drawing.scale import Scale, scale_of
from cli.drawing.series import Series, Step, Window
from cli.drawing.tempo import axis

_LABELS = 9
_BASELINE = "┄"
_MANY = "#"

Grid = list[list[str]]


def step_chart(series: Series, window: Window, width: int = 80, height: int = 6) -> list[str]:
    """Name, `height` rows (the fastest on top), runs per column, letters of changes, axis, the changes in words."""
    columns = max(width - _LABELS, 8)
    scale = scale_of([series])
    grid: Grid = [[" "] * columns for _ in range(height)]
    _draw_baseline(grid, series, window, scale)
    _draw_steps(grid, series, window, scale)
    labels = _row_labels(series, scale, height)
    lettered = list(zip(ascii_lowercase, changes_in(series, window), strict=False))
    return [
        line.rstrip()
        for line in (
            series.name,
            *(f"{labels.get(row, ''):>{_LABELS - 1}} {''.join(cells)}" for row, cells in enumerate(grid)),
            f"{'runs':>{_LABELS - 1}} {_runs(series, window, columns)}",
            f"{'':>{_LABELS}}{_letters(lettered, window, columns)}",
            f"{'':>{_LABELS}}{axis(window, columns)}",
            *(_cut(f"{letter} {window.label(step.at)}  {tell_step(step)}", width) for letter, step in lettered),
        )
    ]


def _draw_baseline(grid: Grid, series: Series, window: Window, scale: Scale) -> None:
    for column, (since, until) in enumerate(window.columns(len(grid[0]))):
        baseline = series.baseline(since, until)
        if baseline:
            grid[_row(scale, baseline, len(grid))][column] = _BASELINE


def _draw_steps(grid: Grid, series: Series, window: Window, scale: Scale) -> None:
    before: int | None = None
    for column, (since, until) in enumerate(window.columns(len(grid[0]))):
        interval = series.tightest(since, until)
        row = _row(scale, interval, len(grid)) if interval else None
        if row is not None:
            _join(grid, column, row if before is None else before, row)
        before = row


def _join(grid: Grid, column: int, before: int, row: int) -> None:
    """From the row of the column before to this one's."""
    if before == row:
        grid[row][column] = "─"
        return
    leaves, enters = ("┐", "└") if row > before else ("┘", "┌")
    for between in range(min(before, row) + 1, max(before, row)):
        grid[between][column] = "│"
    grid[before][column], grid[row][column] = leaves, enters


def _row(scale: Scale, interval: int, height: int) -> int:
    return height - 1 - scale.level(interval, height)


def _row_labels(series: Series, scale: Scale, height: int) -> dict[int, str]:
    """The first interval that falls on a row names it; the baseline goes before."""
    labels: dict[int, str] = {}
    steps = series.steps
    for interval in [*(step.baseline_ms for step in steps), *(step.interval_ms for step in steps)]:
        if interval:
            labels.setdefault(_row(scale, interval, height), spell(interval))
    return labels


def _runs(series: Series, window: Window, columns: int) -> str:
    counts = [series.run_count(since, until) for since, until in window.columns(columns)]
    return "".join(" " if not count else "·" if count == 1 else str(count) if count < 10 else _MANY for count in counts)


def _letters(lettered: list[tuple[str, Step]], window: Window, columns: int) -> str:
    line = [" "] * columns
    for letter, step in lettered:
        column = window.column_of(step.at, columns)
        if column is not None:
            line[column] = letter
    return "".join(line)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
