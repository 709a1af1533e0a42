"""The flash sale comes out as the design says, and each claim is one that can fail."""

import json
from dataclasses import replace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli.main import app
from cli.simulate import commands
from cli.simulate.play.playing import Played, content_of, judge, play
from cli.simulate.play.record import Record
from cli.simulate.play.scenario import MINUTE, Answer, Scenario, Visit
from cli.simulate.scenarios import SCENARIOS
from cli.simulate.scenarios.flash_sale.shop import Shop
from rubato.domain.endpoint import EndpointState
from tests.simulate.breaks import OF_THE_SALE, OF_THE_VARIANT, Break

SALE, VARIANT = SCENARIOS["flash-sale"], SCENARIOS["flash-sale/scaling-fails"]


def broken(scenario: Scenario, record: Record) -> list[str]:
    return [verdict.claim for verdict in judge(scenario, record).verdicts if not verdict.held]


def test_the_flash_sale_keeps_every_claim_over_the_real_store_and_in_memory_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plays: list[Played] = []

    def remembered(scenario: Scenario) -> Played:
        plays.append(play(scenario))
        return plays[-1]

    monkeypatch.setattr(commands, "play", remembered)
    shown = CliRunner().invoke(app, ["simulate", "flash-sale"])
    assert shown.exit_code == 0, shown.output
    assert "FAIL" not in shown.output
    assert "45 of 45 claims hold" in shown.output
    for title in ("Minute by minute", "Tempo", "Phases", "Claims"):
        assert title in shown.output
    assert plays[0].verdicts == play(replace(SALE, in_memory=True)).verdicts


@pytest.mark.parametrize(
    ("scenario", "breaks"), [(SALE, OF_THE_SALE), (VARIANT, OF_THE_VARIANT)], ids=lambda each: getattr(each, "name", "")
)
def test_each_claim_can_fail(scenario: Scenario, breaks: list[Break]) -> None:
    played = play(replace(scenario, in_memory=True))
    every = [verdict.claim for verdict in played.verdicts]
    assert len(set(every)) == len(every) and played.held
    able = set[str]()
    for change, claim in breaks:
        found = broken(scenario, change(played.record))
        assert any(each.startswith(claim) for each in found), f"{claim} can't fail: {found}"
        able |= {each for each in found if each.startswith(claim)}
    assert able == set(every)


def test_when_scaling_fails_the_engineer_on_call_is_woken_exactly_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # In memory, for the sake of time: the sale above is played over DynamoDB, and both lead to the same runs.
    monkeypatch.setitem(SCENARIOS, VARIANT.name, replace(VARIANT, in_memory=True))
    shown = CliRunner().invoke(app, ["simulate", "flash-sale", "--variant", "scaling-fails", "--json"])
    facts = json.loads(shown.output)
    assert shown.exit_code == 0, [claim for claim in facts["claims"] if not claim["held"]]
    runs = {each["endpoint"]: each["slots"] for each in facts["endpoints"]}
    assert len(runs["emergency_oncall_page"]) == 1
    assert max(runs["cache_warm_up"][0], runs["scale_checkout_workers"][0]) < runs["emergency_oncall_page"][0]
    assert [len(runs[name]) for name in ("cache_warm_up", "scale_checkout_workers", "slack_customer_support")] == [
        3,
        2,
        2,
    ]


def test_a_sale_without_the_rule_that_watches_the_surge_fails_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    content = content_of(SALE)
    content["job"]["rules"] = [rule for rule in content["job"]["rules"] if rule["name"] != "surge"]
    played = play(replace(SALE, minutes=8, in_memory=True), content)
    with pytest.raises(typer.Exit) as ended:
        commands.show(played, as_json=False)
    assert ended.value.exit_code == 1
    assert "FAIL  Surge: traffic_monitor tightens to 30 s" in capsys.readouterr().out


class EagerShop(Shop):
    """Visitors come three minutes too soon."""

    def answer(self, visit: Visit) -> Answer:
        return super().answer(replace(visit, at=visit.at + 5 * MINUTE))


def test_a_shop_that_behaves_otherwise_breaks_the_claims_about_it() -> None:
    played = play(replace(SALE, minutes=5, targets=EagerShop, in_memory=True))
    failed = {verdict.claim for verdict in played.verdicts if not verdict.held}
    assert "Minutes 0-4: only the three health checks run, at baseline." in failed


def test_a_dispatcher_that_ignores_pauses_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EndpointState, "is_paused", lambda _state, _now: False)
    failed = {each.claim for each in play(replace(SALE, minutes=9, in_memory=True)).verdicts if not each.held}
    assert "Paused endpoints are never called." in failed


def test_two_plays_are_alike_to_the_millisecond() -> None:
    short = replace(SALE, minutes=6, in_memory=True)
    first, second = (told_of(play(short).record) for _ in range(2))
    assert first == second


def told_of(record: Record) -> list[Any]:
    runs = [(run.endpoint, run.slot, run.started, run.finished, run.source) for run in record.runs]
    changes = [(each.at, each.endpoint, each.author, each.action) for each in record.changes]
    return [runs, sorted(changes)]
