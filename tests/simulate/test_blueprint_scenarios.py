"""The other blueprints come out as they say, and not without their rules; over either store alike."""

from dataclasses import replace
from typing import Any

import pytest

from cli.simulate.play.playing import Played, content_of, play
from cli.simulate.play.scenario import MINUTE, Answer, Visit
from cli.simulate.scenarios import SCENARIOS

OTHERS = [scenario for scenario in SCENARIOS.values() if scenario.blueprint != "flash-sale"]
QUICK = [scenario for scenario in OTHERS if scenario.minutes < 1000 and "/" not in scenario.name]


def failed(played: Played) -> list[str]:
    return [f"{verdict.claim} {verdict.evidence}" for verdict in played.verdicts if not verdict.held]


@pytest.mark.parametrize("scenario", OTHERS, ids=lambda scenario: scenario.name)
def test_a_blueprint_does_what_it_is_there_to_show(scenario: Any) -> None:
    played = play(scenario)
    assert failed(played) == [] and len(played.verdicts) > 6


@pytest.mark.parametrize("scenario", QUICK, ids=lambda scenario: scenario.name)
def test_its_claims_fail_without_its_rules(scenario: Any) -> None:
    content = content_of(scenario)
    without = {**content, "job": {**content["job"], "rules": []}}
    assert len(failed(play(scenario, without))) > 2


class Short:
    """A service that fails from minute 1 on."""

    def answer(self, visit: Visit) -> Answer:
        return Answer(body={"errorRate": 0.4 if visit.at >= MINUTE else 0})


def test_both_stores_lead_to_the_same_runs_and_changes() -> None:
    content = content_of(SCENARIOS["devops-health"])
    small = {
        "job": {**content["job"], "rules": content["job"]["rules"][:2]},
        "endpoints": [each for each in content["endpoints"] if each["name"] in ("api_health", "error_log_sample")],
    }
    short = replace(SCENARIOS["devops-health"], minutes=3, lead_in_minutes=0, targets=Short, claims=lambda _: ())
    memory, dynamodb = (play(replace(short, in_memory=kind), small).record for kind in (True, False))

    def told(record: Any) -> list[tuple[Any, ...]]:
        runs = [(run.slot, run.endpoint, run.status, run.source) for run in record.runs]
        return sorted([*runs, *((each.at, each.endpoint, each.action, each.author) for each in record.changes)])

    assert told(memory) == told(dynamodb) and len(memory.runs) > 9
