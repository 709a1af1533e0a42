"""`rubato watch`."""

import time
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from textwrap import wrap
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from cli.api import Api, Key, Refusal, Url
from cli.blueprints.stored import the_job
from cli.drawing.attribution import plain
from cli.drawing.chart import step_chart
from cli.drawing.series import Series, Window
from cli.drawing.tempo import timeline
from cli.explain.command import local_label
from cli.trouble import Trouble
from cli.watch.observer import Observer, tell_all_changes

_POLL_S = 1.0
_LATEST = 12
_WIDEST = 120
_FINAL = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)

Look = tuple[list[Series], Window, list[str]]
"""What was seen, the time that is shown, and a line if the API did not answer."""


def watch(
    job: Annotated[str, typer.Argument(help="Id or name of the job.")],
    url: Url,
    key: Key,
    endpoint: Annotated[str | None, typer.Option(help="Only this one, larger.")] = None,
    minutes: Annotated[float, typer.Option(min=0.1, help="How many minutes are shown.")] = 15,
    seconds: Annotated[float | None, typer.Option(min=0, help="End by itself after so many seconds.")] = None,
) -> None:
    """Draw each endpoint's interval over time against its baseline, with who changed it and why, until Ctrl-C."""
    console = Console(highlight=False, soft_wrap=True)
    with Api(url, key) as api, suppress(KeyboardInterrupt):
        span = round(minutes * 60_000)
        observer = Observer(api, the_job(api, job)["jobId"], span)
        if console.is_terminal:
            _draw(console, observer, span, seconds, endpoint)
        else:
            _list(observer, span, seconds, endpoint)


def picture(many: list[Series], window: Window, width: int, endpoint: str | None) -> list[str]:
    """What a terminal shows: the chart of one endpoint, or a timeline of all with the latest changes in words."""
    chosen = _chosen(many, endpoint)
    if endpoint:
        return step_chart(chosen[0], window, width)
    return [*timeline(chosen, window, width), "", *(line for _, line in tell_all_changes(chosen, window)[-_LATEST:])]


def _draw(console: Console, observer: Observer, span: int, seconds: float | None, endpoint: str | None) -> None:
    with Live(console=console, auto_refresh=False) as live:
        for many, window, silence in _looks(observer, span, seconds):
            width = min(console.width, _WIDEST)
            lines = [line[:width] for line in picture(many, window, width, endpoint)]
            told = [part for line in silence for part in wrap(line, width)]
            live.update(Text("\n".join([*lines, *told]), no_wrap=True), refresh=True)


def _list(observer: Observer, span: int, seconds: float | None, endpoint: str | None) -> None:
    is_first, told = True, list[str]()
    for many, window, silence in _looks(observer, span, seconds):
        if is_first:
            for line in timeline(_chosen(many, endpoint), window):
                typer.echo(line)
        is_first = False
        for line in silence if not told else ():
            typer.echo(line)
        told = silence
        for _, line in observer.news(_chosen(many, endpoint), window):
            typer.echo(line)


def _looks(observer: Observer, span: int, seconds: float | None) -> Iterator[Look]:
    """A look each second, until the time is up.

    One that failed gives the picture before it and a line that says since when; the next may succeed. Raises Trouble
    when the first fails, or when the API says that no later one can succeed.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    seen, silent_since = observer.look(now := _now()), None
    silence = list[str]()
    while True:
        yield seen, Window(since=now - span, until=now + 1, label=local_label(now)), silence
        left = _POLL_S if deadline is None else min(_POLL_S, deadline - time.monotonic())
        if left <= 0:
            return
        time.sleep(left)
        found = _look_again(observer, now := _now())
        if isinstance(found, Trouble):
            silent_since = silent_since or now
            silence = [f"no answer since {local_label(now)(silent_since)}: {plain(str(found))}"]
        else:
            seen, silent_since, silence = found, None, []


def _look_again(observer: Observer, now: int) -> list[Series] | Trouble:
    try:
        return observer.look(now)
    except Refusal as refused:
        if refused.status in _FINAL:
            raise
        return refused
    except Trouble as trouble:
        return trouble


def _chosen(many: list[Series], endpoint: str | None) -> list[Series]:
    chosen = [series for series in many if endpoint in (None, series.name)]
    if endpoint and not chosen:
        names = ", ".join(series.name for series in many)
        raise Trouble(f"the job has no endpoint {endpoint!r}; it has {names or 'none'}")
    return chosen


def _now() -> int:
    return round(time.time() * 1000)
