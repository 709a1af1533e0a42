"""What the properties found, each as the smallest story that shows it. The law that was broken is the test's name."""

from dataclasses import replace

from rubato.domain import edits, lease
from rubato.domain.endpoint import RunStatus, Source
from rubato.domain.schedule import ManualBaseline
from tests.unit.test_governor import at, cron, endpoint, every, interval_hint, next_of, paused, settled


def test_a_slot_that_comes_after_the_resume_but_during_a_run_now_is_overlapped_and_not_caught_up() -> None:
    resting = paused(settled(endpoint(every(60)), 0), 10)
    running = lease.start(settled(lease.trigger(resting, at(15)), 15), at(15))
    resumed = settled(running.with_state(pause=None), 20)
    ended = settled(lease.finish(resumed, lease.RunResult(RunStatus.SUCCESS, at(15), at(65)), at(65)), 65)
    assert next_of(ended) == (120, Source.BASELINE_INTERVAL)
    assert ended.state.skipped == 1


def test_a_baseline_made_manual_during_a_run_now_leaves_no_slot_of_the_old_one_to_run() -> None:
    running = lease.start(settled(lease.trigger(settled(endpoint(every(60)), 0), at(50)), 50), at(50))
    dormant = replace(running.config, baseline=ManualBaseline())
    edited = settled(edits.configured(running, dormant, at(55)), 55)
    ended = settled(lease.finish(edited, lease.RunResult(RunStatus.SUCCESS, at(50), at(65)), at(65)), 65)
    assert next_of(ended) is None and ended.state.claim is None


def test_the_skipped_count_never_goes_back_when_a_hint_replaces_the_rhythm_during_a_run_now() -> None:
    subject = endpoint(cron("* * * * *"))
    subject = settled(replace(subject, config=replace(subject.config, jitter_ms=5000)), 0)
    running = lease.start(settled(lease.trigger(subject, at(1)), 1), at(1))
    assert running.state.next is not None and running.state.next.slot == at(60) < running.state.next.due
    hinted = settled(replace(running, hints=(interval_hint(90, written=2),)), 2)
    ended = lease.finish(hinted, lease.RunResult(RunStatus.SUCCESS, at(1), at(60)), at(60))
    assert ended.state.skipped == 0
