"""One line an endpoint: its tempo as a row of bars."""

from collections.abc import Sequence

from cli.drawing.durations import spell
from cli.drawing.scale import Scale, scale_of
from cli.drawing.series import Series, Window

_BARS = "▁▂▃▄▅▆▇█"
_ASLEEP, _RAN = " ", "+"
_MOST_NAME = 24
_MOST_LABELS, _GAP = 4, 2


def timeline(many: Sequence[Series], window: Window, width: int = 80) -> list[str]:
    """An axis, then a line each: name, tempo over time (higher is faster), and how often it runs at the end."""
    room = min(max((len(series.name) for series in many), default=0), _MOST_NAME)
    nows = [_now(series, window) for series in many]
    columns = max(width - room - max(map(len, nows), default=0) - 3, 8)
    scale = scale_of(many)
    return [
        f"{'':<{room}} {axis(window, columns)}".rstrip(),
        *(
            f"{_cut(series.name, room):<{room}} {tempo_row(series, window, columns, scale)}  {now}"
            for series, now in zip(many, nows, strict=True)
        ),
    ]


def tempo_row(series: Series, window: Window, columns: int, scale: Scale | None = None) -> str:
    """`columns` characters: a bar for the fastest interval in each, blank while asleep, + for a run out of sleep."""
    scale = scale or scale_of([series])
    return "".join(_cell(series, since, until, scale) for since, until in window.columns(columns))


def axis(window: Window, columns: int) -> str:
    """Labels of moments, each beginning where its moment is, as many as there is room for."""
    labels = [window.label(since) for since, _ in window.columns(columns)]
    count = max(min(_MOST_LABELS, columns // (max(map(len, labels)) + _GAP)), 1)
    line = ""
    for start in (columns * index // count for index in range(count)):
        line = f"{line:<{start}}{labels[start]}"
    return line[:columns]


def _cell(series: Series, since: int, until: int, scale: Scale) -> str:
    interval = series.tightest(since, until)
    if interval:
        return _BARS[scale.level(interval, len(_BARS))]
    return _RAN if series.run_count(since, until) else _ASLEEP


def _now(series: Series, window: Window) -> str:
    last = window.until - 1
    interval, baseline = series.tightest(last, window.until), series.baseline(last, window.until)
    if interval is None:
        return "asleep"
    return spell(interval) if baseline in (None, interval) else f"{spell(interval)} of {spell(baseline or 0)}"


def _cut(name: str, room: int) -> str:
    return name if len(name) <= room else name[: room - 1] + "…"
