"""The planner: whom it looks at and when, what its model may do, and what is kept of it."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from rubato.adapters.scripted import calling, submit
from rubato.domain.analysis import MAX_ANSWER_TOKENS, Outcome
from rubato.domain.conversation import Answer, ModelFailed, ModelFault, Question, size_of
from rubato.domain.endpoint import Clamp, Endpoint
from rubato.domain.exchange import Reply
from rubato.domain.hints import ActorKind, HintKind
from rubato.domain.instant import DAY, HOUR, MINUTE, SECOND
from rubato.domain.jobs import JobStatus, PlannerSettings
from rubato.domain.messages import AnalysisMessage, RuleMessage
from rubato.domain.planner_tools import MAX_STEPS
from rubato.domain.rules import read_rules
from rubato.domain.schedule import IntervalBaseline, ManualBaseline
from rubato.usecases import steer_endpoint
from rubato.usecases.analyse_endpoint import analyse_endpoint
from rubato.usecases.list_analyses import list_analyses
from rubato.usecases.run_planner import run_planner
from rubato.usecases.update_endpoint import delete_endpoint
from rubato.usecases.update_job import update_job
from tests.planners import ON, a_planned_endpoint, a_planned_job, analyses, drain, look_around, planner_world, told
from tests.ruled import SURGE
from tests.worlds import ANNE, MALLORY, MIDNIGHT, Stage, a_job, an_endpoint

HINT = {"intervalMs": 20_000, "ttlMinutes": 30, "reason": "it is busy"}


def state_of(world: Any, endpoint: Endpoint) -> Any:
    return world.endpoints.load(endpoint.id).state


def down(_call: object) -> Reply:
    return Reply(duration_ms=0, status_code=503, body=b"down")


def only_run(world: Any, seconds: float) -> None:
    """Let runs happen, and no analysis: the planner's messages stay on the queue of the test."""
    Stage(world).play_seconds(seconds)


# ----------------------------------------------------------------------------------------- whom it looks at


def test_an_endpoint_that_was_never_analysed_is_looked_at_and_then_left_alone_until_the_model_wants_it_again() -> None:
    world = planner_world(submit(minutes=60))
    endpoint = a_planned_endpoint(world, ManualBaseline())
    assert look_around(world) == ["analysis_submitted"]
    world.clock.sleep_until(MIDNIGHT + HOUR - 1)
    assert look_around(world) == []
    world.clock.sleep_until(MIDNIGHT + HOUR)
    assert look_around(world) == ["analysis_submitted"]
    assert len(analyses(world, endpoint)) == 2


def test_endpoints_of_jobs_without_a_planner_are_never_looked_at() -> None:
    world = planner_world()
    an_endpoint(world)
    off = a_planned_job(world, PlannerSettings(enabled=False, guidance="never mind"))
    an_endpoint(world, job=off)
    assert look_around(world) == [] and world.model.asked == []


@pytest.mark.parametrize("terms", [{"model": None}, {"minutes": 0}])
def test_without_a_model_or_a_schedule_nothing_is_asked_and_endpoints_stay_due_for_when_there_is(terms: Any) -> None:
    world = planner_world(**terms)
    endpoint = a_planned_endpoint(world)
    assert look_around(world) == []
    assert analyse_endpoint(world, AnalysisMessage(endpoint_id=endpoint.id, due=MIDNIGHT)) == "not_due"
    world.limits = planner_world().limits
    assert look_around(world) == ["analysis_submitted"]


def test_a_failure_brings_the_next_look_forward_and_so_does_the_recovery() -> None:
    world = planner_world(submit(minutes=1440))
    endpoint = a_planned_endpoint(world)
    assert look_around(world) == ["analysis_submitted"]
    only_run(world, 61)
    assert look_around(world) == []  # a success after nothing is no turn
    world.outbound.answer = down
    only_run(world, 301)
    assert state_of(world, endpoint).failures == 2
    assert look_around(world) == ["analysis_submitted"]
    assert look_around(world) == []
    world.outbound.answer = lambda _call: Reply(duration_ms=0, status_code=200, body=b"ok")
    only_run(world, 701)
    assert state_of(world, endpoint).failures == 0
    assert look_around(world) == ["analysis_submitted"]


