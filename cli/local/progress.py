"""What takes its time, told on standard error: a spinner on a terminal, else a line for each step."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

_console = Console(stderr=True, highlight=False)


@contextmanager
def step(doing: str) -> Iterator[None]:
    """Tell that something is being done and, once it is, how long it took."""
    began = time.monotonic()
    if _console.is_terminal:
        with _console.status(f"{doing} ..."):
            yield
    else:
        _console.print(f"{doing} ...", soft_wrap=True)
        yield
    _console.print(f"[green]done[/green] {doing} ({time.monotonic() - began:.1f} s)", soft_wrap=True)
