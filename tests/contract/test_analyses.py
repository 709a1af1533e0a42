"""Analyses, their leases, the tokens of a day and the planner's index, over the fakes and over DynamoDB."""

from dataclasses import replace
from typing import Any

from rubato.domain.analysis import Analysis, Outcome, ToolUse
from rubato.domain.conversation import ModelFault
from rubato.domain.ids import analysis_id, shard_of
from rubato.domain.instant import HOUR, MINUTE
from rubato.domain.jobs import PlannerSettings
from rubato.usecases.update_endpoint import delete_endpoint
from rubato.usecases.update_job import update_job
from tests.worlds import ANNE, MIDNIGHT, a_job, an_endpoint

DAY = "2025-01-01"
FULL = Analysis(
    analysis_id=analysis_id(MIDNIGHT, b"0123456789"),
    tenant_id="acme",
    job_id="job_1",
    endpoint_id="ep_1",
    model="openai/small",
    started_at=MIDNIGHT,
    is_dry_run=True,
    finished_at=MIDNIGHT + 1500,
    outcome=Outcome.MODEL_ERROR,
    reasoning="half a pair can't be kept",
    confidence=0.5,
    next_analysis_in_ms=5 * MINUTE,
    calls=(ToolUse(name="clear_hints", arguments='{"reason":"ü"}', result="<data>{}</data>", is_error=True),),
    ignored_calls=985,
    input_tokens=4000,
    output_tokens=20,
    cost=0.0125,
    error="slow down",
    fault=ModelFault.THROTTLED,
    retry_after_s=7,
)


def an_analysis(number: int, endpoint_id: str = "ep_1", at: int = MIDNIGHT) -> Analysis:
    return Analysis(
        analysis_id=analysis_id(at + number, b"0123456789"),
        tenant_id="acme",
        job_id="job_1",
        endpoint_id=endpoint_id,
        model="openai/small",
        started_at=at,
    )


def test_an_analysis_is_read_as_it_was_kept(world: Any) -> None:
    world.analyses.keep(FULL)
    assert world.analyses.of_endpoint("ep_1", 10, None).items == (FULL,)


def test_one_endpoint_is_under_one_analysis_at_a_time_until_it_is_released_or_its_lease_is_over(world: Any) -> None:
    first, second, third = (an_analysis(number) for number in range(3))
    assert world.analyses.begin(first, MIDNIGHT + MINUTE)
    assert not world.analyses.begin(second, MIDNIGHT + MINUTE)
    assert world.analyses.begin(an_analysis(9, "ep_2"), MIDNIGHT + MINUTE)
    world.analyses.release(second)
    assert not world.analyses.begin(second, MIDNIGHT + MINUTE)
    world.analyses.release(first)
    assert world.analyses.begin(second, MIDNIGHT + MINUTE)
    late = replace(third, started_at=MIDNIGHT + MINUTE)
    assert world.analyses.begin(late, MIDNIGHT + 2 * MINUTE)
    world.analyses.release(second)
    assert not world.analyses.begin(replace(an_analysis(4), started_at=MIDNIGHT + MINUTE), MIDNIGHT + 2 * MINUTE)
    kept = world.analyses.of_endpoint("ep_1", 10, None).items
    assert kept == (late, second, first)  # and the one that was refused is not among them


def test_analyses_come_newest_first_page_by_page_and_one_that_was_not_needed_is_gone(world: Any) -> None:
    made = [an_analysis(number) for number in range(5)]
    for each in made:
        world.analyses.keep(each)
    world.analyses.drop(made[2])
    first = world.analyses.of_endpoint("ep_1", 3, None)
    rest = world.analyses.of_endpoint("ep_1", 3, first.next)
    assert [*first.items, *rest.items] == [made[4], made[3], made[1], made[0]]
    assert rest.next is None and world.analyses.of_endpoint("ep_9", 3, None).items == ()


def test_tokens_of_a_day_are_taken_up_to_the_limit_and_settled(world: Any) -> None:
    assert world.usage.take_tokens("acme", DAY, 600, 1000)
    assert not world.usage.take_tokens("acme", DAY, 401, 1000)
    world.usage.settle_tokens("acme", DAY, -500)
    assert world.usage.take_tokens("acme", DAY, 900, 1000)
    assert not world.usage.take_tokens("acme", DAY, 1, 1000)
    assert not world.usage.take_tokens("other", DAY, 1001, 1000)
    assert world.usage.take_tokens("other", DAY, 5000, 0)
    assert world.usage.take_tokens("acme", "2025-01-02", 1000, 1000)
    counts = [world.usage.of(tenant, DAY).planner_tokens_today for tenant in ("acme", "other", "nobody")]
    assert counts == [1000, 5000, 0]


def looked_at(world: Any, until: int) -> list[str]:
    found: list[str] = []
    for shard in range(world.limits.shards):
        for page in world.endpoints.looks(shard, until):
            assert {shard_of(each, world.limits.shards) for each in page} == {shard}
            found += page
    return sorted(found)


def test_the_planners_index_holds_endpoints_of_jobs_with_a_planner_alone(world: Any) -> None:
    job, plain = a_job(world), a_job(world, name="plain")
    mine, resting = (an_endpoint(world, job=job, name=name) for name in ("a", "b"))
    an_endpoint(world, job=plain)
    assert looked_at(world, MIDNIGHT + HOUR) == []
    planner = PlannerSettings(enabled=True, guidance="be kind", dry_run=True)
    update_job(world, ANNE, job.job_id, lambda each: replace(each, planner=planner))
    assert world.jobs.get(job.job_id).planner == planner
    assert looked_at(world, MIDNIGHT) == sorted([mine.id, resting.id])
    endpoint = world.endpoints.load(mine.id)
    world.endpoints.save(endpoint, endpoint.with_state(look_at=MIDNIGHT + HOUR, stirred=True, look_floor=MIDNIGHT))
    state = world.endpoints.load(mine.id).state
    assert state.stirred and state.look_floor == MIDNIGHT
    assert looked_at(world, MIDNIGHT + HOUR - 1) == [resting.id]
    delete_endpoint(world, ANNE, resting.id)
    assert looked_at(world, MIDNIGHT + HOUR) == [mine.id]
    update_job(world, ANNE, job.job_id, lambda each: replace(each, planner=PlannerSettings()))
    assert looked_at(world, MIDNIGHT + HOUR) == []
