"""Where hints, one-shots and clamps meet: which of them gives way at the very bound."""

from dataclasses import replace

import pytest

from rubato.domain import governor
from rubato.domain.endpoint import Endpoint
from tests.unit.test_governor import at, cron, endpoint, every, interval_hint, one_shot, planned

CASES = {
    "a hinted slot that the min clamp pushes to the hint's expiry gives way to the baseline": (
        endpoint(every(3600), interval_hint(30, ttl=60), clamp=(60, None)), 3600, "baseline-interval",
    ),
    "just inside the expiry it stays": (
        endpoint(every(3600), interval_hint(30, ttl=60.001), clamp=(60, None)), 60, "clamped-min",
    ),
    "a one-shot that the min clamp pushes to its expiry does not fire": (
        endpoint(every(3600), one_shot(10, ttl=60), clamp=(70, None)), 3600, "baseline-interval",
    ),
    "just inside its expiry it does": (
        endpoint(every(3600), one_shot(10, ttl=60.001), clamp=(70, None)), 70, "clamped-min",
    ),
    "a one-shot at the max clamp is not clamped": (
        endpoint(every(3600), one_shot(60), clamp=(None, 60)), 60, "ai-oneshot",
    ),
    "a one-shot at the min clamp is not clamped": (
        endpoint(every(3600), one_shot(60), clamp=(60, None)), 60, "ai-oneshot",
    ),
    "a clamped hint on a cron baseline goes to the bound, not to the expression's minute": (
        endpoint(cron("0 * * * *"), interval_hint(30), clamp=(45, None)), 45, "clamped-min",
    ),
    "a cron slot exactly at the min clamp is taken": (
        endpoint(cron("* * * * *"), clamp=(120, None)), 120, "clamped-min",
    ),
    "of two one-shots the earlier wins, whichever was written first": (
        endpoint(every(3600), one_shot(90, name="a"), one_shot(60, name="b")), 60, "ai-oneshot",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("subject", "seconds", "source"), CASES.values(), ids=CASES)
def test_at_the_bound(subject: Endpoint, seconds: float, source: str) -> None:
    assert planned(subject) == (seconds, source)


def test_a_run_is_stamped_with_the_hint_that_caused_it_clamped_or_not() -> None:
    for subject, hint_id in (
        (endpoint(every(3600), interval_hint(30)), "hint_i"),
        (endpoint(every(3600), interval_hint(30), clamp=(45, None)), "hint_i"),
        (endpoint(every(3600), one_shot(30)), "hint_o"),
        (endpoint(every(3600), one_shot(30), clamp=(45, None)), "hint_o"),
        (endpoint(every(3600)), None),
    ):
        upcoming = governor.next_run(at(0), subject)
        assert upcoming is not None and upcoming.hint_id == hint_id


def test_a_clamped_one_shot_is_still_the_one_that_is_used_up() -> None:
    upcoming = governor.next_run(at(0), endpoint(every(3600), one_shot(30), clamp=(45, None)))
    assert upcoming is not None and upcoming.trigger == "oneshot/hint_o"


def test_of_one_shots_at_one_time_the_one_written_first_goes_first() -> None:
    later = replace(one_shot(60, name="a"), created_at=at(1))
    upcoming = governor.next_run(at(2), endpoint(every(3600), later, one_shot(60, name="b")))
    assert upcoming is not None and upcoming.hint_id == "hint_b"
