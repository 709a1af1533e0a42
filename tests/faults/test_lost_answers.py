"""The write landed, its answer was lost, and the SDK sends it again: it must not be taken for somebody else's."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rubato.bootstrap import AwsWorld
from rubato.domain.access import ALL_SCOPES
from rubato.domain.hints import ActorKind
from rubato.usecases.manage_agents import register_agent, retire_agent
from rubato.usecases.manage_keys import revoke_key
from rubato.usecases.steer_endpoint import pause_endpoint
from rubato.usecases.update_endpoint import delete_endpoint
from rubato.usecases.update_job import update_job
from tests.faults.matrix import Theatre
from tests.faults.stage import House, Play
from tests.faults.stories import STORIES, add, find, job
from tests.worlds import ANNE, a_key

DAY = "2025-01-01"


@pytest.fixture
def play(house: House) -> Play:
    """A deployment with one endpoint."""
    house.clear()
    play = Play(house, {})
    add(play)
    return play


def repeated(play: Play, work: Callable[[], Any], operation: str) -> Any:
    """Do the work; the answer to its first call of that operation is lost, and the SDK repeats it."""
    play.seam.arm(None, "")
    reached = play.seam.reached

    def at_first(called: str) -> str | None:
        reached(called)
        if called != operation or play.seam.struck:
            return None
        play.seam.struck = True
        return "answer lost once"

    play.seam.reached = at_first  # type: ignore[method-assign, assignment]
    try:
        return work()
    finally:
        play.seam.reached = reached  # type: ignore[method-assign]
        assert play.seam.struck


def test_a_run_starts_on_time_though_the_answer_to_its_start_was_lost(house: House) -> None:
    theatre = Theatre(house, STORIES[0])
    starts = [pair.at for pair in theatre.pairs() if pair.site.place.endswith("save_state < dispatch_run._start")]
    disturbed = theatre.perform(starts[0], "answer lost once")
    assert [at for at, _ in disturbed.calls] == [at for at, _ in theatre.rehearsal.calls]


def test_the_state_that_was_written_twice_is_given_back(play: Play) -> None:
    endpoint = play.world.endpoints.load(find(play.world))
    assert endpoint is not None
    before = endpoint.state
    after = repeated(
        play, lambda: play.world.endpoints.save_state(endpoint.id, before, replace(before, skipped=7)), "PutItem"
    )
    assert (after.version, after.skipped) == (before.version + 1, 7)


@pytest.mark.parametrize(
    "action",
    [
        lambda world: pause_endpoint(world, ANNE, find(world), until=None, reason=None),
        lambda world: delete_endpoint(world, ANNE, find(world)),
        lambda world: update_job(world, ANNE, job(world).job_id, lambda old: replace(old, name="new")),
        lambda world: a_key(world, "acme", label="l", kind=ActorKind.HUMAN, scopes=ALL_SCOPES),
    ],
    ids=["pause", "delete", "update job", "create key"],
)
def test_a_transaction_that_is_repeated_counts_once(play: Play, action: Callable[[AwsWorld], Any]) -> None:
    events = sum(len(items) for items in play.house.tables["audit"].items.values())
    repeated(play, lambda: action(play.world), "TransactWriteItems")
    assert sum(len(items) for items in play.house.tables["audit"].items.values()) == events + 1


def test_an_endpoint_that_is_created_twice_is_there_once_and_its_name_is_not_taken_by_itself(play: Play) -> None:
    repeated(play, lambda: add(play, "other"), "TransactWriteItems")
    assert play.world.usage.of("acme", DAY).endpoints == 2


def test_a_key_that_is_revoked_twice_is_revoked(play: Play) -> None:
    key, _ = a_key(play.world, "acme", label="l", kind=ActorKind.HUMAN, scopes=ALL_SCOPES)
    repeated(play, lambda: revoke_key(play.world, key.key_id), "TransactWriteItems")
    stored = play.world.keys.get(key.key_id)
    assert stored is not None and stored.revoked_at is not None


def test_an_agent_that_is_registered_twice_is_there_once_and_its_name_is_not_taken_by_itself(play: Play) -> None:
    repeated(play, lambda: register_agent(play.world, ANNE, "scout", "shop team"), "TransactWriteItems")
    agent = play.world.agents.named("acme", "scout")
    assert agent is not None
    repeated(play, lambda: retire_agent(play.world, ANNE, agent.agent_id), "TransactWriteItems")
    stored = play.world.agents.get(agent.agent_id)
    assert stored is not None and stored.retired_at is not None
    told = play.world.trail.of_subject(agent.agent_id, 5, None).items
    assert sorted(event.action for event in told) == ["registerAgent", "retireAgent"]


def test_the_last_run_of_a_quota_is_let_pass_and_counted_once(play: Play) -> None:
    assert repeated(play, lambda: play.world.usage.take_run("acme", DAY, 1), "UpdateItem")
    assert play.world.usage.of("acme", DAY).runs_today == 1
    assert not play.world.usage.take_run("acme", DAY, 1)


def test_runs_that_could_not_be_counted_are_counted_by_the_next_flush(play: Play) -> None:
    play.world.usage.note_run("acme", DAY)
    play.seam.arm(0, "throttled")
    with pytest.raises(Exception, match="ThrottlingException"):
        play.world.usage.flush()
    play.world.usage.flush()
    assert play.world.usage.of("acme", DAY).runs_today == 1


def test_a_batch_read_that_finds_no_capacity_ends_in_an_error_and_not_in_a_loop(play: Play) -> None:
    endpoint_id = find(play.world)
    play.seam.arm(0, "unprocessed")
    with pytest.raises(Exception, match="throttled"):
        play.world.endpoints.states([endpoint_id], latest=True)
