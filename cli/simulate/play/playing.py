"""Playing a scenario under the virtual clock, and judging what came of it."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cli.api import Api
from cli.blueprints.applying import apply_plan
from cli.blueprints.document import blueprint_of
from cli.blueprints.plan import make_plan
from cli.blueprints.variables import names_in
from cli.drawing.durations import spell
from cli.simulate.play.collect import Timescale, collect
from cli.simulate.play.promises import promises
from cli.simulate.play.record import Record
from cli.simulate.play.scenario import MINUTE, Scenario, Verdict
from cli.simulate.play.stage import emulated, in_memory
from cli.simulate.play.targets import BASE_URL

FOLDER = Path(__file__).parents[3] / "docs" / "blueprints"


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A scenario, what happened, and how it is judged. `notes` say what was done differently, such as in real time."""

    scenario: Scenario
    record: Record
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()

    @property
    def held(self) -> bool:
        """Whether every claim did."""
        return all(verdict.held for verdict in self.verdicts)


def play(scenario: Scenario, content: dict[str, Any] | None = None) -> Played:
    """From the lead-in to the end. `content` takes the place of the blueprint's file."""
    opens = -scenario.lead_in_minutes * MINUTE
    staged = in_memory if scenario.in_memory else emulated
    with staged(scenario.targets(), scenario.begins, opens) as stage:
        job_id = set_up(stage.api, content or content_of(scenario), BASE_URL)
        stage.play(scenario.ends)
        scale = Timescale(begins=scenario.begins)
        return judge(scenario, collect(stage.api, job_id, stage.calls, scale, until=scenario.ends))


def judge(scenario: Scenario, record: Record, *notes: str) -> Played:
    """The scenario's own claims, then what all promise."""
    verdicts = (_exact(verdict, record.grace) for verdict in (*scenario.claims(record), *promises(record)))
    return Played(scenario=scenario, record=record, verdicts=tuple(verdicts), notes=notes)


def _exact(verdict: Verdict, grace: int) -> Verdict:
    """In real time a claim says how exactly it was measured."""
    if not (grace and verdict.measured):
        return verdict
    return replace(verdict, claim=f"{verdict.claim} Measured, give or take {spell(grace)}.")


def content_of(scenario: Scenario) -> dict[str, Any]:
    """The blueprint's file, parsed."""
    content: dict[str, Any] = json.loads((FOLDER / f"{scenario.blueprint}.json").read_text())
    return content


def set_up(api: Api, content: dict[str, Any], base_url: str) -> str:
    """Create the job with its endpoints; gives its id."""
    blueprint = blueprint_of(content, "the blueprint", dict.fromkeys(names_in(content), base_url))
    return apply_plan(api, make_plan(blueprint, None), None)
