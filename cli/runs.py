"""The latest runs, live."""

import time
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from cli.api import Api
from cli.drawing.attribution import plain
from cli.trouble import Trouble

_SHOWN = 20
_POLL_S = 1.0
_STYLES = {"success": "green", "failure": "red", "running": "yellow"}


def watch(api: Api, title: str = "Runs, newest first (Ctrl-C ends)") -> None:
    """Show runs until Ctrl-C: a table that is drawn anew or, where the output is no terminal, a line per run."""
    console = Console(highlight=False)
    names: dict[str, str] = {}
    try:
        if console.is_terminal:
            _draw(api, console, names, title)
        else:
            _list(api, console, names)
    except KeyboardInterrupt:
        return


def _draw(api: Api, console: Console, names: dict[str, str], title: str) -> None:
    with Live(Table(), console=console, auto_refresh=False, transient=True) as live:
        while True:
            live.update(_table(_latest(api, names), names, title), refresh=True)
            time.sleep(_POLL_S)


def _list(api: Api, console: Console, names: dict[str, str]) -> None:
    told: set[str] = set()
    while True:
        for run in reversed(_latest(api, names)):
            if run["status"] != "running" and run["runId"] not in told:
                told.add(run["runId"])
                console.print("  ".join(_cells(run, names)), soft_wrap=True)
        time.sleep(_POLL_S)


def _latest(api: Api, names: dict[str, str]) -> list[dict[str, Any]]:
    try:
        runs: list[dict[str, Any]] = api.call("GET", "/runs", limit=_SHOWN)["items"]
        for job_id in {run["jobId"] for run in runs if run["endpointId"] not in names}:
            names.update({each["endpointId"]: each["name"] for each in api.every(f"/jobs/{job_id}/endpoints")})
    except Trouble:
        # One failed look is no reason to stop watching; the next may succeed.
        return []
    return runs


def _table(runs: list[dict[str, Any]], names: dict[str, str], title: str) -> Table:
    table = Table(title=title, expand=True)
    for column in ("Started", "Endpoint", "Why", "Status", "Code"):
        table.add_column(column)
    table.add_column("Late ms", justify="right")
    table.add_column("Took ms", justify="right")
    for run in runs:
        table.add_row(*_cells(run, names), style=_STYLES[run["status"]])
    return table


def _cells(run: dict[str, Any], names: dict[str, str]) -> list[str]:
    started = run["startedAt"] and datetime.fromisoformat(run["startedAt"]).astimezone().strftime("%H:%M:%S.%f")[:-3]
    said = run["statusCode"] or run["errorKind"]
    numbers = (run["latenessMs"], run["durationMs"])
    return [
        started or "",
        escape(plain(names.get(run["endpointId"], run["endpointId"]))),
        run["source"],
        run["status"],
        str(said or ""),
        *("" if number is None else str(number) for number in numbers),
    ]
