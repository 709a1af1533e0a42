"""What every store promises. Each test runs over the memory store and over DynamoDB."""

import random
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from rubato.domain import edits, ids, lease
from rubato.domain.endpoint import (
    Clamp,
    Endpoint,
    MissedRuns,
    Pause,
    PlannerPower,
    RunStatus,
    Source,
    TargetRequest,
    Tier,
)
from rubato.domain.errors import Conflict, WriteRaced
from rubato.domain.exchange import Attempt, ErrorKind
from rubato.domain.grip import Grip
from rubato.domain.hints import Actor, ActorKind, Hint, HintKind
from rubato.domain.instant import HOUR, MINUTE, SECOND
from rubato.domain.jobs import JobStatus
from rubato.domain.runs import ReceivedResponse, Run, SentRequest
from rubato.domain.schedule import IntervalBaseline, ManualBaseline
from rubato.ports import RunFilter
from rubato.usecases.record_event import event_by
from rubato.usecases.update_job import update_job
from tests.worlds import ANNE, MALLORY, MIDNIGHT, Stage, a_job, an_endpoint


def loaded(world: Any, endpoint: Endpoint) -> Endpoint:
    found: Endpoint | None = world.endpoints.load(endpoint.id)
    assert found is not None
    return found


def a_hint(number: int = 1) -> Hint:
    return Hint(
        hint_id=f"hint_{number}",
        kind=HintKind.INTERVAL,
        author=Actor(id="key_anne", kind=ActorKind.HUMAN),
        created_at=MIDNIGHT,
        expires_at=MIDNIGHT + HOUR,
        first_slot=MIDNIGHT + MINUTE,
        interval_ms=MINUTE,
        reason="sale",
    )


def a_run(endpoint: Endpoint, slot_s: int, status: RunStatus = RunStatus.SUCCESS, attempt: int = 1) -> Run:
    slot = MIDNIGHT + slot_s * SECOND
    return Run(
        run_id=ids.run_id(endpoint.id, slot, "cadence"),
        tenant_id=endpoint.config.tenant_id,
        job_id=endpoint.config.job_id,
        endpoint_id=endpoint.id,
        slot=slot,
        due_at=slot,
        source=Source.BASELINE_INTERVAL,
        status=status,
        started_at=slot + 3,
        attempt=attempt,
        finished_at=slot + 10,
        status_code=200,
    )


def test_an_endpoint_comes_back_exactly_as_it_was_stored(world: Any) -> None:
    endpoint = an_endpoint(
        world,
        request=TargetRequest(
            url="http://127.0.0.1/x", method="POST", headers=(("X-A", "ü"),), body={"n": [1, None, 2.5]}
        ),
        description="ends with ✓",
        clamp=Clamp(min_interval_ms=1000, max_interval_ms=HOUR),
        missed_runs=MissedRuns.SKIP,
        max_lateness_ms=5000,
        jitter_ms=100,
        auto_pause_after=3,
        tier=Tier.HEALTH,
        planner=PlannerPower.MAY_RESUME,
        success_codes=("200", "404"),
        metadata={"team": {"name": "web"}},
    )
    assert loaded(world, endpoint) == endpoint


def test_hints_pause_and_claim_survive_the_store(world: Any) -> None:
    endpoint = an_endpoint(world)
    paused = endpoint.with_state(
        pause=Pause(
            since=MIDNIGHT, by=Actor(id="key_anne", kind=ActorKind.HUMAN), until=MIDNIGHT + HOUR, reason="calm"
        ),
        parked=True,
        shadow=MIDNIGHT + 5,
    )
    saved = world.endpoints.save(endpoint, replace(paused, hints=(a_hint(),)))
    assert loaded(world, endpoint) == saved