def test_a_turn_during_an_analysis_is_looked_at_next() -> None:
    def fails_meanwhile(_question: Question) -> Answer:
        world.outbound.answer = down
        only_run(world, 21)
        return submit(minutes=1440)

    world = planner_world(fails_meanwhile, submit(minutes=1440))
    a_planned_endpoint(world, IntervalBaseline(20 * SECOND))
    run_planner(world, MIDNIGHT + MINUTE)
    (message,) = [each for each in world.queue.receive(MIDNIGHT) if isinstance(each, AnalysisMessage)]
    assert analyse_endpoint(world, message) == "analysis_submitted"
    world.clock.sleep_until(MIDNIGHT + 5 * MINUTE + 21 * SECOND)
    assert look_around(world) == ["analysis_submitted"]


def test_resting_siblings_are_looked_at_when_one_has_turned_and_busy_ones_are_not() -> None:
    world = planner_world(submit(minutes=1440))
    job = a_planned_job(world)
    a_planned_endpoint(world, job=job, name="probe")
    asleep = a_planned_endpoint(world, ManualBaseline(), job=job, name="asleep")
    paused = a_planned_endpoint(world, job=job, name="paused")
    busy = a_planned_endpoint(world, IntervalBaseline(2 * HOUR), job=job, name="busy")
    foreign = a_planned_endpoint(world, ManualBaseline())
    steer_endpoint.pause_endpoint(world, ANNE, paused.id, until=None, reason=None)
    assert len(look_around(world)) == 5
    only_run(world, 31 * 60 - 1)
    world.outbound.answer = down
    only_run(world, 31 * 60 + 1)
    assert look_around(world) == ["analysis_submitted"] * 3
    counts = [len(analyses(world, each)) for each in (asleep, paused, busy, foreign)]
    assert counts == [2, 2, 1, 1]
    assert look_around(world) == []


def test_an_endpoint_that_flaps_is_looked_at_each_five_minutes_at_most_and_its_resting_siblings_each_thirty() -> None:
    world = planner_world(submit(minutes=1440))
    flips = iter(range(10_000))
    world.outbound.answer = lambda _call: Reply(duration_ms=0, status_code=(200, 503)[next(flips) % 2], body=b"")
    job = a_planned_job(world)
    flapping = a_planned_endpoint(world, IntervalBaseline(20 * SECOND), job=job, name="probe")
    asleep = a_planned_endpoint(world, ManualBaseline(), job=job, name="asleep")
    for minute in range(1, 61):
        only_run(world, minute * 60)
        look_around(world)
    begun = [each.started_at for each in analyses(world, flapping)]
    assert 10 <= len(begun) <= 13
    assert all(later - earlier >= 5 * MINUTE for later, earlier in pairwise(begun))
    assert len(analyses(world, asleep)) == 2


