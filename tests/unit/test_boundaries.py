"""Where one thing ends and the next begins: bounds to the millisecond, and what a change must and must not touch."""

from dataclasses import replace
from typing import Any

import pytest

from rubato.domain import edits, governor, ids, lease, misfire, steering
from rubato.domain.endpoint import Endpoint, MissedRuns, Pause, Plan, Source
from rubato.domain.errors import Invalid
from rubato.domain.instant import MINUTE
from rubato.domain.schedule import AfterBaseline, EveryGrid, ManualBaseline
from tests.unit.test_governor import (
    ANNE,
    at,
    cron,
    endpoint,
    every,
    interval_hint,
    next_of,
    one_shot,
    paused,
    planned,
    settled,
)
from tests.worlds import MIDNIGHT


def configured(subject: Endpoint, **config: Any) -> Endpoint:
    return replace(subject, config=replace(subject.config, **config))


def edited(subject: Endpoint, now: float, **config: Any) -> Endpoint:
    return edits.configured(subject, replace(subject.config, **config), at(now))


def test_an_interval_at_the_very_clamp_is_accepted_and_one_millisecond_beyond_is_refused() -> None:
    subject = endpoint(every(60), clamp=(30, 90))
    for allowed in (30_000, 90_000):
        steering.check_interval(subject, allowed, 1000)
    for refused in (29_999, 90_001):
        with pytest.raises(Invalid):
            steering.check_interval(subject, refused, 1000)


def test_an_interval_below_the_floor_of_the_deployment_is_refused_without_any_clamp_too() -> None:
    steering.check_interval(endpoint(every(60)), 1000, 1000)
    with pytest.raises(Invalid, match="floor"):
        steering.check_interval(endpoint(every(60)), 999, 1000)


def test_a_hint_remembers_its_reason_and_who_wrote_it_when() -> None:
    tempo = steering.interval_hint(
        endpoint(every(60)), "hint_1", ANNE, at(7), interval_ms=5000, ttl_ms=MINUTE, reason="sale"
    )
    shot = steering.one_shot_hint("hint_2", ANNE, at(7), run_at=at(9), ttl_ms=MINUTE, reason="look")
    assert [(hint.reason, hint.author, hint.created_at) for hint in (tempo, shot)] == [
        ("sale", ANNE, at(7)),
        ("look", ANNE, at(7)),
    ]
    assert (tempo.expires_at, shot.expires_at) == (at(67), at(69))


def test_a_one_shot_for_this_very_moment_is_accepted() -> None:
    assert steering.one_shot_hint("hint_1", ANNE, at(7), run_at=at(7), ttl_ms=1, reason=None).first_slot == at(7)


def test_a_pause_of_one_millisecond_is_accepted_and_one_of_none_refused() -> None:
    assert steering.paused(endpoint(every(60)), ANNE, at(5), until=at(5) + 1, reason="x").state.is_paused(at(5))
    with pytest.raises(Invalid):
        steering.paused(endpoint(every(60)), ANNE, at(5), until=at(5), reason=None)


def test_a_new_baseline_counts_from_the_edit_and_any_other_edit_leaves_the_grid_alone() -> None:
    subject = settled(endpoint(every(60)), 0)
    assert next_of(settled(edited(subject, 10, baseline=every(90)), 10)) == (100, Source.BASELINE_INTERVAL)
    assert next_of(settled(edited(subject, 10, description="x"), 10)) == (60, Source.BASELINE_INTERVAL)


def test_every_edit_counts_a_version_and_tells_its_time() -> None:
    subject = edited(endpoint(every(60)), 10, description="x")
    gone = edits.deleted(subject, at(20))
    assert [(e.config.version, e.config.updated_at) for e in (subject, gone)] == [(2, at(10)), (3, at(20))]
    assert edited(subject, 30, baseline=every(5)).config.version == 3


def test_a_deleted_endpoint_keeps_no_hints() -> None:
    assert edits.deleted(endpoint(every(60), interval_hint(30)), at(1)).hints == ()


def test_a_slot_that_waited_behind_a_pause_is_not_caught_up_once_the_baseline_is_another() -> None:
    resting = paused(settled(endpoint(every(60)), 0), 30)
    changed = settled(edited(resting, 70, baseline=every(100)), 70)
    assert next_of(settled(changed.with_state(pause=None), 80)) == (170, Source.BASELINE_INTERVAL)


def test_a_baseline_edit_during_a_run_starts_the_new_grid_at_the_edit() -> None:
    running = lease.start(settled(endpoint(every(60)), 0), at(60))
    assert edited(running, 70, baseline=every(100)).state.anchor == at(70)


def test_the_pause_and_resume_of_a_job_leave_an_endpoints_own_pause_in_force() -> None:
    own = Pause(since=MIDNIGHT, by=ANNE, until=at(600))
    released = edits.held(edits.held(endpoint(every(60), pause=own), True, at(10)), False, at(20))
    assert released.state.pause == own and not released.state.held
    assert edits.held(endpoint(every(60), pause=own, held=True), False, at(600)).state.pause is None


def test_holding_twice_changes_nothing() -> None:
    resting = endpoint(every(60), held=True, pause=Pause(since=MIDNIGHT, by=ANNE, until=at(5)))
    assert edits.held(resting, True, at(10)) == resting


def test_one_missed_slot_is_counted_and_the_newer_one_runs() -> None:
    late = settled(endpoint(every(60)), 0)
    assert not misfire.is_late(late, at(119.999))
    assert misfire.is_late(late, at(120))
    assert next_of(misfire.misfire(late, at(120))) == (120, Source.BASELINE_INTERVAL)
    assert misfire.misfire(late, at(120)).state.missed == 1


