"""Every example of the design's semantics, and the rules between them. Instants are seconds after midnight."""

from dataclasses import replace
from typing import Any

import pytest

from rubato.domain import governor, lease
from rubato.domain.cron import CronExpression
from rubato.domain.endpoint import (
    Clamp,
    Endpoint,
    EndpointConfig,
    EndpointState,
    MissedRuns,
    Pause,
    RunStatus,
    Source,
    TargetRequest,
)
from rubato.domain.hints import Actor, ActorKind, Hint, HintKind
from rubato.domain.instant import DAY, HOUR, MINUTE, SECOND
from rubato.domain.schedule import Baseline, CronBaseline, IntervalBaseline, ManualBaseline
from tests.worlds import MIDNIGHT

ANNE = Actor(id="key_anne", kind=ActorKind.HUMAN)
LOOK_AHEAD = 2 * MINUTE


def every(seconds: float) -> IntervalBaseline:
    return IntervalBaseline(round(seconds * SECOND))


def cron(expression: str) -> CronBaseline:
    return CronBaseline(CronExpression.parse(expression))


def at(seconds: float) -> int:
    return MIDNIGHT + round(seconds * SECOND)


def endpoint(
    baseline: Baseline, *hints: Hint, clamp: tuple[float | None, float | None] = (None, None), **state: Any
) -> Endpoint:
    """By default: now = anchor = last run = midnight."""
    low, high = (None if bound is None else round(bound * SECOND) for bound in clamp)
    config = EndpointConfig(
        endpoint_id="ep_01JGFJJZ00DE3B4WZZ6KYE37BB",
        tenant_id="acme",
        job_id="job_1",
        name="probe",
        request=TargetRequest(url="https://example.com/"),
        baseline=baseline,
        clamp=Clamp(min_interval_ms=low, max_interval_ms=high),
        created_at=MIDNIGHT,
        updated_at=MIDNIGHT,
    )
    return Endpoint(
        config=config, state=EndpointState(**{"anchor": MIDNIGHT, "last_slot": MIDNIGHT, **state}), hints=hints
    )


def interval_hint(
    seconds: float, written: float = 0, first: float | None = None, ttl: float = 3600, name: str = "i"
) -> Hint:
    return Hint(
        hint_id=f"hint_{name}",
        kind=HintKind.INTERVAL,
        author=ANNE,
        created_at=at(written),
        expires_at=at(written + ttl),
        first_slot=at(max(seconds, written) if first is None else first),
        interval_ms=round(seconds * SECOND),
    )


def one_shot(seconds: float, ttl: float = 1800, name: str = "o") -> Hint:
    return Hint(
        hint_id=f"hint_{name}",
        kind=HintKind.ONE_SHOT,
        author=ANNE,
        created_at=MIDNIGHT,
        expires_at=at(seconds + ttl),
        first_slot=at(seconds),
    )


def planned(subject: Endpoint, now: float = 0) -> tuple[float | None, str] | None:
    found = governor.plan(at(now), subject)
    if found is None:
        return None
    due, source = found
    return (None if due is None else (due - MIDNIGHT) / SECOND, source.value)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 60), (1, 120), (2, 240), (3, 480), (4, 960), (5, 1920), (9, 1920)]
)
def test_backoff_doubles_a_baseline_interval_up_to_five_times(failures: int, seconds: int) -> None:
    assert planned(endpoint(every(60), failures=failures)) == (seconds, "baseline-interval")


