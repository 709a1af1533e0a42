"""`rubato simulate`: scenarios under a virtual clock, and questions of capacity that are answered on paper."""

from typing import Annotated

import typer

from cli.simulate.capacity.load import load
from cli.simulate.commands import AsJson, play_all, register

app = typer.Typer(
    help="Play scenarios under a virtual clock; answer on paper what no laptop can show: load at scale.",
    no_args_is_help=False,
)


@app.callback(invoke_without_command=True)
def _simulate(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Play every scenario, and check all that they claim.")] = False,
    as_json: AsJson = False,
) -> None:
    """Play scenarios under a virtual clock; answer on paper what no laptop can show."""
    if context.invoked_subcommand is None:
        if not every:
            typer.echo(context.get_help())
            return
        play_all(as_json)


app.command("load")(load)
register(app)