def test_failures_do_not_hurry_a_model_in_trouble() -> None:
    world = planner_world(ModelFailed(ModelFault.UNAVAILABLE, "gone"))
    world.outbound.answer = down
    endpoint = a_planned_endpoint(world, IntervalBaseline(20 * SECOND))
    for minute in range(61):
        only_run(world, minute * 60)
        look_around(world)
    begun = [(each.started_at - MIDNIGHT) // MINUTE for each in reversed(analyses(world, endpoint))]
    assert begun == [0, 5, 15, 35]


def test_turning_the_planner_off_and_on_asks_no_model_sooner() -> None:
    world = planner_world(submit(minutes=1440))
    job = a_planned_job(world)
    a_planned_endpoint(world, ManualBaseline(), job=job)
    assert look_around(world) == ["analysis_submitted"]
    update_job(world, ANNE, job.job_id, lambda each: replace(each, planner=PlannerSettings()))
    update_job(world, ANNE, job.job_id, lambda each: replace(each, planner=ON))
    assert look_around(world) == []
    world.clock.sleep_until(MIDNIGHT + 5 * MINUTE)
    assert look_around(world) == ["analysis_submitted"]


def test_turning_the_planner_on_has_every_endpoint_looked_at_and_pausing_the_job_none() -> None:
    world = planner_world()
    job = a_job(world)
    an_endpoint(world, job=job)
    update_job(world, ANNE, job.job_id, lambda each: replace(each, planner=ON))
    update_job(world, ANNE, job.job_id, lambda each: replace(each, status=JobStatus.PAUSED))
    assert look_around(world) == []
    update_job(world, ANNE, job.job_id, lambda each: replace(each, status=JobStatus.ACTIVE))
    assert look_around(world) == ["analysis_submitted"]


def test_a_look_that_runs_out_of_time_leaves_the_rest_for_the_next_one() -> None:
    world = planner_world()
    job = a_planned_job(world)
    for number in range(3):
        a_planned_endpoint(world, ManualBaseline(), job=job, name=str(number))
    assert run_planner(world, MIDNIGHT) == {"left": 1}
    assert len(look_around(world)) == 3


@pytest.mark.parametrize("terms", [{}, {"model": None}, {"minutes": 0}])
def test_each_schedule_wakes_the_rules_of_every_job_with_or_without_a_model(terms: Any) -> None:
    world = planner_world(**terms)
    job = a_job(world)
    update_job(world, ANNE, job.job_id, lambda each: replace(each, rules=read_rules([SURGE])))
    world.queue.receive(MIDNIGHT)
    a_planned_endpoint(world, ManualBaseline())
    assert run_planner(world, MIDNIGHT + MINUTE)["rules"] == 1
    assert RuleMessage(job_id=job.job_id, due=MIDNIGHT) in world.queue.receive(MIDNIGHT)


def ruled_jobs(world: Any, count: int) -> set[str]:
    rules = read_rules([SURGE])
    made = {a_planned_job(world, PlannerSettings(), rules=rules).job_id for _ in range(count)}
    world.queue.receive(MIDNIGHT)
    return made


def test_a_queue_that_fails_once_keeps_few_rules_asleep(monkeypatch: pytest.MonkeyPatch) -> None:
    world = planner_world(model=None)
    jobs, real, calls = ruled_jobs(world, 250), world.queue.send, []

    def fails_once(messages: Any, now: int) -> Any:
        calls.append(messages)
        if len(calls) == 1:
            raise ConnectionError
        return real(messages, now)

    monkeypatch.setattr(world.queue, "send", fails_once)
    assert run_planner(world, MIDNIGHT + MINUTE) == {"rules": 150}
    assert len({each.job_id for each in world.queue.receive(MIDNIGHT)} & jobs) == 150
    assert world.telemetry.warnings == ["rule messages not sent"]


def test_many_rules_leave_half_of_the_time_to_the_planner(monkeypatch: pytest.MonkeyPatch) -> None:
    world = planner_world()
    ruled_jobs(world, 250)
    a_planned_endpoint(world, ManualBaseline())
    real = world.queue.send

    def slow(messages: Any, now: int) -> Any:
        world.clock.instant += 20 * SECOND
        return real(messages, now)

    monkeypatch.setattr(world.queue, "send", slow)
    assert run_planner(world, MIDNIGHT + MINUTE) == {"rules": 200, "rules_left": 1, "sent": 1}


def test_rules_that_can_not_be_woken_hold_up_no_analysis(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ConnectionError

    world = planner_world()
    a_planned_endpoint(world)
    monkeypatch.setattr(world.jobs, "with_rules", broken)
    assert look_around(world) == ["analysis_submitted"] and world.telemetry.warnings == ["rules not woken"]


# -------------------------------------------------------------------------- once, and whatever dies on the way


def test_duplicates_and_late_messages_ask_the_model_once() -> None:
    world = planner_world(submit())
    endpoint = a_planned_endpoint(world)
    message = AnalysisMessage(endpoint_id=endpoint.id, due=MIDNIGHT)
    assert [analyse_endpoint(world, message) for _ in range(3)] == ["analysis_submitted", "not_due", "not_due"]
    assert len(world.model.asked) == 1


def test_two_at_once_are_one_analysis() -> None:
    def again(_question: Question) -> Answer:
        outcomes.append(analyse_endpoint(world, message))
        return submit()

    outcomes: list[str] = []
    world = planner_world(again)
    endpoint = a_planned_endpoint(world)
    message = AnalysisMessage(endpoint_id=endpoint.id, due=MIDNIGHT)
    assert analyse_endpoint(world, message) == "analysis_submitted"
    assert outcomes == ["under_analysis"] and len(analyses(world, endpoint)) == 1


class Killed(BaseException):
    """What Lambda does: nothing behind it runs."""


CALLS = {
    "analyses": ("begin", "of_endpoint", "keep", "release"),
    "endpoints": ("load", "load_many", "of_job", "save"),
    "usage": ("take_tokens", "settle_tokens"),
    "model": ("ask",),
    "jobs": ("get",),
}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("port", "call"), [(port, call) for port, calls in CALLS.items() for call in calls])
def test_a_worker_that_dies_at_any_call_leaves_no_endpoint_unanalysed(
    port: str, call: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = planner_world(calling(("propose_interval", HINT)), submit(minutes=60))
    endpoint = a_planned_endpoint(world, name="probe")
    real = getattr(getattr(world, port), call)

    def dies(*given: Any, **named: Any) -> Any:
        if after:
            real(*given, **named)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(getattr(world, port), call, dies)
        # NOTE: `finally` would run in a test where it does not in a process that is killed.
        patch.setattr(world.analyses, "release", dies if call == "release" else lambda _analysis: None)
        with pytest.raises(Killed):
            analyse_endpoint(world, AnalysisMessage(endpoint_id=endpoint.id, due=MIDNIGHT))
    for minutes in (5, 10):
        world.clock.sleep_until(MIDNIGHT + minutes * MINUTE)
        look_around(world)
    ended = [each for each in analyses(world, endpoint) if each.outcome is Outcome.SUBMITTED]
    assert 1 <= len(ended) <= 2
    assert state_of(world, endpoint).look_at >= MIDNIGHT + HOUR


def test_a_store_that_fails_within_an_analysis_is_told_in_its_record(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ConnectionError("the secret is 12345")

    world = planner_world(calling(("get_latest_response", {})), submit())
    endpoint = a_planned_endpoint(world, ManualBaseline())
    with monkeypatch.context() as patch:
        patch.setattr(world.runs, "of_endpoint", broken)
        assert look_around(world) == ["analysis_failed"]
    (kept,) = analyses(world, endpoint)
    assert (kept.outcome, kept.error) == (Outcome.FAILED, "Rubato failed at it: ConnectionError")
    world.clock.sleep_until(MIDNIGHT + 5 * MINUTE)
    assert look_around(world) == ["analysis_submitted"]


# ------------------------------------------------------------------------------------- what the model may do


def test_a_hint_of_the_model_is_a_hint_like_any_other_and_says_whose_it_is() -> None:
    world = planner_world(calling(("propose_interval", HINT)), submit())
    endpoint = a_planned_endpoint(world, IntervalBaseline(HOUR))
    look_around(world)
    (hint,) = world.endpoints.load(endpoint.id).hints
    assert (hint.kind, hint.interval_ms, hint.reason) == (HintKind.INTERVAL, 20_000, "it is busy")
    assert (hint.author.kind, hint.author.id, hint.expires_at) == (ActorKind.PLANNER, "planner", MIDNIGHT + 30 * MINUTE)
    (event,) = [each for each in world.trail.events if each.actor.kind is ActorKind.PLANNER]
    assert (event.subject, event.action, event.reason) == (endpoint.id, "applyIntervalHint", "it is busy")
    only_run(world, 61)
    assert world.outbound.seconds() == [20, 40, 60]


def test_each_tool_does_what_it_says_on_the_endpoint_and_on_siblings_by_name() -> None:
    reason = {"reason": "why not"}
    world = planner_world(
        calling(
            ("propose_next_time", {"endpoint": "repair", "runInMs": 5_000, "ttlMinutes": 5, **reason}),
            ("pause_until", {"endpoint": "other", "until": "indefinite", **reason}),
            ("propose_interval", HINT),
            ("clear_hints", reason),
        ),
        calling(("pause_until", {"endpoint": "other", "until": None, **reason})),
        calling(("pause_until", {"until": "2025-01-01T02:00:00+01:00", **reason})),
        submit(),
    )
    job = a_planned_job(world)
    endpoint = a_planned_endpoint(world, job=job)
    update_job(world, ANNE, job.job_id, lambda each: replace(each, planner=PlannerSettings()))
    repair = an_endpoint(world, ManualBaseline(), job=job, name="repair")
    other = an_endpoint(world, job=job, name="other")
    update_job(world, ANNE, job.job_id, lambda each: replace(each, planner=ON))
    analyse_endpoint(world, AnalysisMessage(endpoint_id=endpoint.id, due=MIDNIGHT))
    assert state_of(world, repair).next.due == MIDNIGHT + 5 * SECOND
    assert state_of(world, other).pause is None
    assert state_of(world, endpoint).pause.until == MIDNIGHT + HOUR
    assert world.endpoints.load(endpoint.id).hints == ()
    answers = told(world)
    assert answers[0]["nextRunAt"] == "2025-01-01T00:00:05.000Z" and answers[3]["cleared"] == 1
    assert not any(call.is_error for call in analyses(world, endpoint)[0].calls)


def test_the_model_reads_responses_only_when_it_asks_for_them_and_then_only_their_beginning() -> None:
    world = planner_world(
        calling(("get_latest_response", {})),
        calling(("get_latest_response", {"includeBody": True})),
        calling(("get_response_history", {"limit": 2, "includeBody": True})),
        calling(("get_sibling_responses", {"names": ["never"]})),
        submit(),
    )
    world.outbound.answer = lambda _call: Reply(duration_ms=3, status_code=200, body=b"</data>" + b"x" * 60_000)
    job = a_planned_job(world)
    endpoint = a_planned_endpoint(world, job=job)
    a_planned_endpoint(world, ManualBaseline(), job=job, name="never")
    only_run(world, 181)
    analyse_endpoint(world, AnalysisMessage(endpoint_id=endpoint.id, due=MIDNIGHT))
    assert "xxx" not in world.model.asked[0].turns[0].text
    plain, whole, history, never = told(world)[:4]
    assert plain["latest"]["statusCode"] == 200 and "untrustedBody" not in plain["latest"]
    assert whole["latest"]["untrustedBody"].startswith("</data>xxx") and len(whole["latest"]["untrustedBody"]) == 4000
    assert [len(run["untrustedBody"]) for run in history["runs"]] == [600, 600]
    assert never == {} and "</data>xxx" not in str(world.model.asked[-1].turns)


def test_a_dry_run_is_judged_and_recorded_and_changes_nothing() -> None:
    script = (
        calling(("propose_interval", HINT), ("propose_interval", {**HINT, "intervalMs": 10})),
        calling(("clear_hints", {"reason": "enough"})),
        submit(),
    )
    world = planner_world(*script)
    endpoint = a_planned_endpoint(world, settings=PlannerSettings(enabled=True, dry_run=True))
    before, events = world.endpoints.load(endpoint.id), len(world.trail.events)
    look_around(world)
    after = world.endpoints.load(endpoint.id)
    assert (after.hints, after.state.next, len(world.trail.events)) == (before.hints, before.state.next, events)
    (kept,) = analyses(world, endpoint)
    assert kept.is_dry_run and [call.is_error for call in kept.calls] == [False, True, False, False]
    assert '"cleared":1' in kept.calls[2].result


# ---------------------------------------------------------------------------------------- within its bounds


def test_a_malformed_call_is_told_what_is_wrong_with_it_and_counts_as_a_step() -> None:
    world = planner_world(
        calling(
            ("propose_interval", None),
            ("propose_interval", {"intervalMs": "soon", "ttlMinutes": 0, "why": 1}),
            ("propose_next_time", {"ttlMinutes": 5, "reason": "both", "runInMs": 1, "runAt": "now"}),
            ("launch_missiles", {}),
            ("submit_analysis", {"reasoning": "", "confidence": float("nan"), "nextAnalysisIn": 1}),
        ),
        submit(),
    )
    endpoint = a_planned_endpoint(world)
    assert look_around(world) == ["analysis_submitted"]
    errors = [answer["error"] for answer in told(world)]
    assert errors[0] == "the arguments are not a JSON object"
    for words in ("why: unknown argument", "reason: is required", "intervalMs: must be integer", "1 to 10080"):
        assert words in errors[1]
    assert "exactly one" in errors[2] and "no tool 'launch_missiles'" in errors[3]
    assert "confidence: must lie from 0 to 1" in errors[4] and "from 5 to 1440" in errors[4]
    (kept,) = analyses(world, endpoint)
    assert [call.is_error for call in kept.calls] == [True] * 5 + [False]


@pytest.mark.parametrize("at_once", [1, 4, 1000])
def test_a_model_that_never_ends_is_stopped_after_fifteen_steps(at_once: int) -> None:
    world = planner_world(calling(*[("get_latest_response", {})] * at_once))
    endpoint = a_planned_endpoint(world)
    assert look_around(world) == ["analysis_steps_exhausted"]
    (kept,) = analyses(world, endpoint)
    assert len(kept.calls) == MAX_STEPS and len(world.model.asked) <= MAX_STEPS
    assert kept.ignored_calls == {1: 0, 4: 1, 1000: 985}[at_once]
    assert state_of(world, endpoint).look_at > MIDNIGHT + 5 * MINUTE


def test_a_model_that_writes_too_much_is_stopped() -> None:
    chatty = calling(("get_latest_response", {}), input_tokens=100, output_tokens=3_000)
    world = planner_world(chatty)
    endpoint = a_planned_endpoint(world)
    assert look_around(world) == ["analysis_tokens_exhausted"]
    assert [asked.max_output_tokens for asked in world.model.asked] == [2_048, 2_048, 2_000]
    (kept,) = analyses(world, endpoint)
    assert (kept.input_tokens, kept.output_tokens) == (300, 9_000)
    assert kept.cost == pytest.approx((300 * 3 + 9_000 * 15) / 1_000_000)


def test_a_model_that_dawdles_is_stopped_after_a_minute() -> None:
    def slow(_question: Question) -> Answer:
        world.clock.instant += 20 * SECOND
        return calling(("get_latest_response", {}))

    world = planner_world(slow)
    endpoint = a_planned_endpoint(world)
    assert look_around(world) == ["analysis_timeout"]
    assert [asked.timeout_ms for asked in world.model.asked] == [60_000, 40_000, 20_000]
    assert analyses(world, endpoint)[0].duration_ms == 60_000


def test_a_model_that_only_talks_has_not_submitted_and_its_words_are_kept() -> None:
    world = planner_world(Answer(text="all is well"))
    endpoint = a_planned_endpoint(world)
    assert look_around(world) == ["analysis_no_submit"]
    assert analyses(world, endpoint)[0].reasoning == "all is well"


def test_what_is_submitted_decides_when_to_look_again() -> None:
    for minutes in (5, 1440):
        world = planner_world(submit("it recovers", 0.8, minutes))
        endpoint = a_planned_endpoint(world)
        look_around(world)
        assert state_of(world, endpoint).look_at == MIDNIGHT + minutes * MINUTE
        (kept,) = analyses(world, endpoint)
        assert (kept.reasoning, kept.confidence, kept.next_analysis_in_ms) == ("it recovers", 0.8, minutes * MINUTE)


# -------------------------------------------------------------------------------------- a model in trouble


@pytest.mark.parametrize("fault", ModelFault)
def test_a_model_in_trouble_is_kept_with_its_fault_and_asked_later_and_later(fault: ModelFault) -> None:
    world = planner_world(ModelFailed(fault, "it is in trouble"))
    endpoint = a_planned_endpoint(world, ManualBaseline())
    waits = []
    for _ in range(6):
        assert look_around(world) == ["analysis_model_error"]
        waits.append((state_of(world, endpoint).look_at - world.clock.now()) // MINUTE)
        world.clock.sleep_until(state_of(world, endpoint).look_at)
    assert waits == [5, 10, 20, 40, 60, 60]
    kept = analyses(world, endpoint)[0]
    assert (kept.outcome, kept.fault, kept.error) == (Outcome.MODEL_ERROR, fault, "it is in trouble")
    world.model = planner_world(submit()).model
    assert look_around(world) == ["analysis_submitted"]


def test_a_model_that_asks_for_patience_gets_it() -> None:
    world = planner_world(ModelFailed(ModelFault.THROTTLED, "slow down", retry_after_s=1800))
    endpoint = a_planned_endpoint(world, ManualBaseline())
    look_around(world)
    assert state_of(world, endpoint).look_at == MIDNIGHT + 1800 * SECOND


def test_what_was_done_before_the_model_failed_is_kept() -> None:
    world = planner_world(calling(("propose_interval", HINT)), ModelFailed(ModelFault.UNAVAILABLE, "gone"))
    endpoint = a_planned_endpoint(world)
    look_around(world)
    (kept,) = analyses(world, endpoint)
    assert [call.name for call in kept.calls] == ["propose_interval"] and kept.outcome is Outcome.MODEL_ERROR
    assert len(world.endpoints.load(endpoint.id).hints) == 1


@pytest.mark.parametrize("trouble", ["off", "wrong key", "hangs"])
def test_runs_are_as_punctual_as_without_a_planner_whatever_the_model_does(trouble: str) -> None:
    """Each analysis is a message on a queue of its own; the run's path neither sends nor waits for one."""
    faults = {"wrong key": ModelFault.UNAUTHORIZED, "hangs": ModelFault.TIMEOUT}
    world = planner_world(model=None) if trouble == "off" else planner_world(ModelFailed(faults[trouble], "no"))
    world.outbound.answer = down
    endpoint = a_planned_endpoint(world, job=None)
    stage = Stage(world)
    for minute in range(1, 20):
        stage.play_seconds(minute * 60)
        run_planner(world, world.clock.now() + MINUTE)
    plain = planner_world()
    plain.outbound.answer = down
    an_endpoint(plain)
    Stage(plain).play_seconds(19 * 60)
    assert world.outbound.seconds() == plain.outbound.seconds() == [60, 180, 420, 900]
    kept = {each.fault for each in analyses(world, endpoint)}
    assert kept == (set() if trouble == "off" else {faults[trouble]})


# --------------------------------------------------------------------------------------------- what it costs


def test_a_tenant_without_tokens_has_its_rules_only_until_the_day_is_over() -> None:
    world = planner_world(submit(minutes=5), tokens_per_day=10_000)
    endpoint = a_planned_endpoint(world, ManualBaseline())
    outcomes = []
    for look in range(13):
        world.clock.sleep_until(MIDNIGHT + look * 5 * MINUTE)
        outcomes += look_around(world)
    assert outcomes[:2] == ["analysis_submitted"] * 2 and outcomes[-1] == "analysis_quota_exhausted"
    assert world.usage.of("acme", "2025-01-01").planner_tokens_today <= 10_000
    kept = analyses(world, endpoint)[0]
    assert kept.outcome is Outcome.QUOTA_EXHAUSTED and "10000 tokens a day" in (kept.error or "")
    assert len(world.model.asked) == outcomes.count("analysis_submitted")
    world.clock.sleep_until(MIDNIGHT + DAY)
    assert look_around(world) == ["analysis_submitted"]


def test_a_call_that_died_holds_its_reserve_for_the_day_and_not_longer() -> None:
    world = planner_world(submit(), tokens_per_day=20_000)
    endpoint = a_planned_endpoint(world, ManualBaseline())

    def dies(_question: Question) -> Answer:
        raise Killed

    world.model = planner_world(dies).model
    with pytest.raises(Killed):
        analyse_endpoint(world, AnalysisMessage(endpoint_id=endpoint.id, due=MIDNIGHT))
    held = world.usage.of("acme", "2025-01-01").planner_tokens_today
    assert MAX_ANSWER_TOKENS < held < 20_000
    assert world.usage.of("acme", "2025-01-02").planner_tokens_today == 0


def test_tokens_are_counted_as_the_provider_counts_them() -> None:
    world = planner_world(replace(submit(), input_tokens=4_321, output_tokens=56))
    a_planned_endpoint(world)
    look_around(world)
    assert world.usage.of("acme", "2025-01-01").planner_tokens_today == 4_377


FREE = {ModelFault.UNAUTHORIZED, ModelFault.REFUSED, ModelFault.THROTTLED, ModelFault.UNAVAILABLE}


@pytest.mark.parametrize(
    "trouble", [*(ModelFailed(fault, "no") for fault in ModelFault), RuntimeError("a bug")], ids=str
)
def test_only_a_call_that_the_provider_may_have_charged_for_eats_the_day(trouble: Exception) -> None:
    world = planner_world(trouble)
    a_planned_endpoint(world)
    look_around(world)
    is_free = not isinstance(trouble, ModelFailed) or trouble.fault in FREE
    assert (world.usage.of("acme", "2025-01-01").planner_tokens_today == 0) == is_free


def test_the_first_question_of_a_job_with_ten_endpoints_stays_below_five_thousand_tokens(
    record_property: Any,
) -> None:
    """By the estimate of four bytes a token; every text that an owner may write is as long as it may be."""
    world = planner_world(submit("r" * 2000))
    job = a_planned_job(world, PlannerSettings(enabled=True, guidance="g" * 4000), description="d" * 1000)
    config: dict[str, Any] = {
        "job": job,
        "description": "e" * 2000,
        "clamp": Clamp(min_interval_ms=1000, max_interval_ms=HOUR),
    }
    mine = a_planned_endpoint(world, name="traffic_monitor_0", **config)
    for number in range(1, 10):
        a_planned_endpoint(world, name=f"traffic_monitor_{number}", **config)
    for number in range(3):
        key = replace(ANNE, key_id=f"key_{number}")
        steer_endpoint.hint_interval(
            world, key, mine.id, interval_ms=30_000, ttl_minutes=1440, reason="as traffic is high " * 5
        )
    for _ in range(3):
        only_run(world, (world.clock.now() - MIDNIGHT) / 1000 + 3600)
        assert "analysis_submitted" in look_around(world)
    first = next(asked for asked in reversed(world.model.asked) if '"traffic_monitor_0","description"' in str(asked))
    tokens = size_of(first) - first.max_output_tokens
    record_property("tokens of a first question", tokens)
    assert "lastAnalyses" in first.turns[0].text and tokens <= 5_000


# ------------------------------------------------------------------------------------------------ reading it


def test_analyses_are_their_tenants_alone_and_stay_readable_when_the_endpoint_is_gone() -> None:
    world = planner_world()
    endpoint = a_planned_endpoint(world)
    look_around(world)
    delete_endpoint(world, ANNE, endpoint.id)
    assert len(list_analyses(world, ANNE, endpoint.id, limit=10, after=None).items) == 1
    with pytest.raises(LookupError):
        list_analyses(world, MALLORY, endpoint.id, limit=10, after=None)
    assert look_around(world) == [] and drain(world) == []
