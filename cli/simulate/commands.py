"""`rubato simulate flash-sale` and the other scenarios, and `rubato simulate --all`."""

import json
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.api import Api, is_loopback
from cli.simulate.play.as_json import facts_of
from cli.simulate.play.playing import Played, play
from cli.simulate.play.realtime import play_in_real_time
from cli.simulate.play.report import told, verdict_lines
from cli.simulate.play.scenario import Scenario
from cli.simulate.scenarios import SCENARIOS
from cli.trouble import Trouble

AsJson = Annotated[bool, typer.Option("--json", help="One line of JSON.")]


_SPEED = 10


class Variant(StrEnum):
    """What goes differently."""

    SCALING_FAILS = "scaling-fails"


def show(played: Played, as_json: bool) -> None:
    """Print it; exits with 1 unless every claim held."""
    typer.echo(json.dumps(facts_of(played)) if as_json else "\n".join(told(played)))
    if not played.held:
        raise typer.Exit(1)


def play_all(as_json: bool) -> None:
    """Play every scenario and print its claims; exits with 1 unless all held. One that breaks stops no other."""
    facts = [_timed(scenario, as_json) for scenario in SCENARIOS.values()]
    if as_json:
        typer.echo(json.dumps(facts))
    if not all(each["held"] for each in facts):
        raise typer.Exit(1)


def _timed(scenario: Scenario, as_json: bool) -> dict[str, Any]:
    began = time.monotonic()
    try:
        played = play(scenario)
        facts, lines = facts_of(played), list(verdict_lines(played.verdicts))
    except Exception as error:  # noqa: BLE001 - whatever breaks is a finding, and the next scenario is to be played
        why = f"{type(error).__name__}: {error}"
        facts, lines = {"scenario": scenario.name, "held": False, "error": why}, [f"FAIL  It broke: {why}"]
    if not as_json:
        typer.echo(f"\n{scenario.name}: {scenario.summary} ({time.monotonic() - began:.0f} s)")
        typer.echo("\n".join(lines))
    return facts


def register(app: typer.Typer) -> None:
    """A command for each scenario, and the flash sale with what only it has."""
    app.command("flash-sale")(flash_sale)
    for scenario in SCENARIOS.values():
        if scenario.blueprint != "flash-sale":
            app.command(scenario.name, help=f"Play {scenario.summary}.")(_command(scenario))


def flash_sale(
    variant: Annotated[
        Variant | None, typer.Option(help="scaling-fails: no workers can be had, and the engineer on call is woken.")
    ] = None,
    realtime: Annotated[bool, typer.Option(help="On the local stack, with the shop behind a socket.")] = False,
    speed: Annotated[
        int | None, typer.Option(min=1, help="In real time: divide all durations of the blueprint; 10 unless given.")
    ] = None,
    url: Annotated[str, typer.Option(envvar="RUBATO_URL", help="In real time: base of the API.")] = "",
    key: Annotated[str, typer.Option(envvar="RUBATO_API_KEY", help="In real time: API key.")] = "",
    as_json: AsJson = False,
) -> None:
    """Play forty minutes of a shop's flash sale, steered by rules, and check what must come out."""
    if speed is not None and not realtime:
        raise Trouble("--speed is for --realtime: under the virtual clock every play takes some seconds")
    scenario = SCENARIOS["flash-sale" if variant is None else f"flash-sale/{variant.value}"]
    show(_in_real_time(scenario, url, key, speed or _SPEED) if realtime else play(scenario), as_json)


def _in_real_time(scenario: Scenario, url: str, key: str, speed: int) -> Played:
    if not is_loopback(url) or not key:
        raise Trouble("--realtime needs the local stack: `rubato local up`, and its RUBATO_URL and RUBATO_API_KEY")
    with Api(url, key) as api:
        return play_in_real_time(scenario, api, speed)


def _command(scenario: Scenario) -> Callable[[bool], None]:
    def command(as_json: AsJson = False) -> None:
        show(play(scenario), as_json)

    return command
