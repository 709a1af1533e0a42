"""The loop under a virtual clock: what a target sees when, over the real use cases and the memory store."""

from dataclasses import replace
from typing import Any

import pytest

from rubato.domain.endpoint import Clamp, Endpoint, MissedRuns, RunStatus, Source
from rubato.domain.exchange import Call, ErrorKind, Reply
from rubato.domain.instant import HOUR, SECOND
from rubato.domain.jobs import JobStatus
from rubato.domain.messages import RunMessage
from rubato.domain.schedule import IntervalBaseline, ManualBaseline
from rubato.ports import RunFilter
from rubato.usecases.claim_due import claim_due
from rubato.usecases.handle_message import handle_message
from rubato.usecases.read_runs import list_runs
from rubato.usecases.trigger_run import trigger_run
from rubato.usecases.update_endpoint import delete_endpoint
from rubato.usecases.update_job import update_job
from tests.worlds import ANNE, MIDNIGHT, MemoryWorld, Stage, a_job, an_endpoint


def failing(_call: Call) -> Reply:
    return Reply(duration_ms=1, status_code=500)


def lost_worker(_call: Call) -> Reply:
    raise MemoryError("the worker dies here")


def history(world: MemoryWorld, endpoint: Endpoint) -> list[tuple[float, Source, RunStatus]]:
    page = list_runs(world, ANNE, wanted=RunFilter(), endpoint_id=endpoint.id, limit=200)
    return [((run.slot - MIDNIGHT) / SECOND, run.source, run.status) for run in reversed(page.items)]


@pytest.mark.parametrize("interval_s", [5, 10, 60, 90, 300])
def test_an_interval_is_kept_to_the_millisecond_whatever_its_length(interval_s: int) -> None:
    world = MemoryWorld()
    an_endpoint(world, IntervalBaseline(interval_s * SECOND))
    Stage(world).play_seconds(1800)
    assert world.outbound.seconds() == [k * interval_s for k in range(1, 1800 // interval_s + 1)]


def test_consecutive_failures_double_the_interval_and_a_success_restores_it() -> None:
    world = MemoryWorld()
    answers = iter([500, 500, 500, 200, 200, 200])
    world.outbound.answer = lambda _call: Reply(duration_ms=1, status_code=next(answers))
    endpoint = an_endpoint(world, IntervalBaseline(60 * SECOND))
    Stage(world).play_seconds(1021)
    assert world.outbound.seconds() == [60, 180, 420, 900, 960, 1020]
    assert history(world, endpoint)[-2][2] is RunStatus.SUCCESS


def test_slots_passed_over_while_a_run_is_in_flight_are_skipped_and_counted() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(15 * SECOND))
    world.outbound.takes_ms = 20 * SECOND
    Stage(world).play_seconds(44)
    assert world.outbound.seconds() == [15]
    stored = world.endpoints.load(endpoint.id)
    assert stored is not None and stored.state.skipped == 1
    assert stored.state.next is not None and stored.state.next.slot == MIDNIGHT + 45 * SECOND


def test_a_lost_message_is_sent_again_and_runs_under_the_same_run_id() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(30 * SECOND))
    claim = endpoint.state.claim
    assert claim is not None
    world.queue.waiting.clear()
    Stage(world).play_seconds(121)
    assert world.outbound.calls[0][1].headers[-3][1] == claim.run_id
    assert world.outbound.seconds()[0] == 60


def test_a_worker_that_died_is_replaced_after_its_lease_with_a_higher_attempt_and_the_loss_is_recorded() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(30 * SECOND), timeout_ms=1000)
    claim = endpoint.state.claim
    assert claim is not None
    world.clock.instant = MIDNIGHT + 30 * SECOND
    world.outbound.answer = lost_worker
    with pytest.raises(MemoryError):
        handle_message(world, world.queue.receive(world.clock.now())[0])
    world.outbound.answer = lambda _call: Reply(duration_ms=1, status_code=200)
    Stage(world).play_seconds(119)
    run = world.runs.get(claim.run_id)
    assert run is not None and run.status is RunStatus.SUCCESS and run.attempt == 2
    assert [(each.attempt, each.error_kind) for each in run.attempts] == [(1, ErrorKind.LOST), (2, None)]
    sent = [dict(call.headers) for _, call in world.outbound.calls[:2]]
    assert sent[0]["Rubato-Run-Id"] == sent[1]["Rubato-Run-Id"] == claim.run_id
    assert [headers["Rubato-Attempt"] for headers in sent] == ["1", "2"]


