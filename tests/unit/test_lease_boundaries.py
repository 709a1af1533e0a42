"""When a claim is sent, sent again, given up and ended: the bounds of each lease, to the millisecond."""

from dataclasses import replace
from typing import Any

import pytest

from rubato.domain import lease
from rubato.domain.endpoint import Clamp, Endpoint, Pause, RunStatus, Source
from rubato.domain.exchange import ErrorKind
from rubato.domain.hints import SYSTEM
from rubato.domain.instant import SECOND, to_iso
from rubato.domain.lease import Look
from rubato.domain.schedule import IntervalBaseline, ManualBaseline
from rubato.ports import RunFilter
from rubato.usecases.handle_message import handle_message
from rubato.usecases.read_runs import list_runs
from rubato.usecases.steer_endpoint import hint_interval, pause_endpoint, resume_endpoint
from tests.unit.test_governor import ANNE, LOOK_AHEAD, at, endpoint, every, next_of, one_shot, paused, settled
from tests.worlds import ANNE as ANNE_CALLER
from tests.worlds import MIDNIGHT, MemoryWorld, Stage, an_endpoint


def look(subject: Endpoint, now: int) -> Look:
    return lease.look(subject.state, now, now + LOOK_AHEAD)


def ended(subject: Endpoint, now: float, status: RunStatus = RunStatus.SUCCESS) -> Endpoint:
    return lease.finish(subject, lease.RunResult(status, at(now), at(now)), at(now))


def started(subject: Endpoint, now: float) -> Endpoint:
    return lease.start(settled(subject, 0), at(now))


def test_an_unstarted_claim_is_sent_again_half_a_minute_after_it_was_due_and_then_every_two_minutes() -> None:
    claimed = settled(endpoint(every(60)), 0)
    assert [look(claimed, at(90) + more) for more in (-1, 0)] == [Look.LEAVE, Look.RESEND]
    again = replace(claimed, state=lease.resend(claimed.state, at(90)))
    assert [look(again, at(210) + more) for more in (-1, 0)] == [Look.LEAVE, Look.RESEND]
    assert again.state.fence == claimed.state.fence


def test_a_claim_made_late_has_its_lease_from_that_moment() -> None:
    told = lease.trigger(endpoint(every(60)), at(7))
    assert told.state.claim is not None and told.state.claim.lease_until == at(37)


def test_a_worker_is_given_up_fifteen_seconds_after_its_timeout_and_writes_nothing_from_then_on() -> None:
    running = started(endpoint(every(60)), 61)
    claim = running.state.claim
    assert claim is not None
    assert [look(running, at(106) + more) for more in (-1, 0)] == [Look.LEAVE, Look.RECOVER]
    assert [lease.holds(running.state, claim.fence, at(106) + more) for more in (-1, 0)] == [True, False]
    assert not lease.holds(running.state, claim.fence - 1, at(70))


def test_a_run_whose_worker_died_is_tried_again_under_a_new_fence_with_the_loss_on_record() -> None:
    running = started(endpoint(every(60)), 61)
    again = replace(running, state=lease.recover(running.state, at(106)))
    before, claim = running.state.claim, again.state.claim
    assert before is not None and claim is not None
    assert (claim.run_id, claim.attempt, claim.fence, claim.lease_until) == (
        before.run_id,
        2,
        before.fence + 1,
        at(136),
    )
    assert [(each.attempt, each.started_at, each.error_kind) for each in claim.tried] == [(1, at(61), ErrorKind.LOST)]
    assert lease.stands(again.state, claim.fence) and not lease.stands(again.state, before.fence)
    assert again.state.is_running and again.state.fence == claim.fence


def test_a_second_attempt_does_not_move_the_anchor_that_an_edit_has_set_meanwhile() -> None:
    running = started(endpoint(every(60)), 61)
    again = replace(running, state=lease.recover(running.state, at(106))).with_state(anchor=at(100))
    assert lease.start(again, at(110)).state.anchor == at(100)


@pytest.mark.parametrize(("due", "claimed"), [(120, True), (120.001, False)])
def test_a_run_is_claimed_when_it_is_due_within_the_look_ahead_and_not_a_millisecond_later(
    due: float, claimed: bool
) -> None:
    state = settled(endpoint(every(due)), 0).state
    assert (state.claim is not None) == claimed
    assert state.wake_at == at(due)


