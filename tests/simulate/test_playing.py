"""Virtual time, a blueprint's speed, and the targets behind a socket."""

import json
import time
from dataclasses import replace

import httpx
import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.simulate import commands
from cli.simulate.play.collect import Timescale
from cli.simulate.play.playing import content_of, judge, play
from cli.simulate.play.promises import promises
from cli.simulate.play.realtime import TargetServer, make_or_leave_nothing
from cli.simulate.play.scenario import MIDNIGHT, MINUTE, Scenario, Verdict
from cli.simulate.play.speed import speed_up
from cli.simulate.play.stage import in_memory
from cli.simulate.play.virtual_time import VirtualQueue, VirtualTime
from cli.simulate.scenarios import SCENARIOS
from cli.simulate.scenarios.flash_sale.shop import Shop
from cli.trouble import Trouble
from rubato.domain.messages import JobMessage, Message

SALE = SCENARIOS["flash-sale"]


def test_others_go_on_while_one_sleeps_and_all_is_in_the_order_of_time() -> None:
    clock, seen = VirtualTime(0), list[tuple[int, str]]()

    def work(name: str, *naps: int) -> None:
        for nap in naps:
            seen.append((clock.now(), name))
            clock.sleep_until(clock.now() + nap)
        seen.append((clock.now(), name))

    clock.schedule(0, lambda: work("slow", 700, 700))
    clock.schedule(100, lambda: work("quick", 50))
    clock.play(1000)
    assert seen == [(0, "slow"), (100, "quick"), (150, "quick"), (700, "slow"), (1400, "slow")]


def test_what_began_in_time_ends_and_what_begins_later_waits_for_the_next_play() -> None:
    clock, seen = VirtualTime(0), list[int]()
    clock.recur(10, 40, lambda: seen.append(clock.now()))
    clock.play(90)
    assert seen == [10, 50, 90]
    clock.play(130)
    assert seen == [10, 50, 90, 130]


def test_what_breaks_in_the_middle_of_a_play_is_raised_where_it_is_played() -> None:
    clock = VirtualTime(0)

    def breaks() -> None:
        clock.sleep_until(20)
        raise LookupError("no such thing")

    clock.schedule(5, breaks)
    with pytest.raises(LookupError, match="no such thing"):
        clock.play(100)


def test_a_message_comes_up_to_a_second_before_it_is_due_as_sqs_has_it() -> None:
    clock, seen = VirtualTime(0), list[tuple[int, Message]]()
    queue = VirtualQueue(clock, lambda message: seen.append((clock.now(), message)))
    message = JobMessage(job_id="job_1", due=2_900)
    assert queue.send([message], 0) == []
    clock.play(10_000)
    assert seen == [(2_000, message)]


def test_a_quicker_blueprint_has_all_its_durations_divided_and_no_other_figure() -> None:
    quick = speed_up(content_of(SALE), 10)
    monitor, rules = quick["endpoints"][0], {rule["name"]: rule for rule in quick["job"]["rules"]}
    assert monitor["baseline"] == {"intervalMs": 30_000}
    assert monitor["clamp"] == {"minIntervalMs": 2_000, "maxIntervalMs": 90_000}
    assert rules["surge"]["then"] == [
        {"proposeInterval": {"endpoint": "traffic_monitor", "intervalMs": 3_000, "ttlMinutes": 1}}
    ]
    assert (rules["trouble_lasts"]["for"], rules["trouble_lasts"]["cooldown"]) == ("90s", "90s")
    assert "visitorsPerMin > `2000`" in rules["surge_begins"]["when"]
    assert "(rules.surge.heldSeconds || `0`) < `24`" in rules["surge_begins"]["when"]
    assert "lastFiredAgo > `60`" in rules["recovery_fails"]["when"]


def test_a_speed_that_leaves_a_fraction_is_refused_and_those_that_do_not_are_named() -> None:
    with pytest.raises(Trouble, match=r"--speed 7: .* can't be divided by 7; it can be played at 1, 2, 5, 10$"):
        speed_up(content_of(SALE), 7)