def test_a_slot_is_too_late_only_beyond_what_its_owner_allows() -> None:
    subject = settled(endpoint(every(600)), 0)
    plan = subject.state.next
    assert plan is not None
    bounded, skipping = configured(subject, max_lateness_ms=5000), configured(subject, missed_runs=MissedRuns.SKIP)
    assert [misfire.is_too_late(bounded, plan, at(605) + more) for more in (0, 1)] == [False, True]
    assert [misfire.is_too_late(skipping, plan, at(660) + more) for more in (0, 1)] == [False, True]
    assert not misfire.is_too_late(subject, plan, at(10_000))


def test_a_late_one_shot_is_bounded_by_its_own_life_alone_and_gives_way_to_no_slot() -> None:
    late = configured(settled(endpoint(every(60), one_shot(30, ttl=100)), 0), max_lateness_ms=1000)
    plan = late.state.next
    assert plan is not None and plan.source is Source.AI_ONESHOT
    assert [misfire.is_too_late(late, plan, at(130) + less) for less in (-1, 0)] == [False, True]
    kept = misfire.misfire(late, at(129))
    assert (kept.state.next, kept.state.missed, kept.hints) == (plan, 0, late.hints)
    gone = misfire.misfire(late, at(130))
    assert (gone.state.next, gone.state.missed, gone.hints) == (None, 1, ())


def test_another_hint_that_has_expired_does_not_make_a_one_shot_late() -> None:
    late = settled(endpoint(every(60), one_shot(30), interval_hint(3600, ttl=1)), 0)
    plan = late.state.next
    assert plan is not None and plan.source is Source.AI_ONESHOT
    assert not misfire.is_too_late(late, plan, at(40))


def test_a_run_now_is_never_too_late() -> None:
    told = lease.trigger(configured(endpoint(every(60)), max_lateness_ms=0), MIDNIGHT)
    assert told.state.claim is not None and not misfire.is_too_late(told, told.state.claim.plan, at(10_000))


def test_a_claim_that_was_overtaken_turns_to_the_newest_slot_under_the_fence_that_its_message_carries() -> None:
    late = settled(endpoint(every(60)), 0)
    turned = misfire.overtaken(late, at(240))
    assert turned is not None and late.state.claim is not None and turned.state.claim is not None
    assert turned.state.claim.plan.slot == at(240)
    assert turned.state.claim.fence == late.state.claim.fence
    assert turned.state.claim.run_id == ids.run_id(late.id, at(240), "cadence")
    assert turned.state.missed == 3


def test_a_claim_whose_newest_slot_is_too_late_or_still_to_come_does_not_run() -> None:
    late = settled(endpoint(every(60)), 0)
    assert misfire.overtaken(configured(late, max_lateness_ms=10_000), at(271)) is None
    jittered = configured(late, jitter_ms=59_999)
    newest = governor.on_grid(
        jittered, governor.Cadence(EveryGrid(MIDNIGHT, MINUTE), Source.BASELINE_INTERVAL), at(240)
    )
    assert newest.due > newest.slot
    assert misfire.overtaken(jittered, newest.due - 1) is None
    assert misfire.overtaken(jittered, newest.due) is not None


def test_the_late_run_after_a_resume_misses_nothing() -> None:
    resumed = settled(paused(settled(endpoint(every(60)), 0), 30).with_state(pause=None), 320)
    assert not misfire.is_late(resumed, at(1000))
    assert misfire.misfire(resumed, at(1000)).state.missed == 0


def test_a_clamped_rhythm_misses_one_run_for_each_full_clamp() -> None:
    slowed = settled(endpoint(every(10), clamp=(60, None)), 0)
    assert [misfire.misfire(slowed, at(seconds)).state.missed for seconds in (119, 120, 240)] == [0, 1, 3]
    hurried = settled(endpoint(cron("0 2 * * *"), clamp=(None, 60)), 0)
    assert next_of(misfire.misfire(hurried, at(185))) == (180, Source.CLAMPED_MAX)


def test_a_one_shot_without_a_rhythm_waits_for_its_time_however_late() -> None:
    late = settled(endpoint(ManualBaseline(), one_shot(30)), 0)
    assert not misfire.is_late(late, at(500))
    plan = late.state.next
    assert plan == Plan(slot=at(30), due=at(30), source=Source.AI_ONESHOT, trigger="oneshot/hint_o", hint_id="hint_o")


def test_a_job_that_rests_hides_when_the_endpoints_own_pause_would_end() -> None:
    own = Pause(since=MIDNIGHT, by=ANNE, until=at(600))
    assert planned(endpoint(every(60), pause=own, held=True)) == (None, "paused")


def test_what_others_set_off_under_a_hint_that_expires_unused_runs_at_the_expiry() -> None:
    followed = endpoint(AfterBaseline(("a",)), interval_hint(3600, ttl=600), heard=(("a", at(50)),))
    assert planned(followed, now=60) == (600, "after")
    assert planned(replace(followed, hints=()), now=60) == (50, "after")


def test_a_slot_that_was_given_up_as_too_late_is_not_planned_again_by_a_clock_that_lags() -> None:
    gone = misfire.misfire(configured(settled(endpoint(every(60)), 0), max_lateness_ms=1000), at(62))
    assert gone.state.next is None
    assert next_of(settled(gone, 59)) == (120, Source.BASELINE_INTERVAL)
