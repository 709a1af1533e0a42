"""The laws of claims and of settling, over endpoints that are reached by living and over whole lives."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from rubato.domain import governor, ids, lease, misfire
from rubato.domain.endpoint import Claim, Endpoint, RunStatus
from rubato.domain.instant import HOUR, MINUTE, SECOND
from rubato.domain.schedule import IntervalBaseline
from tests.properties.strategies import LOOK_AHEAD, SHIFTS, Scene, configs, histories, scenes

PROMPT = configs(baselines=st.integers(SECOND, MINUTE).map(IntervalBaseline))
STATUSES = st.sampled_from([RunStatus.SUCCESS, RunStatus.FAILURE])


def settled(endpoint: Endpoint, now: int) -> Endpoint:
    return lease.settle(endpoint, now, LOOK_AHEAD)


@given(histories())
def test_settling_twice_at_one_instant_changes_nothing(scene: Scene) -> None:
    once = settled(scene.endpoint, scene.now)
    assert settled(once, scene.now) == once


@given(scenes(asleep=True))
def test_settling_plans_what_the_governor_shows(scene: Scene) -> None:
    after, shown = settled(scene.endpoint, scene.now).state, governor.plan(scene.now, scene.endpoint)
    if scene.endpoint.state.is_paused(scene.now):
        assert after.next is None and after.claim is None and after.parked
        assert shown is not None and after.wake_at == shown[0]
    else:
        assert shown == (None if after.next is None else (after.next.due, after.next.source))


@given(histories())
def test_what_is_planned_is_claimed_exactly_when_it_is_imminent_and_else_found_by_the_tick(scene: Scene) -> None:
    state = settled(scene.endpoint, scene.now).state
    if state.is_running or state.next is None:
        assert state.is_running or state.claim is None
        return
    assert (state.claim is not None) == (state.next.due <= scene.now + LOOK_AHEAD)
    assert state.claim is None or state.claim.plan == state.next
    assert state.wake_at is not None and state.wake_at <= state.next.due


@given(histories(PROMPT), SHIFTS)
def test_a_claim_that_waits_is_not_replaced_by_a_replan_that_has_nothing_new(scene: Scene, later: int) -> None:
    once = settled(scene.endpoint, scene.now)
    claim = once.state.claim
    assume(claim is not None and claim.started_at is None and not claim.is_manual)
    assert claim is not None
    assume(not once.state.is_paused(scene.now) and claim.plan.source.value not in ("clamped-min", "clamped-max"))
    moment = min(scene.now + later, claim.plan.due)
    assert settled(once, moment).state.claim == claim


@given(histories())
def test_a_paused_endpoint_has_nothing_planned_but_what_is_in_flight(scene: Scene) -> None:
    state = settled(scene.endpoint, scene.now).state
    if state.is_paused(scene.now):
        assert state.is_running or (state.next is None and state.claim is None)


@given(scenes(), st.lists(st.tuples(SHIFTS, SHIFTS, STATUSES), min_size=2, max_size=6))
def test_no_slot_of_the_rhythm_runs_twice_and_none_before_an_earlier_one(
    scene: Scene, days: list[tuple[int, int, RunStatus]]
) -> None:
    seen: set[str] = set()
    latest, endpoint, now = scene.endpoint.state.last_slot, settled(scene.endpoint, scene.now), scene.now
    for delay, duration, status in days:
        plan = endpoint.state.next
        if plan is None or endpoint.state.is_paused(now):
            return
        now = max(plan.due, now) + delay
        run = ran(endpoint, now, duration, status)
        assert latest is None or plan.slot > latest or (plan.trigger != "cadence" and plan.slot == latest)
        run_id = ids.run_id(endpoint.id, plan.slot, plan.trigger)
        assert run_id not in seen
        seen.add(run_id)
        now += duration
        latest, endpoint = plan.slot, settled(run, now)


def ran(endpoint: Endpoint, now: int, duration: int, status: RunStatus) -> Endpoint:
    """From the plan to the end of its run, claimed by the tick where it was not imminent when planned."""
    state = endpoint.state
    if state.claim is None:
        endpoint = replace(endpoint, state=lease.claim_next(endpoint.id, state, now))
    started = lease.start(endpoint, now)
    return lease.finish(started, lease.RunResult(status, now, now + duration), now + duration)


@given(histories(PROMPT), STATUSES)
def test_counters_and_the_fence_never_go_back_and_failures_count_from_the_last_success(
    scene: Scene, status: RunStatus
) -> None:
    claim = scene.endpoint.state.claim
    assume(claim is not None and not claim.is_manual)
    assert claim is not None
    now = max(scene.now, claim.plan.due)
    started = scene.endpoint if claim.started_at is not None else lease.start(scene.endpoint, now)
    before = started.state
    after = settled(lease.finish(started, lease.RunResult(status, now, now), now), now).state
    assert after.skipped >= before.skipped and after.missed >= before.missed and after.fence >= before.fence
    assert after.failures == (0 if status is RunStatus.SUCCESS else before.failures + 1)
    assert after.last_run is not None and after.last_run.run_id == claim.run_id


@given(scenes(), st.integers(0, 40 * HOUR))
def test_a_slot_found_late_is_counted_with_all_that_passed_since_and_the_latest_of_them_runs(
    scene: Scene, outage: int
) -> None:
    planned = settled(scene.endpoint, scene.now)
    late = planned.state.next
    assume(late is not None)
    assert late is not None
    now = late.due + outage
    if not misfire.is_late(planned, now):
        return
    after = misfire.misfire(planned, now).state
    assert after.missed > planned.state.missed and after.claim is None
    assert after.next is None or late.slot <= after.next.slot <= now


@given(st.data(), scenes())
def test_fences_grow_and_a_stale_one_neither_starts_nor_ends_a_run(data: st.DataObject, scene: Scene) -> None:
    endpoint, now = settled(scene.endpoint, scene.now), scene.now
    issued: set[int] = set()
    for _ in range(data.draw(st.integers(1, 8))):
        now += data.draw(SHIFTS)
        before = endpoint.state
        endpoint = data.draw(st.sampled_from([begun, ended, resent, recovered, told, replanned]))(endpoint, now)
        claim = endpoint.state.claim
        fresh = claim is not None and (before.claim is None or claim.fence != before.claim.fence)
        assert not fresh or (claim is not None and claim.fence > max(issued, default=before.fence))
        issued |= set() if claim is None else {claim.fence}
        assert [fence for fence in issued if lease.stands(endpoint.state, fence)] == standing_fence(claim)
        assert not any(
            lease.holds(endpoint.state, fence, now) for fence in issued if claim is None or fence < claim.fence
        )
        assert claim is None or not lease.holds(endpoint.state, claim.fence, claim.lease_until)


def standing_fence(claim: Claim | None) -> list[int]:
    """A claim that somebody started is not for another to start."""
    return [claim.fence] if claim is not None and claim.started_at is None else []


def begun(endpoint: Endpoint, now: int) -> Endpoint:
    claim = endpoint.state.claim
    return (
        endpoint
        if claim is None or claim.started_at is not None or now < claim.plan.due
        else lease.start(endpoint, now)
    )


def ended(endpoint: Endpoint, now: int) -> Endpoint:
    claim = endpoint.state.claim
    if claim is None or claim.started_at is None:
        return endpoint
    return settled(lease.finish(endpoint, lease.RunResult(RunStatus.SUCCESS, now, now), now), now)


def resent(endpoint: Endpoint, now: int) -> Endpoint:
    claim = endpoint.state.claim
    if claim is None or claim.started_at is not None:
        return endpoint
    return replace(endpoint, state=lease.resend(endpoint.state, now))


def recovered(endpoint: Endpoint, now: int) -> Endpoint:
    claim = endpoint.state.claim
    if claim is None or claim.started_at is None or now < claim.lease_until:
        return endpoint
    return replace(endpoint, state=lease.recover(endpoint.state, now))


def told(endpoint: Endpoint, now: int) -> Endpoint:
    return endpoint if endpoint.state.is_running else settled(lease.trigger(endpoint, now), now)


def replanned(endpoint: Endpoint, now: int) -> Endpoint:
    return settled(endpoint, now)
