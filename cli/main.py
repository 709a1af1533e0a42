"""The `rubato` command."""

import sys

import typer
from rich.console import Console

from cli import demo, dlq, drills, keys, mcp, openapi, simulate, smoke, synthetic
from cli.bench.command import bench
from cli.blueprints.commands import apply, export_job
from cli.explain.command import explain
from cli.local import commands
from cli.trouble import Trouble
from cli.watch.command import watch

app = typer.Typer(
    help="Rubato: an adaptive scheduler for HTTP work.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.add_typer(commands.app, name="local")
app.add_typer(keys.app, name="keys")
app.add_typer(dlq.app, name="dlq")
app.add_typer(drills.app, name="drill")
app.add_typer(simulate.app, name="simulate")
app.add_typer(synthetic.app, name="synthetic")
app.command("apply")(apply)
app.command("bench")(bench)
app.command("demo")(demo.demo)
app.command("export")(export_job)
app.command("smoke")(smoke.smoke)
app.command("explain")(explain)
app.command("openapi")(openapi.openapi)
app.command("watch")(watch)
app.command("mcp")(mcp.mcp)


def main() -> None:
    """The console script."""
    try:
        app()
    except Trouble as trouble:
        Console(stderr=True, highlight=False).print(str(trouble), style="red", markup=False, soft_wrap=True)
        sys.exit(trouble.exit_code)