FOREVER = Pause(since=MIDNIGHT, by=ANNE)
EXAMPLES = {
    "60 s, 5 failures, max 300 s": (endpoint(every(60), clamp=(None, 300), failures=5), 300, "clamped-max"),
    "300 s, live hint 60 s": (endpoint(every(300), interval_hint(60)), 60, "ai-interval"),
    "15 s, live hint 30 s: longer wins too": (endpoint(every(15), interval_hint(30)), 30, "ai-interval"),
    "cron hourly, hint 30 s": (endpoint(cron("0 * * * *"), interval_hint(30)), 30, "ai-interval"),
    "60 s, 5 failures, hint 120 s: no backoff": (
        endpoint(every(60), interval_hint(120), failures=5),
        120,
        "ai-interval",
    ),
    "two hints: the tightest": (
        endpoint(every(300), interval_hint(90, name="a"), interval_hint(45, name="b")),
        45,
        "ai-interval",
    ),
    "300 s, one-shot +120 s": (endpoint(every(300), one_shot(120)), 120, "ai-oneshot"),
    "300 s, one-shot +600 s waits": (endpoint(every(300), one_shot(600)), 300, "baseline-interval"),
    "300 s, one-shot +300 s: a tie goes to the cadence": (
        endpoint(every(300), one_shot(300)),
        300,
        "baseline-interval",
    ),
    "hint 120 s and one-shot +90 s": (endpoint(every(300), interval_hint(120), one_shot(90)), 90, "ai-oneshot"),
    "10 s, min 60 s": (endpoint(every(10), clamp=(60, None)), 60, "clamped-min"),
    "60 s, min 60 s: equal is not clamped": (endpoint(every(60), clamp=(60, None)), 60, "baseline-interval"),
    "60 s, max 60 s: equal is not clamped": (endpoint(every(60), clamp=(None, 60)), 60, "baseline-interval"),
    "cron each minute, min 90 s": (endpoint(cron("* * * * *"), clamp=(90, None)), 120, "clamped-min"),
    "cron 02:00, max 3600 s": (endpoint(cron("0 2 * * *"), clamp=(None, 3600)), 3600, "clamped-max"),
    "paused for 2 days, max 60 s": (
        endpoint(every(300), clamp=(None, 60), pause=Pause(since=MIDNIGHT, by=ANNE, until=MIDNIGHT + 2 * DAY)),
        2 * DAY / SECOND,
        "paused",
    ),
    "cron hourly at exactly 00:00": (endpoint(cron("0 * * * *")), 3600, "baseline-cron"),
    "paused until now is not paused": (
        endpoint(every(60), pause=Pause(since=MIDNIGHT, by=ANNE, until=MIDNIGHT)),
        60,
        "baseline-interval",
    ),
    "paused indefinitely": (endpoint(every(60), interval_hint(5), pause=FOREVER), None, "paused"),
    "held by its job": (endpoint(every(60), held=True), None, "paused"),
    "a one-shot inside the min clamp is moved": (
        endpoint(every(300), one_shot(30), clamp=(60, None)),
        60,
        "clamped-min",
    ),
    "a one-shot on a dormant endpoint": (endpoint(ManualBaseline(), one_shot(120)), 120, "ai-oneshot"),
    "a one-shot on a dormant endpoint beyond max keeps its time": (
        endpoint(ManualBaseline(), one_shot(120), clamp=(None, 60)),
        120,
        "ai-oneshot",
    ),
    "a one-shot beyond max does not fire early: the cadence is brought forward": (
        endpoint(every(300), one_shot(120), clamp=(None, 60)),
        60,
        "clamped-max",
    ),
    "a one-shot in the past and alive: now": (endpoint(every(300), one_shot(-10)), 0, "ai-oneshot"),
    "a one-shot in the past and expired": (endpoint(every(300), one_shot(-10, ttl=10)), 300, "baseline-interval"),
    "a hinted slot beyond the expiry gives way to the baseline after the expiry": (
        endpoint(every(60), interval_hint(3600, ttl=600)),
        660,
        "baseline-interval",
    ),
    "a hinted slot at the expiry is gone": (
        endpoint(every(500), interval_hint(100, ttl=100)),
        500,
        "baseline-interval",
    ),
    "when the tightest expires before its slot the next tightest rules": (
        endpoint(every(3600), interval_hint(100, ttl=50, name="a"), interval_hint(120, name="b")),
        120,
        "ai-interval",
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_of_the_semantics(name: str) -> None:
    subject, seconds, source = EXAMPLES[name]
    assert planned(subject) == (seconds, source)


def test_a_dormant_endpoint_has_no_next_run_even_with_a_max_clamp() -> None:
    assert planned(endpoint(ManualBaseline(), clamp=(None, 60))) is None


def test_expiry_is_strict_to_the_millisecond() -> None:
    at_expiry = endpoint(every(300), interval_hint(60, ttl=90))
    assert planned(at_expiry, now=90) == (300, "baseline-interval")
    assert planned(at_expiry, now=89.999) == (300, "baseline-interval")
    assert planned(endpoint(every(300), interval_hint(60, ttl=60.001)), now=59.9) == (60, "ai-interval")
    assert planned(endpoint(every(300), interval_hint(60, ttl=60)), now=59.9) == (300, "baseline-interval")


def test_clamps_wait_for_a_first_run() -> None:
    subject = endpoint(cron("* * * * *"), clamp=(60, None), anchor=at(31), last_slot=None)
    assert planned(subject, now=31) == (60, "baseline-cron")
    ran = subject.with_state(anchor=at(60), last_slot=at(60))
    assert planned(ran, now=60) == (120, "baseline-cron")


def test_a_hint_may_run_in_the_moment_in_which_it_was_written_and_then_keeps_its_own_grid() -> None:
    subject = endpoint(every(3600), interval_hint(30, written=70))
    assert planned(subject, now=70) == (70, "ai-interval")
    ran = subject.with_state(anchor=at(70), last_slot=at(70))
    assert planned(ran, now=70.2) == (100, "ai-interval")


def test_a_one_shot_does_not_move_the_grid_of_a_hint() -> None:
    ran = endpoint(every(300), interval_hint(120), last_slot=at(90))
    assert planned(ran, now=90) == (120, "ai-interval")
    assert planned(ran.with_state(anchor=at(120), last_slot=at(120)), now=120) == (240, "ai-interval")


def test_a_clamp_does_not_move_the_grid() -> None:
    ran = endpoint(every(25), clamp=(60, None), last_slot=at(60))
    assert planned(ran, now=60) == (120, "clamped-min")
    assert planned(endpoint(every(25), last_slot=at(60)), now=60) == (75, "baseline-interval")


def test_a_clock_that_lags_behind_the_last_run_plans_no_slot_twice() -> None:
    assert planned(endpoint(every(60), anchor=at(60), last_slot=at(60)), now=55) == (120, "baseline-interval")
    assert planned(endpoint(cron("* * * * *"), last_slot=at(60)), now=55) == (120, "baseline-cron")


def test_jitter_delays_by_less_than_it_says_and_always_the_same() -> None:
    subject = endpoint(every(60))
    subject = replace(subject, config=replace(subject.config, jitter_ms=10_000))
    first = governor.next_run(MIDNIGHT, subject)
    assert first is not None and first.slot == at(60) and 0 <= first.due - first.slot < 10_000
    assert governor.next_run(MIDNIGHT, subject) == first
    spread = {governor.jitter_ms("ep_1", slot, 1000) for slot in range(0, 100_000, 1000)}
    assert len(spread) > 50 and max(spread) < 1000


def test_jitter_stays_below_the_gap_of_a_cron_expression() -> None:
    subject = endpoint(cron("* * * * *"))
    subject = replace(subject, config=replace(subject.config, jitter_ms=10 * HOUR))
    now = MIDNIGHT
    for _ in range(50):
        following = governor.next_run(now, subject)
        assert following is not None and following.due < following.slot + MINUTE
        now = following.slot


def settled(subject: Endpoint, now: float) -> Endpoint:
    return lease.settle(subject, at(now), LOOK_AHEAD)


def next_of(subject: Endpoint) -> tuple[float, Source] | None:
    upcoming = subject.state.next
    return None if upcoming is None else ((upcoming.slot - MIDNIGHT) / SECOND, upcoming.source)


def paused(subject: Endpoint, now: float, until: float | None = None) -> Endpoint:
    pause = Pause(since=at(now), by=ANNE, until=None if until is None else at(until))
    return settled(subject.with_state(pause=pause), now)


def test_a_resume_runs_a_slot_that_fell_inside_the_pause_once_at_that_moment_then_the_grid_goes_on() -> None:
    resting = paused(settled(endpoint(every(60)), 0), 30)
    assert resting.state.claim is None and resting.state.wake_at is None
    resumed = settled(resting.with_state(pause=None), 320)
    assert next_of(resumed) == (320, Source.BASELINE_INTERVAL)
    started = lease.start(resumed, at(320))
    ended = lease.finish(started, lease.RunResult(RunStatus.SUCCESS, at(320), at(321)), at(321))
    assert next_of(settled(ended, 321)) == (360, Source.BASELINE_INTERVAL)


def test_a_resume_before_the_slot_waits_for_it() -> None:
    resting = paused(settled(endpoint(every(60)), 0), 10)
    assert next_of(settled(resting.with_state(pause=None), 40)) == (60, Source.BASELINE_INTERVAL)


def test_the_end_of_a_timed_pause_is_a_resume_at_that_very_moment() -> None:
    resting = paused(settled(endpoint(every(60)), 0), 30, until=200)
    assert resting.state.wake_at == at(200)
    assert next_of(settled(resting, 207)) == (200, Source.BASELINE_INTERVAL)


def test_with_the_skip_policy_a_resume_waits_for_the_next_grid_slot() -> None:
    subject = endpoint(every(60))
    subject = replace(subject, config=replace(subject.config, missed_runs=MissedRuns.SKIP))
    resting = paused(settled(subject, 0), 30)
    assert next_of(settled(resting.with_state(pause=None), 320)) == (360, Source.BASELINE_INTERVAL)


def test_settling_twice_at_one_instant_changes_nothing() -> None:
    for subject, _, _ in EXAMPLES.values():
        once = settled(subject, 0)
        assert settled(once, 0) == once


def test_a_replan_that_changes_nothing_keeps_the_claim_that_waits_on_the_queue() -> None:
    claimed = settled(endpoint(every(60)), 0)
    assert claimed.state.claim is not None
    assert settled(claimed, 30).state.claim == claimed.state.claim


def test_a_replan_does_not_lose_a_run_that_is_due_but_not_started() -> None:
    claimed = settled(endpoint(every(60)), 0)
    assert settled(claimed, 62).state.claim == claimed.state.claim


def test_a_sooner_run_takes_the_place_of_a_claimed_one_under_a_new_fence() -> None:
    claimed = settled(endpoint(every(60)), 0)
    hinted = settled(replace(claimed, hints=(interval_hint(10, written=5),)), 5)
    assert claimed.state.claim is not None and hinted.state.claim is not None
    assert next_of(hinted) == (10, Source.AI_INTERVAL)
    assert hinted.state.claim.fence > claimed.state.claim.fence
    assert not lease.stands(hinted.state, claimed.state.claim.fence)


def test_a_one_shot_is_used_up_by_its_run() -> None:
    claimed = settled(endpoint(every(300), one_shot(30)), 0)
    started = lease.start(claimed, at(30))
    assert started.state.anchor == MIDNIGHT
    ended = lease.finish(started, lease.RunResult(RunStatus.SUCCESS, at(30), at(31)), at(31))
    assert ended.hints == ()
    assert next_of(settled(ended, 31)) == (300, Source.BASELINE_INTERVAL)


def test_hints_cleared_the_slot_that_was_never_due_does_not_run() -> None:
    subject = settled(endpoint(every(60), interval_hint(3600)), 0)
    assert next_of(settled(replace(subject, hints=()), 70)) == (120, Source.BASELINE_INTERVAL)
