"""The simulation of load: the same for the same seed, never early, nothing lost, and what its documentation says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.simulate.capacity import limits, measured
from cli.simulate.capacity.answer import enough, exceeded, needs_of, shards_for, tick_workers_for
from cli.simulate.capacity.clock import Loop
from cli.simulate.capacity.deployment import Deployment
from cli.simulate.capacity.simulation import Outcome, Simulation
from cli.simulate.capacity.store import Store
from cli.simulate.capacity.traffic import Spread, Traffic
from cli.trouble import Trouble

DOC = Path(__file__).parents[2] / "docs" / "scaling.md"


def simulated(traffic: Traffic, seconds: float = 70, drain: float = 30, **deployed: Any) -> Outcome:
    return Simulation(traffic, Deployment(**{"dispatchers": 50, **deployed})).run(seconds, drain)


def printed(*options: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["simulate", "load", "--json", *options])
    assert result.exit_code == 0, result.output
    facts: dict[str, Any] = json.loads(result.output)
    return facts


def test_events_happen_in_the_order_of_time_and_then_of_asking() -> None:
    loop, seen = Loop(), list[str]()
    loop.at(5, lambda: seen.append("later"))
    loop.at(1, lambda: loop.at(0, lambda: seen.append("past")))
    loop.at(1, lambda: seen.append("second"))
    loop.run_until(6)
    assert seen == ["second", "past", "later"]
    assert loop.now == 5


def test_the_same_seed_gives_the_same_outcome_and_another_one_another() -> None:
    first, again = (simulated(Traffic(endpoints=300, seed=7)) for _ in range(2))
    assert first == again
    assert simulated(Traffic(endpoints=300, seed=8)).lateness != first.lateness


@pytest.mark.parametrize("spread", list(Spread))
def test_no_call_is_early_and_every_slot_is_called(spread: Spread) -> None:
    outcome = simulated(Traffic(endpoints=400, spread=spread, slow_share=0), drain=60)
    assert min(outcome.lateness) >= 0
    assert outcome.waiting == 0
    assert outcome.due == len(outcome.lateness) >= 400


def test_a_throttled_write_delays_its_run_and_loses_nothing() -> None:
    outcome = simulated(Traffic(endpoints=400, spread=Spread.TOGETHER, slow_share=0), seconds=50, writes_per_s=20)
    assert outcome.throttled > 0
    assert outcome.due == 400 == len(outcome.lateness)
    assert outcome.late(0.99) > 10_000


def test_what_too_few_dispatchers_do_not_reach_is_waiting_and_not_lost() -> None:
    outcome = simulated(Traffic(endpoints=2000), dispatchers=1, drain=0)
    assert outcome.waiting > 0
    assert outcome.due == len(outcome.lateness) + outcome.waiting


def test_ample_workers_call_in_time() -> None:
    outcome = simulated(Traffic(endpoints=100, slow_share=0), dispatchers=100)
    assert outcome.late(0.5) == 0
    assert outcome.late(1) < 100


@pytest.mark.parametrize("seed", range(2))
def test_more_dispatchers_do_not_call_later(seed: int) -> None:
    late = [simulated(Traffic(endpoints=1000, seed=seed), dispatchers=count).late(0.99) for count in (2, 8, 32, 128)]
    assert late == sorted(late, reverse=True)


def test_a_herd_waits_for_lambda_to_grow() -> None:
    herd = Traffic(endpoints=2000, spread=Spread.TOGETHER, interval_ms=3_600_000)
    cold = simulated(herd, dispatchers=200, first_dispatchers=5)
    assert cold.late(0.99) > simulated(herd, dispatchers=200).late(0.99)


def test_slower_rhythms_wait_for_a_tick_that_has_time_left() -> None:
    slow = Traffic(endpoints=3000, interval_ms=300_000, slow_share=0)
    place = measured.AWS
    assert simulated(slow, seconds=290, tick_workers=8, place=place).left == 0
    assert simulated(slow, seconds=290, tick_workers=0.01, place=place).left > 0


def test_a_limit_per_second_lets_a_second_pass_at_once_and_then_makes_wait() -> None:
    store = Store(per_s=10, takes_ms=5)
    answers = [store.ask(10_000, 1) for _ in range(20)]
    assert answers[9] == 10_005
    assert answers[19] == pytest.approx(11_005)
    assert store.throttled == 10


def test_shards_and_tick_workers_grow_with_the_endpoints() -> None:
    counts = [10_000, 1_000_000, 10_000_000]
    needs = [needs_of(Traffic(endpoints=count)) for count in counts]
    assert [shards_for(need) for need in needs] == sorted(shards_for(need) for need in needs)
    assert tick_workers_for(needs[0]) < tick_workers_for(needs[1]) < tick_workers_for(needs[2])


def test_the_most_exceeded_limit_is_named_first() -> None:
    needs = needs_of(Traffic(endpoints=10_000_000))
    over = exceeded(needs, Deployment(dispatchers=20_000), in_flight=200_000, batches_per_s=20_000)
    assert over[0]["limit"] == "runs/s of one job (index byJob)"
    assert {"writes on the endpoints table", "Lambda at once"} <= {each["limit"] for each in over}
    assert exceeded(needs_of(Traffic(endpoints=10_000)), Deployment(dispatchers=64), 300, 60) == []


def test_every_limit_names_its_page_and_stands_in_the_documentation() -> None:
    text = DOC.read_text()
    for name, limit in limits.LIMITS.items():
        assert limit.source
        assert f"| {name} | {limit.value:,.0f} {limit.unit} | {limit.source} |" in text


def test_the_documentation_shows_what_the_command_prints() -> None:
    rows = re.findall(r"^\| 10,000 \|(.*)\|$", DOC.read_text(), re.MULTILINE)
    facts = printed("--endpoints", "10000")
    shown = [cell.strip() for cell in rows[0].split("|")]
    late, dollars = facts["latenessMs"], facts["dollarsPerMonth"]["sum"]
    told = (facts["shards"], facts["tickWorkers"], facts["dispatchers"])
    assert shown[:4] == [str(facts["runsPerS"]), *map(str, told)]
    assert shown[4:6] == [f"{late['p50']} ms", f"{late['p99']} ms"]
    assert shown[6] == f"${dollars:,}"


def test_a_lateness_that_no_number_of_dispatchers_reaches_is_said_to_be_so() -> None:
    with pytest.raises(Trouble, match="no number of dispatchers keeps 99 % of the calls within 1 ms"):
        enough(Traffic(endpoints=20), 1)
