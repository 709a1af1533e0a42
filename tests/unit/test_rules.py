"""Rules at work: what a changed answer does to the tempo, and what it does not."""

import itertools
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from rubato.domain.endpoint import Clamp, Source
from rubato.domain.hints import ActorKind
from rubato.domain.instant import MINUTE, SECOND
from rubato.domain.jobs import JobStatus
from rubato.domain.messages import RuleMessage
from rubato.domain.rules import read_rules
from rubato.domain.schedule import IntervalBaseline, ManualBaseline
from rubato.usecases.ask_rules import wake_rules
from rubato.usecases.count_runs import MAX_COUNTED, count_runs
from rubato.usecases.evaluate_rules import answer, evaluate_rules
from rubato.usecases.steer_endpoint import clear_hints, hint_interval, hint_one_shot, pause_endpoint
from rubato.usecases.update_endpoint import delete_endpoint
from rubato.usecases.update_job import update_job
from tests.ruled import SURGE, Shop
from tests.worlds import ANNE, MIDNIGHT, a_job


def test_the_tempo_follows_the_first_answer_that_changes_and_goes_back_with_it() -> None:
    shop = Shop({**SURGE, "otherwise": [{"clearHints": {"endpoint": "traffic"}}]})
    shop.add("traffic", says={"visitors": 1000})
    shop.play(599)
    assert shop.calls("traffic") == [300] and not shop.hints("traffic")
    shop.says["traffic"] = {"visitors": 5000}
    shop.play(600)
    (hint,) = shop.hints("traffic")
    assert (hint.interval_ms, hint.author.kind, hint.author.id) == (30_000, ActorKind.RULE, "surge")
    assert hint.reason == "rule surge is true: traffic.body.visitors = 5000"
    shop.play(690)
    assert shop.calls("traffic") == [300, 600, 630, 660, 690]
    shop.says["traffic"] = {"visitors": 1500}
    shop.play(1200)
    assert shop.calls("traffic") == [300, 600, 630, 660, 690, 720, 1020] and not shop.hints("traffic")
    assert shop.acts("traffic") == [(600, "surge", "applyIntervalHint"), (720, "surge", "clearAdaptiveHints")]
    reasons = [event.reason for event in shop.world.trail.of_subject(shop.endpoint("traffic").id, 9, None).items]
    assert "rule surge is false again: traffic.body.visitors = 1500" in reasons


def test_a_one_shot_of_a_rule_runs_once_for_each_cooldown() -> None:
    alarm = [{"proposeNextTime": {"endpoint": "slack", "runInMs": 0}}]
    shop = Shop({"name": "alarm", "when": SURGE["when"], "cooldown": "10m", "then": alarm})
    shop.add("traffic", IntervalBaseline(MINUTE), says={"visitors": 9000})
    shop.add("slack", ManualBaseline())
    shop.play(1500)
    assert shop.calls("slack") == [60, 660, 1260]


def test_a_rule_with_for_fires_by_itself_when_the_time_has_come() -> None:
    alarm = [{"proposeNextTime": {"endpoint": "slack", "runInMs": 0}}]
    shop = Shop({"name": "alarm", "when": SURGE["when"], "for": "90s", "then": alarm})
    shop.add("traffic", IntervalBaseline(60 * MINUTE), says={"visitors": 9000})
    shop.add("slack", ManualBaseline())
    shop.play(3600)
    assert shop.calls("slack") == []
    shop.play(3700)
    assert shop.calls("slack") == [3690]
    shop.play(7300)
    assert shop.calls("slack") == [3690]