def test_the_tick_claims_what_comes_within_its_horizon_and_replans_what_is_late() -> None:
    waiting = settled(endpoint(every(600)), 0)
    moments = (at(480) - 1, at(480), at(600) - 1, at(600))
    assert [look(waiting, now) for now in moments] == [Look.LEAVE, Look.CLAIM, Look.CLAIM, Look.REPLAN]
    assert look(settled(endpoint(ManualBaseline()), 0), at(600)) is Look.LEAVE


def test_the_tick_wakes_a_paused_endpoint_on_time_and_leaves_one_that_rests_without_end() -> None:
    resting = paused(settled(endpoint(every(60)), 0), 30, until=600)
    moments = (at(480) - 1, at(480), at(600) - 1, at(600))
    assert [look(resting, now) for now in moments] == [Look.LEAVE, Look.WAKE, Look.WAKE, Look.REPLAN]
    assert look(resting.with_state(held=True), at(700)) is Look.LEAVE
    assert look(paused(settled(endpoint(every(60)), 0), 30), at(700)) is Look.LEAVE


def test_an_endpoint_that_a_timed_pause_has_left_shows_no_pause() -> None:
    resting = paused(settled(endpoint(every(60)), 0), 30, until=200)
    assert settled(resting, 200).state.pause is None


def test_the_look_ahead_reaches_back_to_a_pause_that_starts_with_a_slot_already_due() -> None:
    claimed = settled(endpoint(every(60)), 0)
    resting = paused(claimed, 61)
    assert resting.state.shadow == at(60)
    assert next_of(settled(resting.with_state(pause=None), 62)) == (62, Source.BASELINE_INTERVAL)


def test_pausing_again_keeps_the_slot_that_has_been_waiting() -> None:
    resting = paused(paused(settled(endpoint(every(60)), 0), 30), 400)
    assert resting.state.shadow == at(60)


def test_a_one_shot_that_waits_behind_a_pause_is_no_missed_slot_of_the_rhythm() -> None:
    resting = paused(settled(endpoint(every(600), one_shot(30)), 0), 40)
    assert resting.state.shadow == at(600)


@pytest.mark.parametrize(("end", "skipped", "following"), [(119.999, 0, 120), (120, 1, 180), (180, 2, 240)])
def test_a_grid_slot_at_the_very_end_of_a_run_is_passed_over(end: float, skipped: int, following: float) -> None:
    after = ended(started(endpoint(every(60)), 60), end)
    assert after.state.skipped == skipped
    assert next_of(settled(after, end)) == (following, Source.BASELINE_INTERVAL)


def test_slots_that_the_min_clamp_forbids_were_not_overlapped() -> None:
    after = ended(started(endpoint(every(10), clamp=(60, None)), 60), 119)
    assert after.state.skipped == 0
    assert ended(started(endpoint(every(10), clamp=(60, None)), 60), 120).state.skipped == 1


def test_a_planned_slot_that_comes_during_a_run_now_is_overlapped_and_one_still_to_come_stays() -> None:
    told = lease.start(lease.trigger(settled(endpoint(every(60)), 0), at(50)), at(50))
    over, before = ended(told, 60), ended(told, 59.999)
    assert (over.state.skipped, next_of(settled(over, 60))) == (1, (120, Source.BASELINE_INTERVAL))
    assert (before.state.skipped, next_of(settled(before, 59.999))) == (0, (60, Source.BASELINE_INTERVAL))


def test_a_run_now_moves_neither_the_grid_nor_the_failures() -> None:
    told = lease.trigger(settled(endpoint(every(60), failures=3), 0), at(10))
    after = ended(lease.start(told, at(10)), 11, RunStatus.FAILURE)
    assert (after.state.anchor, after.state.last_slot, after.state.failures) == (MIDNIGHT, MIDNIGHT, 3)
    assert after.state.outcome is None and after.state.last_run is not None


