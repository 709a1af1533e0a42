"""`rubato bench`."""

import json
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import typer

from cli.bench import books, footprint, speed
from cli.trouble import Trouble

PARTS: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
    "units": books.unit_facts,
    "plan": speed.plan_facts,
    "workers": speed.worker_facts,
    "imports": footprint.import_facts,
    "layer": footprint.layer_fact,
}


def bench(
    only: Annotated[list[str] | None, typer.Option(help=f"One or several of {', '.join(PARTS)}.")] = None,
) -> None:
    """What Rubato costs and how fast it is: one fact a line, as JSON. Counts are exact, times are of this machine."""
    for part in only or PARTS:
        if part not in PARTS:
            raise Trouble(f"there is no part {part!r}; choose from {', '.join(PARTS)}")
        for fact in PARTS[part]():
            typer.echo(json.dumps(fact))
