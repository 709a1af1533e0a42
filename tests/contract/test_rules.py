"""What the stores of rules promise, over memory and over DynamoDB as moto has it."""

from dataclasses import replace
from typing import Any

import pytest

from rubato.domain.errors import WriteRaced
from rubato.domain.jobs import JobStatus
from rubato.domain.rule_ledger import Deed, Episode, Ledger, RuleState, Trouble, TroubleKind
from rubato.domain.rules import ClearHints, PauseUntil, ProposeInterval, ProposeNextTime, RuleAction, read_rules
from rubato.usecases.record_event import event_by
from rubato.usecases.update_job import update_job
from tests.ruled import SURGE
from tests.worlds import ANNE, MALLORY, MIDNIGHT, a_job, an_endpoint

ACTIONS: tuple[RuleAction, ...] = (
    ProposeInterval(endpoint="x", interval_ms=1000, ttl_minutes=3),
    ProposeNextTime(endpoint="x", run_in_ms=0),
    ProposeNextTime(endpoint="x", run_at=MIDNIGHT, ttl_minutes=1),
    PauseUntil(endpoint="x"),
    PauseUntil(endpoint="x", resumes=True),
    PauseUntil(endpoint="x", until=MIDNIGHT),
    PauseUntil(endpoint="x", for_minutes=5),
    ClearHints(endpoint="x"),
)
FULL = Ledger(
    job_id="job_1",
    states=(
        RuleState(name="a", condition="c1", episode=Episode(since=MIDNIGHT, held=True, fired=True), fired_count=2, fired_at=MIDNIGHT),
        RuleState(name="b/ü", condition="c2", episode=Episode(since=MIDNIGHT)),
    ),
    pending=tuple(
        Deed(number=number, rule="a", at=MIDNIGHT, action=action, reason="why")
        for number, action in enumerate(ACTIONS)
    ),
    troubles=(Trouble(rule="a", kind=TroubleKind.ACTION, message="refused", at=MIDNIGHT),),
    deeds=8,
    wake_at=MIDNIGHT + 1,
    spell_at=MIDNIGHT,
    spell=7,
    braked_until=MIDNIGHT + 60_000,
)  # fmt: skip


def test_a_ledger_comes_back_as_it_was_saved_and_a_job_without_one_has_an_empty_one(world: Any) -> None:
    assert world.rule_ledgers.get("job_1") == Ledger(job_id="job_1")
    saved = world.rule_ledgers.save(Ledger(job_id="job_1"), FULL)
    assert saved == replace(FULL, version=1) == world.rule_ledgers.get("job_1")


def test_of_two_who_saw_the_same_ledger_one_writes(world: Any) -> None:
    empty = world.rule_ledgers.get("job_1")
    first = world.rule_ledgers.save(empty, FULL)
    for stale in (empty, replace(first, version=7)):
        with pytest.raises(WriteRaced):
            world.rule_ledgers.save(stale, FULL)
    assert world.rule_ledgers.save(first, replace(first, pending=())).version == 2


def test_a_job_keeps_its_rules_and_zone_as_they_were_written(world: Any) -> None:
    spelled = [
        {**SURGE, "for": "90s", "cooldown": "10m", "fire": "once"},
        {"name": "x", "when": "now", "otherwise": [{"clearHints": {"endpoint": "traffic"}}, {"pauseUntil": {"endpoint": "y", "until": None}}]},
    ]  # fmt: skip
    rules = read_rules(spelled)
    job = update_job(world, ANNE, a_job(world).job_id, lambda old: replace(old, rules=rules, timezone="Asia/Kolkata"))
    stored = world.jobs.get(job.job_id)
    assert (stored.rules, stored.timezone) == (rules, "Asia/Kolkata")


def test_active_jobs_with_rules_are_found_page_by_page_whoever_owns_them(world: Any) -> None:
    made = [a_job(world, caller, name=str(n)).job_id for n, caller in enumerate((ANNE, MALLORY, ANNE, ANNE))]
    for job_id, caller in zip(made[:3], (ANNE, MALLORY, ANNE), strict=True):
        update_job(world, caller, job_id, lambda old: replace(old, rules=read_rules([SURGE])))
    update_job(world, ANNE, made[2], lambda old: replace(old, status=JobStatus.PAUSED))
    first = world.jobs.with_rules(1, None)
    second = world.jobs.with_rules(10, first.next)
    assert sorted((*first.items, *second.items)) == sorted(made[:2]) and second.next is None
    update_job(world, ANNE, made[0], lambda old: replace(old, rules=()))
    assert world.jobs.with_rules(10, None).items == (made[1],)


def test_endpoints_know_whether_rules_hear_of_them(world: Any) -> None:
    endpoint = an_endpoint(world)
    assert world.endpoints.load(endpoint.id).state.ruled is False
    update_job(world, ANNE, endpoint.config.job_id, lambda old: replace(old, rules=read_rules([SURGE])))
    assert world.endpoints.load(endpoint.id).state.ruled is True
    later = an_endpoint(world, job=world.jobs.get(endpoint.config.job_id), name="later")
    assert world.endpoints.load(later.id).state.ruled is True


def test_the_trail_says_whether_an_event_was_written(world: Any) -> None:
    endpoint = an_endpoint(world)
    event = event_by(world, ANNE, endpoint.id, "x", event_id="ev_once")
    assert not world.trail.has(endpoint.id, "ev_once")
    world.endpoints.save(endpoint, endpoint, event)
    assert world.trail.has(endpoint.id, "ev_once") and not world.trail.has("ep_other", "ev_once")
