"""`rubato synthetic`: a deployment that watches itself, through its own targets at /synthetic."""

import typer

from cli.synthetic import commands

app = typer.Typer(help="Have a deployment watch itself, and ask whether all is well.", no_args_is_help=True)
app.command("setup")(commands.setup)
app.command("check")(commands.check)
app.command("remove")(commands.remove)