def test_a_begun_run_is_made_good_however_late_and_never_dropped_as_missed() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(HOUR), timeout_ms=1000, max_lateness_ms=5000)
    world.outbound.answer = lost_worker
    stage = Stage(world)
    with pytest.raises(MemoryError):
        stage.play_seconds(3700)
    world.outbound.answer = lambda _call: Reply(duration_ms=1, status_code=200)
    stage.play_seconds(3800)
    stored = world.endpoints.load(endpoint.id)
    assert [status for _, _, status in history(world, endpoint)] == [RunStatus.SUCCESS]
    assert stored is not None and stored.state.missed == 0


def test_a_worker_that_died_between_record_and_schedule_does_not_make_the_target_be_called_again() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(HOUR), timeout_ms=1000)
    save = world.endpoints.save

    def die(*_: object) -> Endpoint:
        raise MemoryError("the worker dies here")

    stage = Stage(world)
    stage.play_seconds(3599)
    world.endpoints.save = die  # type: ignore[method-assign,assignment]
    with pytest.raises(MemoryError):
        stage.play_seconds(3601)
    world.endpoints.save = save  # type: ignore[method-assign]
    stage.play_seconds(3800)
    stored = world.endpoints.load(endpoint.id)
    assert world.outbound.seconds() == [3600]
    assert stored is not None and stored.state.claim is None and stored.state.last_run is not None


def test_a_run_whose_every_worker_dies_ends_as_lost_and_the_schedule_goes_on() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(HOUR), timeout_ms=1000)
    world.outbound.answer = lost_worker
    stage = Stage(world)
    for _ in range(3):
        with pytest.raises(MemoryError):
            stage.play_seconds(2 * 3600 - 1)
    stage.play_seconds(2 * 3600 - 1)
    assert [(status, source) for _, source, status in history(world, endpoint)][:1] == [
        (RunStatus.FAILURE, Source.BASELINE_INTERVAL)
    ]
    first = world.runs.of_endpoint(endpoint.id, RunFilter(), 1, None).items[0]
    assert first.error_kind is ErrorKind.LOST


def test_a_duplicated_message_calls_the_target_once() -> None:
    world = MemoryWorld()
    an_endpoint(world, IntervalBaseline(10 * SECOND))
    world.queue.waiting += world.queue.waiting
    Stage(world).play_seconds(15)
    assert world.outbound.seconds() == [10]


def test_overlapping_ticks_claim_a_slot_once() -> None:
    world = MemoryWorld()
    an_endpoint(world, IntervalBaseline(HOUR))
    world.clock.instant = MIDNIGHT + HOUR - 90 * SECOND
    for _ in range(3):
        claim_due(world, range(16), world.clock.now() + 1000)
    assert len(world.queue.waiting) == 1


def test_a_holder_whose_lease_has_expired_leaves_the_schedule_alone() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(HOUR), timeout_ms=1000)
    stage = Stage(world)
    stage.play_seconds(3600 - 61)
    world.outbound.takes_ms = 60 * SECOND
    stage.ticking = False
    stage.play_seconds(3600 + 61)
    stored = world.endpoints.load(endpoint.id)
    assert stored is not None and stored.state.claim is not None and stored.state.claim.started_at is not None
    assert len(world.runs.late) == 1


def test_an_hourly_endpoint_is_not_on_the_queue_before_its_look_ahead() -> None:
    world = MemoryWorld()
    an_endpoint(world, IntervalBaseline(HOUR))
    stage = Stage(world)
    stage.play_seconds(3600 - 181)
    assert world.queue.waiting == []
    stage.play_seconds(3601)
    assert world.outbound.seconds() == [3600]


def test_after_an_outage_the_latest_missed_slot_runs_once_and_the_rest_is_counted() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(300 * SECOND))
    world.clock.instant = MIDNIGHT + 1000 * SECOND
    Stage(world).play_seconds(1300)
    stored = world.endpoints.load(endpoint.id)
    assert world.outbound.seconds() == [1000, 1200]
    assert [slot for slot, _, _ in history(world, endpoint)] == [900, 1200]
    assert stored is not None and stored.state.missed == 2


def test_a_claimed_chain_comes_out_of_an_outage_with_the_latest_missed_slot() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world)
    stage = Stage(world)
    stage.play_seconds(30)
    world.clock.instant = MIDNIGHT + 3630 * SECOND
    stage.play_seconds(3725)
    stored = world.endpoints.load(endpoint.id)
    assert [slot for slot, _, _ in history(world, endpoint)] == [3600, 3660, 3720]
    assert stored is not None and (stored.state.missed, stored.state.skipped) == (59, 0)


