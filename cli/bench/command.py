"""`rubato bench`."""

import json
from importlib import import_module
from typing import Annotated

import typer

from cli.trouble import Trouble

# Imported when asked for: other commands need neither an emulator in their process nor the whole of Rubato.
PARTS = {
    "units": ("books", "unit_facts"),
    "plan": ("speed", "plan_facts"),
    "workers": ("speed", "worker_facts"),
    "mask": ("masking", "mask_facts"),
    "imports": ("footprint", "import_facts"),
    "layer": ("footprint", "layer_facts"),
}


def bench(
    only: Annotated[list[str] | None, typer.Option(help=f"One or several of {', '.join(PARTS)}.")] = None,
) -> None:
    """What Rubato costs and how fast it is: one fact a line, as JSON. Counts are exact, times are of this machine."""
    for part in only or PARTS:
        if part not in PARTS:
            raise Trouble(f"there is no part {part!r}; choose from {', '.join(PARTS)}")
        module, facts = PARTS[part]
        for fact in getattr(import_module(f"cli.bench.{module}"), facts)():
            typer.echo(json.dumps(fact))