def test_a_wait_that_is_longer_than_the_queue_can_hold_is_taken_up_by_the_schedule_and_ends_on_time() -> None:
    alarm = [{"proposeNextTime": {"endpoint": "slack", "runInMs": 0}}]
    shop = Shop({"name": "alarm", "when": SURGE["when"], "for": "40m", "then": alarm})
    shop.add("traffic", IntervalBaseline(3 * 60 * MINUTE), says={"visitors": 9000})
    shop.add("slack", ManualBaseline())
    shop.play(3 * 3600 + 1)
    assert shop.world.queue.waiting == []
    shop.play(3 * 3600 + 1800)
    wake_rules(shop.world, shop.world.clock.now() + MINUTE)
    shop.play(3 * 3600 + 2399)
    assert shop.calls("slack") == []
    shop.play(3 * 3600 + 2401)
    assert shop.calls("slack") == [3 * 3600 + 2400]


def test_saving_rules_evaluates_them_at_once() -> None:
    shop = Shop()
    shop.add("traffic", IntervalBaseline(MINUTE), says={"visitors": 5000})
    shop.play(70)
    shop.rule(SURGE)
    shop.play(70)
    assert len(shop.hints("traffic")) == 1


def test_what_a_rule_knows_of_itself_is_kept_when_it_is_saved_with_the_same_condition() -> None:
    shop = Shop({**SURGE, "fire": "once"})
    shop.add("traffic", IntervalBaseline(MINUTE), says={"visitors": 5000})
    shop.play(60)
    clear_hints(shop.world, ANNE, shop.endpoint("traffic").id, reason=None)
    shop.rule({**SURGE, "fire": "once", "cooldown": "1m"})
    shop.play(600)
    assert not shop.hints("traffic")
    shop.rule({**SURGE, "fire": "once", "when": "endpoints.traffic.body.visitors > `3000`"})
    shop.play(601)
    assert len(shop.hints("traffic")) == 1


def test_a_rule_that_names_an_endpoint_which_is_not_there_yet_is_inert_until_it_is() -> None:
    shop = Shop({**SURGE, "then": [*SURGE["then"], {"proposeNextTime": {"endpoint": "slack", "runInMs": 0}}]})
    shop.add("traffic", IntervalBaseline(MINUTE), says={"visitors": 5000})
    shop.play(70)
    assert not shop.hints("traffic")
    shop.add("slack", ManualBaseline())
    shop.play(71)
    assert shop.calls("slack") == [70] and len(shop.hints("traffic")) == 1


def test_a_rule_that_can_not_be_evaluated_is_told_of_and_stops_no_other() -> None:
    shop = Shop({"name": "odd", "when": "endpoints.traffic.body.name > `5`"}, SURGE)
    shop.add("traffic", IntervalBaseline(MINUTE), says={"visitors": 5000, "name": "shop"})
    shop.play(130)
    (trouble,) = shop.ledger().troubles
    assert (trouble.rule, trouble.kind.value) == ("odd", "evaluation") and "not supported" in trouble.message
    assert trouble.at == MIDNIGHT + 60 * SECOND and shop.world.telemetry.counts["rule_error"] >= 2
    assert len(shop.hints("traffic")) == 1
    shop.says["traffic"] = {"visitors": 5000, "name": 7}
    shop.play(300)
    assert shop.ledger().troubles == ()


def test_an_action_that_is_refused_is_told_of_and_stops_no_other() -> None:
    shop = Shop()
    shop.add("traffic", IntervalBaseline(MINUTE), says={"visitors": 5000})
    shop.add("slack", ManualBaseline())
    shop.rule(
        {
            **SURGE,
            "then": [
                {"pauseUntil": {"endpoint": "traffic", "forMinutes": 5}},
                {"proposeNextTime": {"endpoint": "slack", "runInMs": 0}},
            ],
        }
    )
    pause_endpoint(shop.world, ANNE, shop.endpoint("traffic").id, until=None, reason="mine")
    shop.world.jobs.save(
        shop.world.jobs.get(shop.job.job_id),
        replace(
            shop.world.jobs.get(shop.job.job_id),
            rules=read_rules(
                [
                    {
                        **SURGE,
                        "when": "endpoints.traffic.paused",
                        "then": [
                            {"pauseUntil": {"endpoint": "traffic", "forMinutes": 5}},
                            {"proposeNextTime": {"endpoint": "slack", "runInMs": 0}},
                        ],
                    }
                ]
            ),
        ),
        shop.world.trail.events[0],
    )
    wake_rules(shop.world, shop.world.clock.now() + MINUTE)
    shop.play(5)
    (trouble,) = shop.ledger().troubles
    assert trouble.kind.value == "action" and "may_resume" in trouble.message
    assert len(shop.calls("slack")) == 1
    pause = shop.endpoint("traffic").state.pause
    assert pause is not None and pause.until is None
    (event,) = [e for e in shop.world.trail.events if "refused" in e.after]
    assert (event.actor.id, event.action) == ("surge", "pauseOrResumeEndpoint")