def test_of_two_writers_that_read_the_same_version_one_is_refused(world: Any) -> None:
    endpoint = an_endpoint(world)
    world.endpoints.save(endpoint, endpoint.with_state(failures=1))
    with pytest.raises(WriteRaced):
        world.endpoints.save(endpoint, endpoint.with_state(failures=2))
    with pytest.raises(WriteRaced):
        world.endpoints.save_state(endpoint.id, endpoint.state, replace(endpoint.state, failures=3))
    assert loaded(world, endpoint).state.failures == 1


def test_a_refused_write_leaves_no_hint_and_no_event_behind(world: Any) -> None:
    endpoint = an_endpoint(world)
    world.endpoints.save(endpoint, endpoint.with_state(failures=1))
    event = event_by(world, ANNE, endpoint.id, "applyIntervalHint")
    with pytest.raises(WriteRaced):
        world.endpoints.save(endpoint, replace(endpoint, hints=(a_hint(),)), event)
    assert loaded(world, endpoint).hints == ()
    assert event not in world.trail.of_subject(endpoint.id, 10, None).items


def test_a_consumed_hint_is_gone(world: Any) -> None:
    endpoint = an_endpoint(world)
    hinted = world.endpoints.save(endpoint, replace(endpoint, hints=(a_hint(1), a_hint(2))))
    world.endpoints.save(hinted, replace(hinted, hints=hinted.hints[1:]))
    assert [hint.hint_id for hint in loaded(world, endpoint).hints] == ["hint_2"]


def test_a_name_is_unique_in_its_job_only(world: Any) -> None:
    job, other = a_job(world), a_job(world, name="other")
    an_endpoint(world, job=job, name="probe")
    an_endpoint(world, job=other, name="probe")
    with pytest.raises(Conflict, match="already has an endpoint named 'probe'"):
        an_endpoint(world, job=job, name="probe")


def test_renaming_to_a_taken_name_is_refused_and_the_old_name_stays(world: Any) -> None:
    job = a_job(world)
    first, second = an_endpoint(world, job=job, name="a"), an_endpoint(world, job=job, name="b")
    with pytest.raises(Conflict):
        world.endpoints.save(second, edits.configured(second, replace(second.config, name="a"), MIDNIGHT))
    assert loaded(world, second).config.name == "b"
    renamed = world.endpoints.save(second, edits.configured(second, replace(second.config, name="c"), MIDNIGHT))
    assert world.endpoints.of_job(job.job_id, 10, None).items == (first.id, renamed.id)
    an_endpoint(world, job=job, name="b")


def test_the_longest_name_fits_into_the_store(world: Any) -> None:
    job = a_job(world)
    endpoint = an_endpoint(world, job=job, name="😀" * 255)
    assert world.endpoints.of_job(job.job_id, 10, None).items == (endpoint.id,)


def test_a_deleted_endpoint_leaves_a_tombstone_and_frees_its_name(world: Any) -> None:
    job = a_job(world)
    endpoint = an_endpoint(world, job=job, name="probe")
    world.endpoints.save(endpoint, edits.deleted(endpoint, MIDNIGHT + 5))
    assert loaded(world, endpoint).is_deleted
    again = an_endpoint(world, job=job, name="probe")
    assert world.endpoints.of_job(job.job_id, 10, None).items == (again.id,)


def test_endpoints_of_a_job_are_paged_by_name(world: Any) -> None:
    job = a_job(world)
    made = {name: an_endpoint(world, job=job, name=name).id for name in ("c", "a", "b")}
    first = world.endpoints.of_job(job.job_id, 2, None)
    assert first.items == (made["a"], made["b"])
    assert world.endpoints.of_job(job.job_id, 2, first.next).items == (made["c"],)


def test_many_endpoints_load_in_the_order_asked_for(world: Any) -> None:
    job = a_job(world)
    made = [an_endpoint(world, job=job, name=f"probe {number}") for number in range(60)]
    wanted = [endpoint.id for endpoint in reversed(made)] + ["ep_unknown"]
    assert [endpoint.id for endpoint in world.endpoints.load_many(wanted)] == wanted[:-1]
    assert world.endpoints.states(wanted).keys() == set(wanted[:-1])


