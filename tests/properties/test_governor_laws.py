"""The laws of the governor, whatever the endpoint looks like: the design's semantics, one test for each rule."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from rubato.domain import governor
from rubato.domain.endpoint import Endpoint, Plan, Source
from rubato.domain.hints import Hint, HintKind
from rubato.domain.instant import DAY, MINUTE
from rubato.domain.schedule import CronBaseline, IntervalBaseline
from tests.properties.strategies import (
    INTERVALS,
    OPEN,
    SHIFTS,
    UTC_CRONS,
    Scene,
    clamps,
    configs,
    hints,
    interval_hints,
    one_shots,
    scenes,
)
from tests.unit.test_cron_oracle import matcher, shown

UNCLAMPED = configs(bounds=st.just(OPEN))
ON_INTERVALS = configs(baselines=INTERVALS.map(IntervalBaseline), bounds=st.just(OPEN))
ON_CRON = configs(baselines=UTC_CRONS)


def planned(scene: Scene) -> Plan | None:
    return governor.next_run(scene.now, scene.endpoint)


def without_jitter(endpoint: Endpoint) -> Endpoint:
    return replace(endpoint, config=replace(endpoint.config, jitter_ms=0))


def hint_of(scene: Scene, plan: Plan | None) -> Hint | None:
    return next((hint for hint in scene.endpoint.hints if plan is not None and hint.hint_id == plan.hint_id), None)


@given(scenes())
def test_no_run_is_planned_before_now_nor_due_before_its_slot(scene: Scene) -> None:
    plan = planned(scene)
    assert plan is None or plan.due >= plan.slot >= scene.now


@given(scenes(config=configs(bounds=clamps()), ran=True))
def test_no_run_comes_sooner_than_the_min_clamp_allows(scene: Scene) -> None:
    plan, state, least = planned(scene), scene.endpoint.state, scene.endpoint.config.clamp.min_interval_ms
    assume(plan is not None and state.last_slot is not None and least is not None)
    assert plan is not None and state.last_slot is not None and least is not None
    assert plan.slot >= state.last_slot + least


@given(scenes(config=configs(bounds=clamps()), ran=True))
def test_no_run_comes_later_than_the_max_clamp_allows_unless_dormant(scene: Scene) -> None:
    plan, state, most = planned(scene), scene.endpoint.state, scene.endpoint.config.clamp.max_interval_ms
    rhythm = governor.cadence_run(scene.now, scene.endpoint)
    assume(rhythm is not None and state.last_slot is not None and most is not None)
    assert plan is not None and state.last_slot is not None and most is not None
    assert plan.slot <= max(state.last_slot + most, scene.now)


@given(scenes(config=configs(bounds=clamps())))
def test_clamps_do_nothing_before_the_first_run(scene: Scene) -> None:
    fresh = scene.endpoint.with_state(last_slot=None)
    free = replace(fresh, config=replace(fresh.config, clamp=OPEN))
    assert governor.next_run(scene.now, fresh) == governor.next_run(scene.now, free)


@given(scenes(config=configs(bounds=clamps()), ran=True))
def test_a_slot_within_the_clamps_is_not_called_clamped_and_one_outside_is(scene: Scene) -> None:
    free = replace(scene.endpoint, config=replace(scene.endpoint.config, clamp=OPEN))
    rhythm, plan = governor.next_run(scene.now, replace(free, hints=())), governor.next_run(scene.now, scene.bare)
    last, bounds = scene.endpoint.state.last_slot, scene.endpoint.config.clamp
    assume(rhythm is not None and last is not None)
    assert rhythm is not None and last is not None and plan is not None
    soon = bounds.min_interval_ms is not None and rhythm.slot < last + bounds.min_interval_ms
    late = bounds.max_interval_ms is not None and rhythm.slot > last + bounds.max_interval_ms
    if not soon and not late:
        assert plan == rhythm
    elif late:
        assert plan.source is Source.CLAMPED_MAX
    else:
        # For cron the next match may lie beyond the max clamp, which then has the last word.
        assert plan.source in (Source.CLAMPED_MIN, Source.CLAMPED_MAX)


@given(scenes(asleep=True))
def test_a_pause_beats_everything_and_shows_its_end(scene: Scene) -> None:
    state, found = scene.endpoint.state, governor.plan(scene.now, scene.endpoint)
    pause = state.pause
    if state.held or (pause is not None and pause.until is None):
        assert found == (None, Source.PAUSED)
    elif pause is not None and pause.until is not None and pause.until > scene.now:
        assert found == (pause.until, Source.PAUSED)
    else:
        assert found is None or found[1] is not Source.PAUSED


@given(scenes())
def test_a_hint_that_has_expired_changes_nothing(scene: Scene) -> None:
    live = tuple(hint for hint in scene.endpoint.hints if hint.expires_at > scene.now)
    assert planned(scene) == governor.next_run(scene.now, replace(scene.endpoint, hints=live))


@given(scenes())
def test_no_hint_causes_a_run_at_or_after_its_expiry(scene: Scene) -> None:
    plan = planned(scene)
    hint = hint_of(scene, plan)
    assert plan is None or hint is None or plan.slot < hint.expires_at


@given(scenes(hinted=False, config=UNCLAMPED), st.data())
def test_one_millisecond_of_life_beyond_its_slot_is_enough_for_a_hint(scene: Scene, data: st.DataObject) -> None:
    hint = data.draw(interval_hints(scene.now))
    slot = first_slot(hint, scene)
    late, early = (replace(hint, expires_at=slot + more) for more in (1, 0))
    honoured = governor.next_run(scene.now, replace(scene.endpoint, hints=(late,)))
    assert honoured is not None and (honoured.slot, honoured.source) == (slot, Source.AI_INTERVAL)
    ignored = governor.next_run(scene.now, replace(scene.endpoint, hints=(early,)))
    assert ignored is None or ignored.source is not Source.AI_INTERVAL


def first_slot(hint: Hint, scene: Scene) -> int:
    """The hint's slots are its first one and every interval from there; none lies in the past or runs twice."""
    assert hint.interval_ms is not None
    last = scene.endpoint.state.last_slot
    floor = scene.now if last is None else max(scene.now, last + 1)
    return hint.first_slot + max(-((hint.first_slot - floor) // hint.interval_ms), 0) * hint.interval_ms


@given(scenes(config=UNCLAMPED))
def test_of_several_live_interval_hints_the_tightest_draws_the_rhythm(scene: Scene) -> None:
    tempos = [h for h in scene.endpoint.hints if h.kind is HintKind.INTERVAL and h.expires_at > scene.now]
    assume(tempos)
    least = min(hint.interval_ms or 0 for hint in tempos)
    tightest = [hint for hint in tempos if hint.interval_ms == least]
    assume(len(tightest) == 1)
    slot = first_slot(tightest[0], scene)
    assume(slot < tightest[0].expires_at)
    rhythm = governor.cadence_run(scene.now, scene.endpoint)
    assert rhythm is not None
    assert (rhythm.slot, rhythm.source, rhythm.hint_id) == (slot, Source.AI_INTERVAL, tightest[0].hint_id)


@given(scenes(config=UNCLAMPED, hinted=False), st.data())
def test_no_tighter_hint_is_alive_when_a_looser_one_causes_a_run(scene: Scene, data: st.DataObject) -> None:
    drawn = [data.draw(interval_hints(scene.now, number)) for number in range(3)]
    # One of them lives for at least its own length, so that nearly every scene has a hint to obey.
    drawn[0] = replace(drawn[0], expires_at=scene.now + (drawn[0].interval_ms or 0) + data.draw(SHIFTS))
    plan = governor.next_run(scene.now, replace(scene.endpoint, hints=tuple(drawn)))
    assume(plan is not None and plan.hint_id is not None)
    assert plan is not None
    hint = next(hint for hint in drawn if hint.hint_id == plan.hint_id)
    alive = [other for other in drawn if other.expires_at > plan.slot]
    assert hint.interval_ms == min(other.interval_ms or 0 for other in alive)


@given(scenes())
def test_when_the_last_hint_has_expired_the_baseline_rules_as_if_there_had_been_none(scene: Scene) -> None:
    end = max((hint.expires_at for hint in scene.endpoint.hints), default=scene.now)
    later = max(end, scene.now)
    assert governor.next_run(later, scene.endpoint) == governor.next_run(later, scene.bare)


@given(scenes(config=UNCLAMPED))
def test_only_the_baseline_of_an_interval_is_backed_off(scene: Scene) -> None:
    rhythm = governor.cadence_slot(scene.now, scene.endpoint)
    calm = governor.cadence_slot(scene.now, scene.endpoint.with_state(failures=0))
    if rhythm is not None and rhythm.source is not Source.BASELINE_INTERVAL:
        assert rhythm == calm


@given(scenes(config=ON_INTERVALS, hinted=False))
def test_a_backed_off_slot_counts_from_the_anchor_and_stays_within_two_to_the_fifth(scene: Scene) -> None:
    plan, state, baseline = planned(scene), scene.endpoint.state, scene.endpoint.config.baseline
    assert plan is not None and isinstance(baseline, IntervalBaseline)
    step = baseline.interval_ms * 2 ** min(state.failures, 5)
    assert (plan.slot - state.anchor) % step == 0
    assert scene.now < plan.slot <= max(scene.now, state.last_slot or 0) + 32 * baseline.interval_ms


@given(scenes(config=UNCLAMPED, hinted=False), st.data())
def test_a_one_shot_runs_first_only_when_it_is_strictly_earlier(scene: Scene, data: st.DataObject) -> None:
    rhythm = planned(scene)
    shot = data.draw(one_shots(scene.now))
    if rhythm is not None and data.draw(st.booleans()):
        shot = replace(shot, first_slot=rhythm.slot, expires_at=rhythm.slot + DAY)
    assume(max(shot.first_slot, scene.now) < shot.expires_at)
    plan = governor.next_run(scene.now, replace(scene.endpoint, hints=(shot,)))
    at = max(shot.first_slot, scene.now)
    if rhythm is None or at < rhythm.slot:
        assert plan is not None and (plan.slot, plan.due, plan.source) == (at, at, Source.AI_ONESHOT)
    else:
        assert plan == rhythm


@given(scenes())
def test_no_one_shot_is_planned_before_the_time_that_was_asked_for(scene: Scene) -> None:
    plan = planned(scene)
    hint = hint_of(scene, plan)
    if plan is not None and hint is not None and plan.trigger.startswith("oneshot/"):
        assert plan.slot >= hint.first_slot


@given(scenes(config=ON_CRON, hinted=False))
def test_cron_stays_on_its_minutes_under_a_min_clamp_too(scene: Scene) -> None:
    plan, baseline = planned(scene), scene.endpoint.config.baseline
    assert plan is not None and isinstance(baseline, CronBaseline)
    if plan.source is not Source.CLAMPED_MAX:
        assert plan.slot % MINUTE == 0
        assert matcher(baseline.cron.expression)(shown(plan.slot // MINUTE, ZoneInfo("UTC")))


@given(scenes())
def test_jitter_delays_within_its_window_without_moving_the_slot_and_always_by_the_same(scene: Scene) -> None:
    plan, calm = planned(scene), governor.next_run(scene.now, without_jitter(scene.endpoint))
    assert plan == planned(scene)
    assert (plan is None) == (calm is None)
    if plan is not None and calm is not None:
        assert plan.slot == calm.slot == calm.due
        assert 0 <= plan.due - plan.slot <= max(scene.endpoint.config.jitter_ms - 1, 0)


@given(scenes(config=UNCLAMPED), st.integers(0, DAY))
def test_looking_again_before_the_slot_finds_the_same_run(scene: Scene, passed: int) -> None:
    plan = planned(scene)
    assume(plan is not None)
    assert plan is not None
    later = min(scene.now + passed, plan.slot - 1)
    assume(later >= scene.now)
    assert governor.next_run(later, scene.endpoint) == plan


@given(scenes(asleep=True))
def test_what_is_shown_is_what_would_run(scene: Scene) -> None:
    found, plan = governor.plan(scene.now, scene.endpoint), planned(scene)
    if not scene.endpoint.state.is_paused(scene.now):
        assert found == (None if plan is None else (plan.due, plan.source))


@given(scenes(hinted=False), st.data())
def test_the_order_in_which_hints_were_stored_does_not_matter(scene: Scene, data: st.DataObject) -> None:
    drawn = data.draw(hints(scene.now))
    shuffled = data.draw(st.permutations(drawn))
    # Equals are told apart by when they were written; the rest is a matter of storage.
    keys = {(hint.kind, hint.interval_ms, hint.created_at, hint.first_slot) for hint in drawn}
    assume(len({(kind, tempo, at) for kind, tempo, at, _ in keys}) == len(drawn))
    one, other = (governor.next_run(scene.now, replace(scene.endpoint, hints=tuple(h))) for h in (drawn, shuffled))
    assert one == other
