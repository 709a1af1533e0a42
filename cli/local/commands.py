"""`rubato local`: up, down, status, logs."""

import json
import signal
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from cli import demo
from cli.api import Api
from cli.local import emulator, logs
from cli.local.home import Home, known_homes
from cli.local.progress import step
from cli.local.stack import Up, bring_up
from cli.runs import watch
from cli.trouble import Trouble

app = typer.Typer(help="Rubato on this machine.", no_args_is_help=True)

DEFAULT_PORT = 4580

Port = Annotated[int, typer.Option(min=1024, max=65535, help="Where the emulator listens, on 127.0.0.1.")]
StateDir = Annotated[Path | None, typer.Option(help="Folder that keeps the state; by default .local/PORT.")]


@app.command()
def up(
    port: Port = DEFAULT_PORT,
    state_dir: StateDir = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what was kept.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Leave it running; print one line of JSON.")] = False,
    with_demo: Annotated[bool, typer.Option("--demo", help="Run the job `demo` beside it.")] = False,
) -> None:
    """Build, deploy to an emulator of AWS, and show the runs until Ctrl-C. State is kept."""
    if detach and with_demo:
        raise Trouble("--demo needs its target here: leave out --detach, or run `rubato demo` beside the stack")
    # Also where a parent process has Ctrl-C ignored, as shells do for what they start in the background.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    home = Home.at(port, state_dir)
    stack = bring_up(home, fresh=fresh)
    if detach:
        facts = {"url": stack.url, "apiKey": stack.api_key, "pid": stack.pid, "stateDir": str(home.folder)}
        typer.echo(json.dumps(facts))
        return
    try:
        _attend(stack, with_demo)
    finally:
        with step("stopping; state is kept"):
            emulator.stop(home)


@app.command()
def down(port: Port = DEFAULT_PORT, state_dir: StateDir = None) -> None:
    """Stop the stack; its state is kept for the next `up`."""
    home = Home.at(port, state_dir)
    if not home.is_running():
        typer.echo(f"no stack runs on {home.folder}", err=True)
        return
    with step("stopping; state is kept"):
        emulator.stop(home)


@app.command()
def status() -> None:
    """The stacks of this checkout, as lines of JSON."""
    for home in known_homes():
        running = home.is_running()
        known = home.facts() if running else {}
        told = {"port": home.port, "running": running, "url": known.get("url"), "pid": known.get("pid")}
        typer.echo(json.dumps(told | {"stateDir": str(home.folder)}))


@app.command("logs")
def show_logs(
    port: Port = DEFAULT_PORT,
    state_dir: StateDir = None,
    function: Annotated[str | None, typer.Option(help="Only this one, such as dispatcher or planner.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
) -> None:
    """What the functions logged."""
    home = Home.at(port, state_dir)
    if not home.is_running():
        raise Trouble(f"no stack runs on {home.folder}; `rubato local up` starts one")
    with suppress(KeyboardInterrupt):
        for line in logs.lines(home, function, follow=follow):
            typer.echo(line)


def _attend(stack: Up, with_demo: bool) -> None:
    with ExitStack() as until_then:
        api = until_then.enter_context(Api(stack.url, stack.api_key))
        if with_demo:
            with step("preparing the demo"):
                until_then.enter_context(demo.playing(api))
        _welcome(stack)
        if with_demo:
            Console(highlight=False, soft_wrap=True).print(f"{demo.NOTE}\n")
        watch(api)


def _welcome(stack: Up) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"\n[bold]Rubato runs[/bold] at {stack.url}")
    console.print(f"API key: {stack.api_key}   (kept in {stack.home.key_file})")
    console.print(f'Try: curl -H "x-api-key: $(cat {stack.home.key_file})" {stack.url}/jobs')
    console.print(f"Logs: rubato local logs --port {stack.home.port} --follow\n")


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