def test_claims_are_seen_from_afar_with_their_lease_and_the_call_that_waits(world: Any) -> None:
    job = a_job(world)
    soon, later = (
        an_endpoint(world, job=job, name="soon"),
        an_endpoint(world, IntervalBaseline(HOUR), job, name="later"),
    )
    claim = soon.state.claim
    assert claim is not None
    wanted = [soon.id, later.id, "ep_unknown"]
    assert world.endpoints.grips(wanted) == {soon.id: Grip(claim.lease_until, claim.call_at)}
    started = lease.start(soon, claim.call_at)
    world.endpoints.save_state(soon.id, soon.state, started.state)
    assert world.endpoints.grips(wanted) == {soon.id: Grip(claim.call_at + 45 * SECOND, None)}


def test_the_due_index_shows_what_must_be_looked_at_oldest_first(world: Any) -> None:
    job = a_job(world)
    late = an_endpoint(world, IntervalBaseline(3 * HOUR), job, name="late")
    early = an_endpoint(world, IntervalBaseline(2 * HOUR), job, name="early")
    asleep = an_endpoint(world, ManualBaseline(), job, name="asleep")
    shards = range(world.limits.shards)
    seen = [each for shard in shards for page in world.endpoints.due(shard, MIDNIGHT + 2 * HOUR) for each in page]
    assert seen == [early.id]
    everything = [e for shard in shards for page in world.endpoints.due(shard, MIDNIGHT + 4 * HOUR) for e in page]
    assert set(everything) == {early.id, late.id}
    assert asleep.id not in everything


def test_a_run_comes_back_exactly_as_it_was_recorded(world: Any) -> None:
    endpoint = an_endpoint(world)
    run = replace(
        a_run(endpoint, 60, RunStatus.FAILURE, attempt=2),
        error_kind=ErrorKind.HTTP_STATUS,
        error_message="status 500",
        attempts=(Attempt(attempt=1, started_at=MIDNIGHT, error_kind=ErrorKind.LOST, error_message="its worker died"),),
        request=SentRequest(method="GET", url="http://127.0.0.1/", headers=(("A", "b"),)),
        response=ReceivedResponse(status_code=500, headers=(("A", "b"), ("A", "c")), body="ü" * 5000, truncated=True),
    )
    world.runs.record(run)
    assert world.runs.get(run.run_id) == run


def test_a_response_that_is_too_large_for_the_store_is_cut_and_marked(world: Any) -> None:
    endpoint = an_endpoint(world)
    noise = "".join(chr(0x4E00 + code) for code in random.Random(1).choices(range(20_000), k=260_000))
    response = ReceivedResponse(status_code=200, headers=(("A", "b"),), body=noise, truncated=False)
    run = replace(a_run(endpoint, 60), response=response)
    world.runs.record(run)
    found = world.runs.get(run.run_id)
    assert found is not None and found.response is not None and noise.startswith(found.response.body)
    assert found.response.truncated or found.response.body == noise


def test_the_record_of_a_newer_attempt_is_not_replaced_by_an_older_one(world: Any) -> None:
    endpoint = an_endpoint(world)
    newer = a_run(endpoint, 60, attempt=2)
    world.runs.record(newer)
    world.runs.record(a_run(endpoint, 60, RunStatus.FAILURE, attempt=1))
    found = world.runs.get(newer.run_id)
    assert found is not None and found.status is RunStatus.SUCCESS


def test_a_late_result_is_kept_but_changes_no_outcome(world: Any) -> None:
    endpoint = an_endpoint(world)
    run = a_run(endpoint, 60)
    world.runs.record_late(replace(run, status=RunStatus.FAILURE))
    first = world.runs.get(run.run_id)
    assert first is not None and first.status is RunStatus.FAILURE
    world.runs.record(replace(run, attempt=2))
    world.runs.record_late(replace(run, status=RunStatus.FAILURE))
    second = world.runs.get(run.run_id)
    assert second is not None and second.status is RunStatus.SUCCESS