def test_the_shop_answers_over_a_socket_as_it_does_under_the_virtual_clock() -> None:
    begins = int(time.time() * 1000) - 6_000
    with TargetServer(Shop(), Timescale(begins=begins, speed=60)) as server, httpx.Client(trust_env=False) as client:
        seen = client.get(f"{server.url}/traffic", headers={"Rubato-Run-Id": "run_1", "Rubato-Attempt": "1"})
        told = client.post(f"{server.url}/slack/operations", json={"text": "hello"})
        lost = client.get(f"{server.url}/nowhere")
    assert json.loads(seen.text) == {"visitorsPerMin": 5000, "pageMs": 1800}
    assert (told.status_code, lost.status_code) == (200, 404)
    assert [(call.path, call.run_id) for call in server.visited][:1] == [("/traffic", "run_1")]
    assert 0 <= server.visited[0].at - begins - 6_000 < 60_000


def test_a_job_that_can_not_be_made_whole_is_archived_again() -> None:
    content = content_of(SALE)
    content["endpoints"][3]["baseline"] = {"intervalMs": 1}
    with in_memory(Shop(), MIDNIGHT, 0) as stage:
        kept = stage.api.call("POST", "/jobs", {"name": "flash-sale"})
        with pytest.raises(Trouble, match="slow_page_analyzer"):
            make_or_leave_nothing(stage.api, content, "http://127.0.0.1:9")
        active = [job["jobId"] for job in stage.api.every("/jobs") if job["status"] == "active"]
    assert active == [kept["jobId"]]


def test_in_real_time_a_claim_says_how_exactly_it_was_measured_and_planned_distances_have_no_grace() -> None:
    played = play(replace(SALE, minutes=9, in_memory=True))
    slow = [replace(run, slot=run.slot + (run.slot > 6 * MINUTE) * 1_000) for run in played.record.runs]
    judged = judge(SALE, replace(played.record, runs=tuple(slow), grace=25_000)).verdicts
    claims = {verdict.claim: verdict.held for verdict in judged}
    assert "Each run is called within 1 s of its due. Measured, give or take 25 s." in claims
    hole = "No slot is left out or squeezed in while an interval is in force. Measured, give or take 25 s."
    assert (claims[hole], claims["No run is doubled."]) == (False, True)


def test_a_speed_without_real_time_is_refused() -> None:
    shown = CliRunner().invoke(app, ["simulate", "flash-sale", "--speed", "5"])
    assert isinstance(shown.exception, Trouble) and "--realtime" in str(shown.exception)


def test_a_scenario_that_breaks_is_a_failure_and_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_record: object) -> list[Verdict]:
        raise LookupError("no such run")

    whole = replace(SCENARIOS["devops-health"], minutes=1, claims=lambda _record: [])
    monkeypatch.setattr(commands, "SCENARIOS", {"broken": replace(whole, name="broken", claims=breaks), "whole": whole})
    shown = CliRunner().invoke(app, ["simulate", "--all"])
    assert shown.exit_code == 1
    assert "FAIL  It broke: LookupError: no such run" in shown.output
    assert f"{len(list(promises(play(whole).record)))} of" in shown.output.split("It broke")[1]


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=lambda scenario: scenario.name)
def test_claims_about_a_play_in_which_nothing_ran_fail_and_do_not_break(scenario: Scenario) -> None:
    short = play(replace(scenario, minutes=1, lead_in_minutes=0, in_memory=True, claims=lambda _record: []))
    verdicts = judge(scenario, replace(short.record, runs=(), calls=(), changes=())).verdicts
    assert not all(verdict.held for verdict in verdicts)


def test_real_time_without_a_local_stack_is_refused_with_the_remedy() -> None:
    env = {"RUBATO_URL": "https://example.com/v1", "RUBATO_API_KEY": "rbt_x"}
    shown = CliRunner().invoke(app, ["simulate", "flash-sale", "--realtime"], env=env)
    assert isinstance(shown.exception, Trouble)
    assert "rubato local up" in str(shown.exception)
