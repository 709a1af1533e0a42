"""Jobs that monitor Rubato itself: left out of users' figures, with a small quota of their own."""

from dataclasses import replace
from typing import Any

import pytest

from rubato.domain import quota
from rubato.domain.endpoint import Endpoint
from rubato.domain.exchange import Reply
from rubato.domain.instant import HOUR, MINUTE, SECOND
from rubato.domain.jobs import Job
from rubato.domain.schedule import IntervalBaseline
from rubato.usecases.create_job import create_job
from rubato.usecases.handle_message import handle_message
from tests.unit.clients import Client
from tests.worlds import ANNE, MIDNIGHT, MemoryWorld, Stage, a_job, an_endpoint


def a_world(**limits: Any) -> MemoryWorld:
    world = MemoryWorld()
    world.limits = replace(world.limits, **limits)
    return world


def a_synthetic_job(world: MemoryWorld) -> Job:
    draft = Job(job_id="", tenant_id="", name="rubato synthetic", created_at=0, updated_at=0, is_synthetic=True)
    return create_job(world, ANNE, draft)


def a_synthetic_endpoint(world: MemoryWorld, interval_ms: int = 10 * SECOND) -> Endpoint:
    return an_endpoint(world, IntervalBaseline(interval_ms), a_synthetic_job(world), name="health")


def usage(world: MemoryWorld) -> tuple[int, int]:
    shown = Client(world)("GET", "/usage").body
    return shown["endpoints"], shown["runsToday"]


def mark(world: MemoryWorld, job_id: str, is_synthetic: bool) -> None:
    assert Client(world)("PATCH", f"/jobs/{job_id}", {"isSynthetic": is_synthetic}).status == 200


@pytest.mark.parametrize("limit", [0, 100])
def test_usage_leaves_synthetic_jobs_out(limit: int) -> None:
    world = a_world(max_runs_per_day=limit)
    a_synthetic_endpoint(world)
    an_endpoint(world, IntervalBaseline(30 * SECOND))
    Stage(world).play_seconds(61)
    assert len(world.outbound.calls) == 8 and usage(world) == (1, 2)


def test_the_runs_of_all_jobs_are_those_of_users_and_a_synthetic_jobs_own_are_there_when_asked_for() -> None:
    world = MemoryWorld()
    synthetic, plain = a_synthetic_endpoint(world), an_endpoint(world, IntervalBaseline(20 * SECOND))
    Stage(world).play_seconds(41)
    client = Client(world)

    def seen(path: str = "/runs", **query: str) -> set[str]:
        answer = client("GET", path, query=query or None)
        items = answer.body["items"] if answer.body else []
        return {run["endpointId"] for run in items} or {
            each for each in (synthetic.id, plain.id) if each in answer.text
        }

    assert seen() == seen("/runs/export") == {plain.id}
    assert seen(jobId=synthetic.config.job_id) == seen(endpointId=synthetic.id) == {synthetic.id}
    assert seen("/runs/export", jobId=synthetic.config.job_id) == {synthetic.id}
    client("POST", f"/endpoints/{synthetic.id}/run")
    assert client("GET", "/runs", query={"status": "running"}).body["items"] == []
    assert {job["isSynthetic"] for job in client("GET", "/jobs").body["items"]} == {True, False}


def test_a_run_is_counted_by_what_its_job_says_when_it_runs() -> None:
    world = MemoryWorld()
    job = a_job(world)
    an_endpoint(world, IntervalBaseline(10 * SECOND), job)
    stage = Stage(world)
    stage.play_seconds(15)
    assert usage(world) == (1, 1)
    mark(world, job.job_id, is_synthetic=True)
    stage.play_seconds(35)
    assert usage(world) == (0, 1) and world.telemetry.counts["dispatched"] == 1
    mark(world, job.job_id, is_synthetic=False)
    stage.play_seconds(45)
    assert usage(world) == (1, 2) and len(world.outbound.calls) == 4


def test_an_endpoint_that_did_not_hear_of_the_mark_hears_of_it_when_the_job_names_it_again() -> None:
    world = MemoryWorld()
    job = a_job(world)
    endpoint = an_endpoint(world, job=job)
    known = world.jobs.get(job.job_id)
    assert known is not None
    event = world.trail.of_subject(job.job_id, 1, None).items[0]
    world.jobs.save(known, replace(known, is_synthetic=True), event)  # and its worker dies before it has told anybody
    mark(world, job.job_id, is_synthetic=True)
    stored = world.endpoints.load(endpoint.id)
    assert stored is not None and stored.state.synthetic


def test_a_failing_synthetic_target_moves_no_metric_of_users() -> None:
    world = MemoryWorld()
    endpoint = a_synthetic_endpoint(world, HOUR)
    Client(world)("PATCH", f"/endpoints/{endpoint.id}", {"retry": {"maxAttempts": 2, "backoffMs": 1}})
    world.outbound.answer = lambda _call: Reply(duration_ms=1, status_code=503)
    world.clock.instant = MIDNIGHT + HOUR
    stage = Stage(world)
    stage.tick()
    told: set[str] = set()
    for _ in range(3):
        world.clock.instant += SECOND
        told |= {handle_message(world, message) for message in world.queue.receive(world.clock.now())}
    assert told == {"synthetic_retry", "synthetic_failure"}
    assert "dispatched" not in world.telemetry.counts


def test_a_synthetic_job_uses_up_no_run_of_the_quota() -> None:
    world = a_world(max_runs_per_day=3)
    an_endpoint(world, IntervalBaseline(HOUR))
    a_synthetic_endpoint(world, HOUR)
    Stage(world).play_seconds(3 * 3600 + 60)
    assert len(world.outbound.calls) == 6 and usage(world) == (1, 3)


def test_calling_a_job_synthetic_gives_no_more_than_a_small_share_beside_the_quota() -> None:
    world = a_world(max_runs_per_day=2)
    endpoint = a_synthetic_endpoint(world)
    stage = Stage(world)
    stage.play_seconds(60)
    assert world.outbound.seconds() == [10, 20]
    shown = Client(world)("GET", f"/endpoints/{endpoint.id}").body
    assert "quota of 2 synthetic runs a day" in shown["whyNotRunning"]
    refused = Client(world)("POST", f"/endpoints/{endpoint.id}/run")
    assert refused.status == 429 and "2 synthetic runs" in refused.body["detail"]
    mark(world, endpoint.config.job_id, is_synthetic=False)
    assert Client(world)("POST", f"/endpoints/{endpoint.id}/run").status == 202
    world.limits = replace(world.limits, max_runs_per_day=0)
    stage.play_seconds(200)
    assert len(world.outbound.calls) > 10


def test_the_share_does_not_grow_with_the_quota() -> None:
    assert quota.runs_allowed(5_000_000, is_synthetic=True) == quota.MAX_SYNTHETIC_RUNS == 10_000
    assert quota.runs_allowed(500, is_synthetic=True) == 500 and quota.runs_allowed(0, is_synthetic=True) == 0
    assert 4 * 24 * HOUR // MINUTE < quota.MAX_SYNTHETIC_RUNS  # what `rubato synthetic setup` makes