def test_a_missed_slot_keeps_its_jitter() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(HOUR), jitter_ms=HOUR - 1)
    world.clock.instant = MIDNIGHT + 5 * HOUR + 5
    Stage(world).play(MIDNIGHT + 6 * HOUR)
    assert world.outbound.calls
    for run in world.runs.of_endpoint(endpoint.id, RunFilter(), 10, None).items:
        assert run.started_at is not None and run.started_at >= run.due_at > run.slot


def test_a_clamped_rhythm_comes_out_of_an_outage_once_and_stays_within_its_clamp() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(60 * SECOND), clamp=Clamp(min_interval_ms=600 * SECOND))
    stage = Stage(world)
    stage.play_seconds(90)
    world.clock.instant = MIDNIGHT + 7250 * SECOND
    stage.play_seconds(7900)
    stored = world.endpoints.load(endpoint.id)
    assert [slot for slot, _, _ in history(world, endpoint)] == [60, 6660, 7260, 7860]
    assert stored is not None and stored.state.missed == 10


def test_with_the_skip_policy_missed_slots_do_not_run() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(300 * SECOND), missed_runs=MissedRuns.SKIP)
    world.clock.instant = MIDNIGHT + 1000 * SECOND
    Stage(world).play_seconds(1300)
    stored = world.endpoints.load(endpoint.id)
    assert world.outbound.seconds() == [1200]
    assert stored is not None and stored.state.missed == 3


def test_a_slot_beyond_its_allowed_lateness_does_not_run() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(60 * SECOND), max_lateness_ms=2000)
    world.clock.instant = MIDNIGHT + 63 * SECOND
    stage = Stage(world, ticking=False)
    stage.play_seconds(125)
    stored = world.endpoints.load(endpoint.id)
    assert world.outbound.seconds() == [120]
    assert stored is not None and stored.state.missed == 1


def test_a_run_now_leaves_schedule_failures_and_backoff_alone() -> None:
    world = MemoryWorld()
    world.outbound.answer = failing
    endpoint = an_endpoint(world, IntervalBaseline(60 * SECOND))
    stage = Stage(world)
    stage.play_seconds(20)
    run_id = trigger_run(world, ANNE, endpoint.id)
    stage.play_seconds(61)
    assert world.outbound.seconds() == [20, 60]
    run = world.runs.get(run_id)
    stored = world.endpoints.load(endpoint.id)
    assert run is not None and run.source is Source.MANUAL
    assert stored is not None and stored.state.failures == 1


def test_a_dormant_endpoint_runs_only_when_told() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, ManualBaseline())
    stage = Stage(world)
    stage.play_seconds(7200)
    assert world.outbound.calls == []
    trigger_run(world, ANNE, endpoint.id)
    stage.play_seconds(7201)
    assert world.outbound.seconds() == [7200]


def test_the_min_clamp_spaces_runs_out_and_says_so() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(10 * SECOND), clamp=Clamp(min_interval_ms=60 * SECOND))
    Stage(world).play_seconds(200)
    assert [(slot, source) for slot, source, _ in history(world, endpoint)] == [
        (10, Source.BASELINE_INTERVAL),
        (70, Source.CLAMPED_MIN),
        (130, Source.CLAMPED_MIN),
        (190, Source.CLAMPED_MIN),
    ]


def test_auto_pause_stops_after_the_configured_number_of_failures() -> None:
    world = MemoryWorld()
    world.outbound.answer = failing
    endpoint = an_endpoint(world, IntervalBaseline(10 * SECOND), auto_pause_after=2)
    Stage(world).play_seconds(3600)
    stored = world.endpoints.load(endpoint.id)
    assert world.outbound.seconds() == [10, 30]
    assert stored is not None and stored.state.pause is not None and stored.state.wake_at is None


def test_when_the_queue_refuses_messages_the_tick_brings_the_runs_back() -> None:
    world = MemoryWorld()
    world.queue.failing = True
    an_endpoint(world, IntervalBaseline(10 * SECOND))
    stage = Stage(world)
    stage.play_seconds(50)
    world.queue.failing = False
    stage.play_seconds(241)
    assert world.outbound.seconds()[0] <= 180
    assert world.telemetry.warnings


def hold(status: JobStatus, world: MemoryWorld, job_id: str) -> None:
    update_job(world, ANNE, job_id, lambda job: replace(job, status=status))