def test_a_rule_clears_only_its_own_hints() -> None:
    shop = Shop({**SURGE, "otherwise": [{"clearHints": {"endpoint": "traffic"}}]})
    shop.add("traffic", IntervalBaseline(MINUTE), says={"visitors": 5000})
    hint_interval(shop.world, ANNE, shop.endpoint("traffic").id, interval_ms=45_000, ttl_minutes=60, reason=None)
    shop.play(60)
    assert len(shop.hints("traffic")) == 2
    shop.says["traffic"] = {"visitors": 1}
    shop.play(120)
    assert [hint.author.id for hint in shop.hints("traffic")] == ["key_anne"]


def test_rules_see_what_rules_have_done() -> None:
    """Only after both were tried, and at once then."""
    both = "rules.warm.firedCount > `0` && rules.scale.firedCount > `0`"
    shop = Shop(
        {"name": "page", "when": both, "then": [{"proposeNextTime": {"endpoint": "page", "runInMs": 0}}]},
        {"name": "warm", "when": "endpoints.traffic.body.slow"},
        {"name": "scale", "when": "endpoints.traffic.body.backlog > `5`"},
    )
    shop.add("traffic", IntervalBaseline(MINUTE), says={"slow": True})
    shop.add("page", ManualBaseline())
    shop.play(119)
    assert shop.calls("page") == []
    shop.says["traffic"] = {"slow": True, "backlog": 9}
    shop.play(400)
    assert shop.calls("page") == [120]


def test_a_job_that_rests_has_no_rules_at_work_and_takes_them_up_again() -> None:
    shop = Shop(SURGE)
    shop.add("traffic", IntervalBaseline(MINUTE), says={"visitors": 5000})
    update_job(shop.world, ANNE, shop.job.job_id, lambda job: replace(job, status=JobStatus.PAUSED))
    assert (
        evaluate_rules(shop.world, shop.job.job_id) == "unruled"
        and wake_rules(shop.world, shop.world.clock.now() + MINUTE)["rules"] == 0
    )
    update_job(shop.world, ANNE, shop.job.job_id, lambda job: replace(job, status=JobStatus.ACTIVE))
    shop.play(70)
    assert len(shop.hints("traffic")) == 1 and wake_rules(shop.world, shop.world.clock.now() + MINUTE)["rules"] == 1


def test_the_schedule_makes_true_what_passes_by_time_alone() -> None:
    alarm = [{"proposeNextTime": {"endpoint": "slack", "runInMs": 0}}]
    shop = Shop({"name": "silent", "when": "endpoints.traffic.ageSeconds > `600`", "then": alarm})
    shop.add("traffic", IntervalBaseline(60 * MINUTE))
    shop.add("slack", ManualBaseline())
    shop.play(3600 + 900)
    assert shop.calls("slack") == []
    wake_rules(shop.world, shop.world.clock.now() + MINUTE)
    shop.play(3600 + 901)
    assert len(shop.calls("slack")) == 1