def failing(count: int, threshold: int, **state: Any) -> Endpoint:
    subject = endpoint(every(60), failures=count - 1, **state)
    subject = replace(subject, config=replace(subject.config, auto_pause_after=threshold))
    due = settled(subject, 0).state.next
    assert due is not None
    now = (due.slot - MIDNIGHT) / 1000
    return ended(lease.start(with_claim(settled(subject, 0)), due.slot), now, RunStatus.FAILURE)


def with_claim(subject: Endpoint) -> Endpoint:
    if subject.state.claim is not None:
        return subject
    return replace(subject, state=lease.claim_next(subject.id, subject.state, MIDNIGHT))


def test_the_last_failure_that_is_allowed_pauses_and_the_one_before_does_not() -> None:
    assert failing(2, 3).state.pause is None and failing(2, 0).state.pause is None
    pause = failing(3, 3).state.pause
    assert pause is not None and (pause.by, pause.until) == (SYSTEM, None)
    assert pause.reason == "paused automatically after 3 consecutive failed runs"
    assert pause.since == at(240)


def test_a_pause_by_somebody_is_not_replaced_by_the_automatic_one() -> None:
    running = lease.start(settled(endpoint(every(60)), 0), at(60))
    running = replace(running, config=replace(running.config, auto_pause_after=1))
    own = Pause(since=at(61), by=ANNE, until=at(1000))
    assert ended(running.with_state(pause=own), 62, RunStatus.FAILURE).state.pause == own


@pytest.mark.parametrize(("late_ms", "slot_s"), [(120_000, 30), (120_001, 150)])
def test_a_claimed_run_gives_way_to_a_newer_slot_only_when_it_comes_more_than_two_minutes_late(
    late_ms: int, slot_s: int
) -> None:
    world = MemoryWorld()
    an_endpoint(world, IntervalBaseline(30 * SECOND))
    message = world.queue.receive(MIDNIGHT + 30 * SECOND)[0]
    world.clock.instant = MIDNIGHT + 30 * SECOND + late_ms
    handle_message(world, message)
    sent = dict(world.outbound.calls[0][1].headers)
    assert sent["Rubato-Slot"] == to_iso(MIDNIGHT + slot_s * SECOND)


def test_a_hinted_slot_that_an_outage_outlives_runs_once_though_nothing_is_planned_any_more() -> None:
    world = MemoryWorld()
    sleeper = an_endpoint(world, ManualBaseline())
    hint_interval(world, ANNE_CALLER, sleeper.id, interval_ms=30_000, ttl_minutes=1, reason=None)
    world.queue.waiting.clear()
    world.clock.instant = MIDNIGHT + 600 * SECOND
    Stage(world).play_seconds(900)
    assert world.outbound.seconds() == [600]
    assert dict(world.outbound.calls[0][1].headers)["Rubato-Slot"] == to_iso(MIDNIGHT + 30 * SECOND)


def test_a_clamped_run_found_after_an_outage_is_late_by_its_latest_slot_only() -> None:
    world = MemoryWorld()
    probe = an_endpoint(world, IntervalBaseline(10 * SECOND), clamp=Clamp(min_interval_ms=60 * SECOND))
    stage = Stage(world)
    stage.play_seconds(15)
    world.queue.waiting.clear()
    world.clock.instant = MIDNIGHT + 345 * SECOND  # clamped slots: 70, 130, 190, 250, 310
    Stage(world).play_seconds(346)
    run = list_runs(world, ANNE_CALLER, wanted=RunFilter(), endpoint_id=probe.id).items[0]
    assert (run.slot, run.due_at, run.lateness_ms) == (MIDNIGHT + 310_000, MIDNIGHT + 310_000, 35_000)


def test_the_run_that_makes_up_for_a_pause_is_one_run_however_late_it_comes() -> None:
    world = MemoryWorld()
    probe = an_endpoint(world, IntervalBaseline(1000 * SECOND))
    pause_endpoint(world, ANNE_CALLER, probe.id, until=None, reason=None)
    world.clock.instant = MIDNIGHT + 1100 * SECOND
    resume_endpoint(world, ANNE_CALLER, probe.id, reason=None)
    world.queue.waiting.clear()
    world.clock.instant = MIDNIGHT + 1600 * SECOND
    Stage(world).play_seconds(1700)
    stored = world.endpoints.load(probe.id)
    assert world.outbound.seconds() == [1600] and stored is not None and stored.state.missed == 0