def test_an_attempt_on_record_is_not_called_late_because_the_end_of_its_run_came_too_late(world: Any) -> None:
    run = a_run(an_endpoint(world), 60)
    world.runs.record(run)
    world.runs.record_late(run)
    stored = world.runs.get(run.run_id)
    assert stored is not None and not stored.is_late


@pytest.mark.parametrize("by", ["endpoint", "job"])
def test_runs_are_listed_newest_first_in_pages_and_filtered(world: Any, by: str) -> None:
    endpoint = an_endpoint(world)
    runs = [a_run(endpoint, s, RunStatus.FAILURE if s % 20 == 0 else RunStatus.SUCCESS) for s in range(10, 80, 10)]
    for run in runs:
        world.runs.record(run)

    def page(wanted: RunFilter, limit: int = 50, after: str | None = None) -> Any:
        if by == "endpoint":
            return world.runs.of_endpoint(endpoint.id, wanted, limit, after)
        return world.runs.of_job(endpoint.config.job_id, wanted, limit, after)

    newest = [run.run_id for run in reversed(runs)]
    first = page(RunFilter(), 3)
    second = page(RunFilter(), 3, first.next)
    third = page(RunFilter(), 3, second.next)
    assert [run.run_id for each in (first, second, third) for run in each.items] == newest
    assert third.next is None
    assert [run.slot for run in page(RunFilter(status=RunStatus.FAILURE)).items] == [
        MIDNIGHT + s * SECOND for s in (60, 40, 20)
    ]
    window = RunFilter(since=MIDNIGHT + 20 * SECOND, until=MIDNIGHT + 40 * SECOND)
    assert [run.slot for run in page(window).items] == [MIDNIGHT + s * SECOND for s in (30, 20)]
    assert page(RunFilter(source=Source.MANUAL)).items == ()


def test_jobs_are_listed_newest_first_by_status_and_tenant(world: Any) -> None:
    made = []
    for name in ("a", "b", "c"):
        made.append(a_job(world, name=name))
        world.clock.instant += 1
    a_job(world, MALLORY, name="foreign")
    update_job(world, ANNE, made[1].job_id, lambda job: replace(job, status=JobStatus.PAUSED))
    first = world.jobs.list("acme", None, 2, None)
    assert [job.name for job in first.items] == ["c", "b"]
    assert [job.name for job in world.jobs.list("acme", None, 2, first.next).items] == ["a"]
    assert [job.name for job in world.jobs.list("acme", JobStatus.PAUSED, 2, None).items] == ["b"]


def test_a_job_that_moved_on_is_not_overwritten(world: Any) -> None:
    job = a_job(world)
    event = event_by(world, ANNE, job.job_id, "updateJob")
    world.jobs.save(job, replace(job, name="new"), event)
    with pytest.raises(WriteRaced):
        world.jobs.save(job, replace(job, name="newer"), event)
    found = world.jobs.get(job.job_id)
    assert found is not None and (found.name, found.version) == ("new", 2)


def test_audit_events_are_listed_newest_first_in_pages(world: Any) -> None:
    job = a_job(world)
    for name in ("b", "c"):
        world.clock.instant += 1
        update_job(world, ANNE, job.job_id, partial(replace, name=name), reason=f"to {name}")
    first = world.trail.of_subject(job.job_id, 2, None)
    assert [event.reason for event in first.items] == ["to c", "to b"]
    assert [event.action for event in world.trail.of_subject(job.job_id, 2, first.next).items] == ["createJob"]


def test_the_whole_loop_plays_over_the_store(world: Any) -> None:
    endpoint = an_endpoint(world, IntervalBaseline(10 * SECOND))
    Stage(world).play_seconds(45)
    assert world.outbound.seconds() == [10, 20, 30, 40]
    page = world.runs.of_endpoint(endpoint.id, RunFilter(), 10, None)
    assert [run.slot for run in page.items] == [MIDNIGHT + s * SECOND for s in (40, 30, 20, 10)]
    assert loaded(world, endpoint).state.next is not None