def test_minute_and_weekday_are_those_of_the_jobs_zone() -> None:
    """Midnight UTC of Wednesday, 1 January 2025 is 19:00 of Tuesday in New York."""
    shop = Shop()
    shop.add("traffic", IntervalBaseline(MINUTE))
    shop.rule({**SURGE, "when": "minuteOfDay == `1140` && weekday == `2`"}, timezone="America/New_York")
    shop.play(1)
    assert len(shop.hints("traffic")) == 1


def test_endpoints_of_a_job_without_rules_tell_nobody_of_their_runs() -> None:
    shop = Shop(SURGE)
    shop.add("traffic", IntervalBaseline(MINUTE))
    shop.rule()
    shop.play(1)
    shop.stage.ticking = False
    while shop.endpoint("traffic").state.last_run is None:
        shop.play((shop.world.clock.now() - MIDNIGHT) / SECOND + 60)
    assert not [m for _, m in shop.world.queue.waiting if isinstance(m, RuleMessage)]
    assert shop.endpoint("traffic").state.ruled is False


def test_a_pause_of_a_rule_is_one_that_a_rule_may_end() -> None:
    shop = Shop(
        {
            "name": "rest",
            "when": "endpoints.traffic.body.visitors < `10`",
            "then": [{"pauseUntil": {"endpoint": "deep", "until": "indefinite"}}],
            "otherwise": [{"pauseUntil": {"endpoint": "deep", "until": None}}],
        }
    )
    shop.add("traffic", IntervalBaseline(MINUTE), says={"visitors": 1})
    shop.add("deep", IntervalBaseline(MINUTE))
    shop.play(100)
    pause = shop.endpoint("deep").state.pause
    assert pause is not None and pause.by.id == "rest"
    shop.says["traffic"] = {"visitors": 100}
    shop.play(130)
    planned = shop.endpoint("deep").state.next
    assert shop.endpoint("deep").state.pause is None
    assert planned is not None and planned.source is Source.BASELINE_INTERVAL


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("status", "success"), ("statusCode", 200), ("body", {"visitors": 1}), ("durationMs", 0), ("failureStreak", 0),
        ("failureCount", 0), ("lastRunAt", "2025-01-01T00:01:00.000Z"), ("ageSeconds", 45), ("runsLastHour", 1),
        ("cadenceMs", 60_000), ("source", "baseline-interval"), ("paused", False),
    ],
)  # fmt: skip
def test_the_document_tells_of_each_endpoint(field: str, expected: Any) -> None:
    from rubato.usecases.observe_endpoints import observe_endpoints

    shop = Shop({"name": "look", "when": f"endpoints.traffic.{field}"})
    shop.add("traffic", IntervalBaseline(MINUTE), says={"visitors": 1})
    shop.play(105)
    job, ledger = shop.world.jobs.get(shop.job.job_id), shop.ledger()
    document = observe_endpoints(shop.world, job, ledger, shop.world.clock.now()).document
    assert document["endpoints"]["traffic"][field] == expected


def test_a_body_is_capped_and_what_is_no_json_is_text() -> None:
    from rubato.domain.document import MAX_TEXT, read_body

    assert read_body('{"a": [1]}') == {"a": [1]}
    assert read_body("not json") == "not json" and read_body("") == ""
    assert read_body("[" * 5000) == "[" * MAX_TEXT
    assert read_body("[" * 60 + "]" * 60) == "[" * 60 + "]" * 60
    assert len(read_body('"' + "x" * 70_000 + '"')) == MAX_TEXT
    assert read_body('{"a": 1}', truncated=True) == '{"a": 1}'
    assert read_body("1" * 5000) == "1" * MAX_TEXT
    assert read_body('{"a": NaN}') == {"a": None}


def test_an_interval_outside_the_clamps_that_came_later_is_refused_at_the_firing() -> None:
    shop = Shop(SURGE)
    shop.add("traffic", IntervalBaseline(MINUTE), says={"visitors": 5000}, clamp=Clamp(min_interval_ms=45_000))
    shop.play(61)
    assert not shop.hints("traffic") and "clamp.minIntervalMs" in shop.ledger().troubles[0].message
    a_job(shop.world)


