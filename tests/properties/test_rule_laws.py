"""Laws of rules: whatever a condition does, whoever looks and whatever dies, each firing is one and is done once."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rubato.domain.errors import WriteRaced
from rubato.domain.firing import Worth, decide, next_wake
from rubato.domain.rule_ledger import Ledger
from rubato.domain.rules import Fire, Rule, read_rules

PRESENT = frozenset({"x"})
DURATIONS = st.sampled_from(["0s", "1s", "7s", "30s", "2m"])


@st.composite
def rules(draw: Any) -> Rule:
    spelled = {
        "name": "r",
        "when": "now",
        "for": draw(DURATIONS),
        "cooldown": draw(DURATIONS),
        "fire": draw(st.sampled_from(["edge", "once"])),
        "then": [{"proposeNextTime": {"endpoint": "x", "runInMs": 0}}],
        "otherwise": [{"clearHints": {"endpoint": "x"}}],
    }
    return read_rules([spelled])[0]


LOOKS = st.lists(st.tuples(st.integers(1, 20_000), st.booleans()), min_size=1, max_size=40)


@given(rules(), LOOKS)
@settings(max_examples=60, deadline=None)
def test_no_rule_fires_twice_in_a_cooldown_nor_before_it_has_held(subject: Rule, looks: list[tuple[int, bool]]) -> None:
    ledger, now, since, fired_in_this = Ledger(job_id="j"), 0, None, False
    fired: list[int] = []
    for gap, is_true in looks:
        now += gap
        count = ledger.state_of(subject).fired_count
        ledger = decide([subject], ledger, {"r": Worth(is_true=is_true)}, PRESENT, now)
        since = None if not is_true else now if since is None else since
        fired_in_this = fired_in_this and is_true
        if ledger.state_of(subject).fired_count > count:
            assert since is not None and now - since >= subject.lasting.ms
            assert not fired or now - fired[-1] >= subject.cooldown.ms
            assert not (fired_in_this and subject.cooldown.ms == 0)
            assert not (fired and subject.fire is Fire.ONCE)
            fired.append(now)
            fired_in_this = True
        wake = next_wake([subject], ledger, now)
        assert wake is None or (is_true and wake > now)


@given(rules(), LOOKS)
@settings(max_examples=60, deadline=None)
def test_a_rule_that_is_looked_at_when_it_asked_to_be_fires_then(subject: Rule, looks: list[tuple[int, bool]]) -> None:
    ledger, now = Ledger(job_id="j"), 0
    for gap, is_true in looks:
        now += gap
        ledger = decide([subject], ledger, {"r": Worth(is_true=is_true)}, PRESENT, now)
    wake = next_wake([subject], ledger, now)
    if wake is not None:
        count = ledger.state_of(subject).fired_count
        early = decide([subject], ledger, {"r": Worth(is_true=True)}, PRESENT, wake - 1)
        assert early.state_of(subject).fired_count == count
        late = decide([subject], ledger, {"r": Worth(is_true=True)}, PRESENT, wake)
        assert late.state_of(subject).fired_count == count + 1


@given(rules(), st.lists(st.tuples(st.integers(0, 5_000), st.booleans(), st.integers(0, 2)), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_of_many_who_look_at_once_with_readings_of_any_age_no_edge_is_fired_twice(
    subject: Rule, looks: list[tuple[int, bool, int]]
) -> None:
    """Each look decides on a ledger that is up to two versions old; the store takes only what was decided on the last."""
    history, now, fired = [Ledger(job_id="j")], 0, []

    def save(before: Ledger, after: Ledger) -> None:
        if before.version != history[-1].version:
            raise WriteRaced("j")
        history.append(replace(after, version=before.version + 1, pending=()))

    for gap, is_true, age in looks:
        now += gap
        known = history[max(len(history) - 1 - age, 0)]
        after = decide([subject], known, {"r": Worth(is_true=is_true)}, PRESENT, now)
        if after == known:
            continue
        try:
            save(known, after)
        except WriteRaced:
            continue
        fired += [(now, deed.number) for deed in after.pending if deed.action == subject.then[0]]
    assert len({number for _, number in fired}) == len(fired)
    for (earlier, _), (later, _) in pairwise(fired):
        assert later - earlier >= subject.cooldown.ms
