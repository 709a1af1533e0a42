"""When rules fire, as tables: what the condition is worth at which second, and what is done at which."""

from typing import Any

import pytest

from rubato.domain.firing import Worth, decide, next_wake
from rubato.domain.rule_ledger import Ledger
from rubato.domain.rules import Rule, read_rules

THEN = [{"proposeNextTime": {"endpoint": "x", "runInMs": 0}}]
OTHERWISE = [{"clearHints": {"endpoint": "x"}}]
PRESENT = frozenset({"x"})


def rule(**given: Any) -> Rule:
    (read,) = read_rules([{"name": "r", "when": "now", "then": THEN, "otherwise": OTHERWISE, **given}])
    return read


def play(subject: Rule, looks: list[tuple[float, Any]]) -> list[tuple[float, str]]:
    """(second, worth) in; (second, then or otherwise) out. Worth: true, false, or `error`, or `absent`."""
    ledger, done = Ledger(job_id="j"), []
    for second, value in looks:
        worth = Worth(is_true=value is True or value == "absent", error="odd" if value == "error" else None)
        present = frozenset() if value == "absent" else PRESENT
        ledger = decide([subject], ledger, {"r": worth}, present, round(second * 1000))
        done += [(second, "then" if deed.action == subject.then[0] else "otherwise") for deed in ledger.pending]
        ledger = ledger.done([deed.number for deed in ledger.pending])
    return done


T, F = True, False


@pytest.mark.parametrize(
    ("given", "looks", "done"),
    [
        # each time it turns true, and once only while it stays so
        ({}, [(0, T), (10, T), (20, F), (30, T)], [(0, "then"), (20, "otherwise"), (30, "then")]),
        ({}, [(0, F), (10, F)], []),
        # again after each cooldown while true, and not within
        ({"cooldown": "60s"}, [(0, T), (59.999, T), (60, T), (90, T), (120, T)], [(0, "then"), (60, "then"), (120, "then")]),
        ({"cooldown": "60s"}, [(0, T), (10, F), (20, T), (60, T)], [(0, "then"), (10, "otherwise"), (60, "then")]),
        ({"cooldown": "60s"}, [(0, T), (10, F), (20, T), (30, F), (90, T)], [(0, "then"), (10, "otherwise"), (30, "otherwise"), (90, "then")]),
        ({"cooldown": "60s"}, [(0, T), (200, T), (250, T)], [(0, "then"), (200, "then")]),
        # it must have held for so long; a blip lets go of nothing
        ({"for": "90s"}, [(0, T), (89.999, T), (90, T), (100, T)], [(90, "then")]),
        ({"for": "90s"}, [(0, T), (80, F), (100, T), (180, T), (190, T)], [(190, "then")]),
        ({"for": "90s"}, [(0, T), (95, F)], []),
        ({"for": "90s", "cooldown": "10s"}, [(0, T), (90, T), (99, T), (100, T)], [(90, "then"), (100, "then")]),
        ({"for": "90s"}, [(0, T), (90, T), (91, F), (92, T), (181, T), (182, T)], [(90, "then"), (91, "otherwise"), (182, "then")]),
        # once ever
        ({"fire": "once"}, [(0, T), (10, F), (20, T)], [(0, "then"), (10, "otherwise")]),
        ({"fire": "once", "cooldown": "10s"}, [(0, T), (10, T), (20, T)], [(0, "then")]),
        ({"fire": "once", "for": "10s"}, [(0, T), (10, T), (20, T)], [(10, "then")]),
        # what can't be told leaves everything as it was
        ({}, [(0, T), (10, "error"), (20, T), (30, F)], [(0, "then"), (30, "otherwise")]),
        ({"for": "30s"}, [(0, T), (10, "error"), (30, T)], [(30, "then")]),
        ({}, [(0, "error")], []),
        # an endpoint that is missing: then as if new, but for what had held: that lets go of the others
        ({}, [(0, "absent"), (10, "absent"), (20, T)], [(20, "then")]),
        ({}, [(0, T), (10, "absent"), (20, F)], [(0, "then"), (20, "otherwise")]),
        ({"for": "30s"}, [(0, T), (10, "absent"), (30, T), (60, T)], [(60, "then")]),
        # a clock that is behind moves nothing
        ({"cooldown": "60s"}, [(100, T), (95, T), (160, T)], [(100, "then"), (160, "then")]),
    ],
)  # fmt: skip
def test_a_rule_does_what_the_table_says(
    given: dict[str, Any], looks: list[tuple[float, Any]], done: list[tuple[float, str]]
) -> None:
    assert play(rule(**given), looks) == done


@pytest.mark.parametrize(
    ("given", "looks", "wake"),
    [
        ({"for": "90s"}, [(0, T)], 90),
        ({"for": "90s"}, [(0, T), (90, T)], None),
        ({"cooldown": "10m"}, [(5, T)], 605),
        ({"cooldown": "10m"}, [(5, T), (10, F)], None),
        ({"cooldown": "10m"}, [(5, T), (10, F), (20, T)], 605),
        ({"cooldown": "10m", "for": "20m"}, [(0, T)], 1200),
        ({"cooldown": "10m", "fire": "once"}, [(0, T)], None),
        ({}, [(0, T)], None),
        ({}, [(0, F)], None),
    ],
)
def test_a_rule_that_time_alone_would_fire_wakes_itself_then(
    given: dict[str, Any], looks: list[tuple[float, Any]], wake: float | None
) -> None:
    subject, ledger = rule(**given), Ledger(job_id="j")
    for second, value in looks:
        ledger = decide([subject], ledger, {"r": Worth(is_true=value)}, PRESENT, round(second * 1000))
    assert next_wake([subject], ledger, round(looks[-1][0] * 1000)) == (None if wake is None else wake * 1000)


def test_a_look_that_changes_nothing_leaves_the_ledger_as_it_was() -> None:
    subject, ledger = rule(cooldown="1h"), Ledger(job_id="j")
    ledger = decide([subject], ledger, {"r": Worth(is_true=True)}, PRESENT, 0)
    for second in (1, 60, 3599):
        assert decide([subject], ledger, {"r": Worth(is_true=True)}, PRESENT, second * 1000) == ledger


def test_each_deed_has_a_number_of_its_own_whatever_becomes_of_the_rule() -> None:
    ledger, numbers = Ledger(job_id="j"), []
    for second, when in enumerate(("a", "b", "a", "b")):
        ledger = decide([rule(when=when)], ledger, {"r": Worth(is_true=True)}, PRESENT, second * 1000)
        numbers += [deed.number for deed in ledger.pending]
        ledger = ledger.done(numbers)
    assert numbers == [1, 2, 3, 4]