def test_runs_of_the_last_hour_are_counted_once_a_minute_at_most_when_they_are_many_and_up_to_a_cap() -> None:
    shop = Shop()
    shop.add("traffic", IntervalBaseline(10 * SECOND))
    shop.play(300)
    endpoint_id, runs = shop.endpoint("traffic").id, shop.world.runs
    runs.of_endpoint = counted = Mock(wraps=runs.of_endpoint)
    now = shop.world.clock.now()
    assert [count_runs(shop.world, endpoint_id, now + gap) for gap in (0, 59_999, 60_000)] == [30, 30, 30]
    assert counted.call_count == 2
    shop.play(3000)
    assert count_runs(shop.world, endpoint_id, shop.world.clock.now()) == MAX_COUNTED == 200
    few = shop.add("few", IntervalBaseline(MINUTE)).id
    for seconds, count in ((3061, 1), (3121, 2)):
        shop.play(seconds)
        assert count_runs(shop.world, few, shop.world.clock.now()) == count


def test_a_look_takes_a_megabyte_of_bodies_and_the_job_says_which_rules_miss_some() -> None:
    names = [f"page{number:02}" for number in range(17)]
    shop = Shop(
        {"name": "last", "when": "endpoints.page16.body.ok"},
        {"name": "all", "when": "endpoints.*.body.ok"},
        {"name": "codes", "when": "endpoints.page16.statusCode == `200`"},
    )
    for name in names:
        shop.add(name, IntervalBaseline(MINUTE), says={"ok": True, "text": "x" * 65_000})
    shop.play(70)
    assert {state.name: state.fired_count for state in shop.ledger().states} == {"all": 1, "codes": 1}
    troubles = {each.rule: each.message for each in shop.ledger().troubles}
    assert set(troubles) == {"last", "all"} and "'page15' and 1 more" in troubles["all"]
    for name in names:
        shop.says[name] = {"ok": True}
    shop.play(130)
    assert shop.ledger().troubles == () and len(shop.ledger().states) == 3


def test_of_many_messages_that_wait_for_one_job_one_look_is_enough() -> None:
    shop = Shop(SURGE)
    shop.add("traffic", IntervalBaseline(MINUTE), says={"visitors": 1})
    shop.play(100)
    shop.world.rule_ledgers.get = looks = Mock(wraps=shop.world.rule_ledgers.get)
    now = shop.world.clock.now()
    dues = [now - 5 * SECOND, now - 4 * SECOND, now - 500, now]
    assert [answer(shop.world, RuleMessage(job_id=shop.job.job_id, due=due)) for due in dues] == [
        "ruled",
        "seen",
        "ruled",
        "ruled",
    ]
    assert looks.call_count == 3


def test_a_one_shot_of_a_rule_keeps_the_floor_after_the_last_call_and_one_of_a_person_does_not() -> None:
    """Two rules that take turns at a target would else call it as fast as it answers."""
    again = [{"proposeNextTime": {"endpoint": "traffic", "runInMs": 0}}]
    shop = Shop(
        {"name": "even", "when": "endpoints.traffic.body.even", "then": again},
        {"name": "odd", "when": "endpoints.traffic.body.even == `false`", "then": again},
    )
    answer_of, count = shop.world.outbound.answer, itertools.count()

    def answered(call: Any) -> Any:
        shop.says["traffic"] = {"even": next(count) % 2 == 0}
        return answer_of(call)

    shop.world.outbound.answer, shop.world.outbound.takes_ms = answered, 100
    traffic = shop.add("traffic", IntervalBaseline(MINUTE))
    shop.play(70)
    calls = shop.calls("traffic")
    assert len(calls) > 5 and all(later - earlier >= 1 for earlier, later in itertools.pairwise(calls))
    shop.rule()
    now = shop.world.clock.now()
    _, hint = hint_one_shot(shop.world, ANNE, traffic.id, run_at=None, run_in_ms=0, ttl_minutes=None, reason=None)
    assert hint.first_slot == now