def test_a_resume_that_overtakes_a_slow_pause_of_the_job_wins() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world)
    job_id, of_job = endpoint.config.job_id, world.endpoints.of_job
    overtaken: list[bool] = []

    def slow(*args: Any) -> Any:
        page = of_job(*args)
        if not overtaken:
            overtaken.append(True)
            hold(JobStatus.ACTIVE, world, job_id)
        return page

    world.endpoints.of_job = slow  # type: ignore[method-assign,assignment]
    hold(JobStatus.PAUSED, world, job_id)
    Stage(world).play_seconds(125)
    assert world.outbound.seconds() == [60, 120]


@pytest.mark.parametrize("status", [JobStatus.PAUSED, JobStatus.ACTIVE])
def test_a_worker_that_dies_while_its_job_is_paused_or_resumed_is_made_good_within_a_minute(status: JobStatus) -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(10 * SECOND))
    if status is JobStatus.ACTIVE:
        hold(JobStatus.PAUSED, world, endpoint.config.job_id)
    of_job = world.endpoints.of_job

    def die(*_: object) -> Any:
        raise MemoryError("the worker dies here")

    world.endpoints.of_job = die  # type: ignore[method-assign,assignment]
    with pytest.raises(MemoryError):
        hold(status, world, endpoint.config.job_id)
    world.endpoints.of_job = of_job  # type: ignore[method-assign]
    Stage(world).play_seconds(60)
    world.outbound.calls.clear()
    Stage(world).play_seconds(120)
    assert bool(world.outbound.calls) == (status is JobStatus.ACTIVE)


def test_a_release_does_not_trust_a_lagging_reading_of_the_states() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world)
    stale = world.endpoints.states([endpoint.id])
    hold(JobStatus.PAUSED, world, endpoint.config.job_id)
    world.endpoints.states = lambda _ids, **_: stale  # type: ignore[method-assign]
    hold(JobStatus.ACTIVE, world, endpoint.config.job_id)
    stored = world.endpoints.load(endpoint.id)
    assert stored is not None and not stored.state.held and stored.state.wake_at is not None


def test_one_broken_endpoint_does_not_withhold_the_runs_of_the_others_in_a_tick() -> None:
    world = MemoryWorld()
    job = a_job(world)
    made = [an_endpoint(world, IntervalBaseline(HOUR), job, name=str(n)).id for n in range(12)]
    save_state = world.endpoints.save_state

    def save(endpoint_id: str, *states: Any) -> Any:
        if endpoint_id == made[5]:
            raise RuntimeError("throttled")
        return save_state(endpoint_id, *states)

    world.endpoints.save_state = save  # type: ignore[method-assign,assignment]
    world.clock.instant = MIDNIGHT + HOUR - 60 * SECOND
    counts = claim_due(world, range(16), world.clock.now() + 1000)
    assert (counts["claimed"], counts["failed"]) == (11, 1)
    sent = {message.endpoint_id for _, message in world.queue.waiting if isinstance(message, RunMessage)}
    assert sent == set(made) - {made[5]}


def test_a_run_now_that_had_not_begun_does_not_call_a_deleted_endpoint() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(HOUR))
    trigger_run(world, ANNE, endpoint.id)
    delete_endpoint(world, ANNE, endpoint.id)
    Stage(world).play_seconds(10)
    assert world.outbound.calls == []


def test_a_run_now_on_a_resting_endpoint_is_made_good_when_its_worker_dies() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(HOUR), timeout_ms=1000)
    hold(JobStatus.PAUSED, world, endpoint.config.job_id)
    run_id = trigger_run(world, ANNE, endpoint.id)
    world.outbound.answer = lost_worker
    stage = Stage(world)
    with pytest.raises(MemoryError):
        stage.play_seconds(10)
    world.outbound.answer = lambda _call: Reply(duration_ms=1, status_code=200)
    stage.play_seconds(200)
    run = world.runs.get(run_id)
    assert run is not None and (run.status, run.attempt) == (RunStatus.SUCCESS, 2)


def test_a_paused_job_holds_its_endpoints_and_its_resume_runs_the_missed_slot_once() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(60 * SECOND))
    stage = Stage(world)
    stage.play_seconds(30)
    update_job(world, ANNE, endpoint.config.job_id, lambda job: replace(job, status=JobStatus.PAUSED))
    stage.play_seconds(320)
    assert world.outbound.calls == []
    update_job(world, ANNE, endpoint.config.job_id, lambda job: replace(job, status=JobStatus.ACTIVE))
    stage.play_seconds(361)
    assert world.outbound.seconds() == [320, 360]
