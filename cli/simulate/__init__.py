"""`rubato simulate`: questions that are answered on paper, without an account or a stack."""

import typer

from cli.simulate.capacity import load

app = typer.Typer(help="Answer on paper what no laptop can show: load at scale.", no_args_is_help=True)


@app.callback()
def _simulate() -> None:
    """Answer on paper what no laptop can show."""


app.command("load")(load.load)