def test_what_rules_do_in_a_minute_has_an_end_the_job_says_so_and_the_rest_is_done_then() -> None:
    clear = [{"clearHints": {"endpoint": "traffic"}}] * 20
    rules = [{"name": f"rule{number}", "when": "endpoints.traffic.body.on", "then": clear} for number in range(8)]
    shop = Shop(*rules)
    shop.add("traffic", IntervalBaseline(10 * MINUTE), says={"on": True})
    shop.play(610)
    assert len(shop.acts("traffic")) == 120
    assert [(each.rule, "within a minute" in each.message) for each in shop.ledger().troubles] == [
        ("rule6", True),
        ("rule7", True),
    ]
    shop.play(659)
    assert len(shop.acts("traffic")) == 120
    shop.play(661)
    assert len(shop.acts("traffic")) == 160 and shop.ledger().troubles == ()
    assert [state.fired_count for state in shop.ledger().states] == [1] * 8


def test_a_rule_that_lost_one_of_its_endpoints_lets_go_of_the_others_when_its_condition_falls() -> None:
    shop = Shop(
        {
            "name": "rest",
            "when": "endpoints.traffic.body.low",
            "then": [{"pauseUntil": {"endpoint": "deep", "until": "indefinite"}}, {"clearHints": {"endpoint": "gone"}}],
            "otherwise": [
                {"pauseUntil": {"endpoint": "deep", "until": None}},
                {"clearHints": {"endpoint": "gone"}},
            ],
        }
    )
    shop.add("traffic", IntervalBaseline(MINUTE), says={"low": True})
    shop.add("deep", IntervalBaseline(MINUTE))
    gone = shop.add("gone", ManualBaseline())
    shop.play(70)
    assert shop.endpoint("deep").state.pause is not None
    delete_endpoint(shop.world, ANNE, gone.id)
    shop.play(130)
    shop.says["traffic"] = {"low": False}
    shop.play(200)
    assert shop.endpoint("deep").state.pause is None and shop.ledger().troubles == ()


def test_the_time_in_which_a_job_rested_does_not_count_as_held() -> None:
    shop = Shop({**SURGE, "for": "30m"})
    shop.add("traffic", IntervalBaseline(MINUTE), says={"visitors": 9000})
    shop.play(130)
    update_job(shop.world, ANNE, shop.job.job_id, lambda job: replace(job, status=JobStatus.PAUSED))
    shop.play(7200)
    update_job(shop.world, ANNE, shop.job.job_id, lambda job: replace(job, status=JobStatus.ACTIVE))
    assert not [each for _, each in shop.world.queue.waiting if isinstance(each, RuleMessage)]
    shop.play(7200 + 1700)
    assert shop.acts("traffic") == []
    shop.play(7200 + 1900)
    assert len(shop.acts("traffic")) == 1


def test_what_had_held_before_a_job_rested_still_lets_go_afterwards() -> None:
    shop = Shop({**SURGE, "otherwise": [{"clearHints": {"endpoint": "traffic"}}]})
    shop.add("traffic", IntervalBaseline(MINUTE), says={"visitors": 9000})
    shop.play(70)
    update_job(shop.world, ANNE, shop.job.job_id, lambda job: replace(job, status=JobStatus.PAUSED))
    shop.says["traffic"] = {"visitors": 1}
    update_job(shop.world, ANNE, shop.job.job_id, lambda job: replace(job, status=JobStatus.ACTIVE))
    shop.play(140)
    assert [action for _, _, action in shop.acts("traffic")] == ["applyIntervalHint", "clearAdaptiveHints"]
