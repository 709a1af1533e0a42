"""Counters of use, and who follows whom, over the fakes and over DynamoDB."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from rubato.domain.access import Caller
from rubato.domain.endpoint import RunStatus, Skip
from rubato.domain.errors import LimitReached
from rubato.domain.exchange import Attempt, ErrorKind
from rubato.domain.instant import MINUTE
from rubato.domain.schedule import AfterBaseline, IntervalBaseline
from rubato.usecases.update_endpoint import delete_endpoint
from tests.worlds import ANNE, MIDNIGHT, a_job, an_endpoint

DAY = "2025-01-01"


def edit(world: Any, endpoint_id: str, **changes: Any) -> None:
    before = world.endpoints.load(endpoint_id)
    world.endpoints.save(before, replace(before, config=replace(before.config, **changes)))


def test_followers_are_found_by_the_name_that_they_follow_and_leave_with_it(world: Any) -> None:
    job = a_job(world)
    for name in ("a", "b"):
        an_endpoint(world, job=job, name=name)
    first = an_endpoint(world, AfterBaseline(("a", "b")), job=job, name="first")
    second = an_endpoint(world, AfterBaseline(("a",)), job=job, name="second")
    assert sorted(world.endpoints.followers(job.job_id, "a")) == sorted([first.id, second.id])
    assert world.endpoints.followers(job.job_id, "b") == [first.id]
    edit(world, first.id, baseline=AfterBaseline(("b",)))
    assert world.endpoints.followers(job.job_id, "a") == [second.id]
    edit(world, second.id, baseline=IntervalBaseline(MINUTE), name="renamed")
    delete_endpoint(world, ANNE, first.id)
    assert world.endpoints.followers(job.job_id, "a") == world.endpoints.followers(job.job_id, "b") == []


def test_names_are_those_of_the_job_and_of_endpoints_that_exist(world: Any) -> None:
    job = a_job(world)
    made = {name: an_endpoint(world, job=job, name=name).id for name in ("a", "b", "n#a")}
    an_endpoint(world, job=a_job(world, name="other"), name="c")
    delete_endpoint(world, ANNE, made["b"])
    assert world.endpoints.named(job.job_id, ("a", "b", "c", "n#a", "a")) == {"a": made["a"], "n#a": made["n#a"]}
    assert world.endpoints.named(job.job_id, ()) == {}


def test_what_a_state_knows_of_others_and_of_its_attempts_comes_back_as_stored(world: Any) -> None:
    endpoint = an_endpoint(world)
    before = world.endpoints.load(endpoint.id)
    claim = replace(
        before.state.claim,
        retry_at=MIDNIGHT + 5,
        attempt=2,
        tried=(
            Attempt(attempt=1, started_at=MIDNIGHT, duration_ms=3, status_code=503, error_kind=ErrorKind.HTTP_STATUS),
        ),
    )
    after = replace(
        before.state,
        claim=claim,
        outcome=RunStatus.FAILURE,
        succeeded_at=MIDNIGHT,
        heard=(("a", 1), ("b", 2)),
        passed=MIDNIGHT + 7,
        last_skip=Skip(slot=MIDNIGHT, reason="closed"),
    )
    saved = world.endpoints.save_state(endpoint.id, before.state, after)
    assert world.endpoints.load(endpoint.id).state == saved
    assert world.endpoints.states([endpoint.id], latest=True) == {endpoint.id: saved}


def test_endpoints_are_counted_by_tenant_and_a_quota_refuses_one_too_many(world: Any) -> None:
    other = Caller(tenant_id="other", key_id="key_o", kind=ANNE.kind, scopes=ANNE.scopes)
    job = a_job(world)
    made = [an_endpoint(world, job=job, name=name) for name in "ab"]
    an_endpoint(world, job=a_job(world, other), caller=other)
    extra = replace(made[0], config=replace(made[0].config, name="c", endpoint_id="ep_" + "Z" * 26))
    event = world.trail.of_subject(made[0].id, 1, None).items[0]
    with pytest.raises(LimitReached, match="2 endpoints"):
        world.endpoints.create(extra, event, 2)
    assert world.endpoints.load(extra.id) is None
    delete_endpoint(world, ANNE, made[1].id)
    world.endpoints.create(extra, event, 2)
    assert world.usage.of("acme", DAY).endpoints == 2 and world.usage.of("other", DAY).endpoints == 1
    assert world.usage.of("nobody", DAY).endpoints == 0


def test_runs_are_counted_up_to_the_limit_and_each_day_for_itself(world: Any) -> None:
    assert [world.usage.take_run("acme", DAY, 2) for _ in range(4)] == [True, True, False, False]
    world.usage.note_run("acme", DAY)
    world.usage.note_run("acme", "2025-01-02")
    world.usage.flush()
    world.usage.flush()
    assert world.usage.of("acme", DAY).runs_today == 3
    assert world.usage.of("acme", "2025-01-02").runs_today == 1


def test_runs_of_synthetic_jobs_are_counted_by_themselves_and_not_told(world: Any) -> None:
    assert [world.usage.take_run("acme", DAY, 2, synthetic=True) for _ in range(3)] == [True, True, False]
    assert world.usage.of("acme", DAY).runs_today == 0 and world.usage.take_run("acme", DAY, 1)
    assert world.usage.of("acme", DAY).runs_today == 1 and not world.usage.take_run("acme", DAY, 1)


def test_the_mark_of_a_synthetic_job_comes_back_as_stored_and_goes(world: Any) -> None:
    endpoint = an_endpoint(world)
    for mark in (True, False):
        before = world.endpoints.load(endpoint.id)
        world.endpoints.save_state(endpoint.id, before.state, replace(before.state, synthetic=mark))
        assert world.endpoints.load(endpoint.id).state.synthetic is mark


def test_who_was_held_back_by_which_limit_is_remembered_until_forgotten(world: Any) -> None:
    world.usage.note_over("acme", DAY, 5)
    world.usage.note_over("acme", DAY, 5)
    world.usage.note_over("other", DAY, 5)
    world.usage.note_over("acme", DAY, 6)
    assert world.usage.over(DAY) == {"acme": 6, "other": 5} and world.usage.over("2025-01-02") == {}
    world.usage.forget_over("acme", DAY)
    assert world.usage.over(DAY) == {"other": 5}


def test_noted_runs_of_many_threads_are_all_counted(world: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: world.usage.note_run("acme", DAY), range(200)))
    world.usage.flush()
    assert world.usage.of("acme", DAY).runs_today == 200
