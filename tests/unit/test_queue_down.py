"""A queue that can't be reached costs time, never a run, a change or a promise."""

from collections.abc import Sequence
from typing import Any

import pytest

from rubato.domain.errors import RubatoError
from rubato.domain.instant import MINUTE, SECOND
from rubato.domain.messages import Message, RunMessage, TellMessage
from rubato.domain.schedule import AfterBaseline
from rubato.usecases.enforce_quota import release_lifted
from rubato.usecases.handle_message import handle_message
from rubato.usecases.send_messages import NotSent
from rubato.usecases.steer_endpoint import pause_endpoint
from rubato.usecases.trigger_run import trigger_run
from tests.worlds import ANNE, MIDNIGHT, MemoryWorld, Stage, a_job, an_endpoint


class BrokenQueue:
    """Implements ports.RunQueue: raises, as an adapter does whose service is unreachable."""

    def send(self, messages: Sequence[Message], now: int) -> list[Message]:
        """Never."""
        raise ConnectionError("no route to the queue")


@pytest.fixture
def world() -> Any:
    """Nothing in it yet."""
    return MemoryWorld()


def test_a_run_now_is_answered_and_runs_once_its_lease_has_ended(world: Any) -> None:
    endpoint, queue = an_endpoint(world), world.queue
    world.queue = BrokenQueue()
    run_id = trigger_run(world, ANNE, endpoint.id)
    world.queue = queue
    Stage(world).play(MIDNIGHT + 3 * MINUTE)
    assert world.runs.get(run_id) is not None


def test_a_message_that_came_early_and_can_not_be_sent_again_is_not_taken_for_handled(world: Any) -> None:
    endpoint = an_endpoint(world)
    claim = endpoint.state.claim
    assert claim is not None
    world.queue.failing = True
    message = RunMessage(endpoint_id=endpoint.id, due=claim.call_at, run_id=claim.run_id, fence=claim.fence)
    with pytest.raises(NotSent):
        handle_message(world, message)


def test_a_second_look_that_told_nobody_and_can_not_promise_a_third_comes_back(world: Any) -> None:
    job = a_job(world)
    followed = an_endpoint(world, job=job)
    an_endpoint(world, AfterBaseline(("probe",)), job=job, name="other")
    Stage(world).play(MIDNIGHT + 61 * SECOND)
    world.queue = BrokenQueue()
    world.endpoints.save = _refuse
    world.endpoints.save_state = _refuse
    state = world.endpoints.load(followed.id).state
    world.endpoints._endpoints[followed.id] = followed.with_state(succeeded_at=state.succeeded_at + MINUTE)
    with pytest.raises(NotSent):
        handle_message(world, TellMessage(endpoint_id=followed.id, due=MIDNIGHT))


def test_a_worker_that_dies_while_it_holds_a_run_back_leaves_the_note_that_wakes_it(world: Any) -> None:
    world.limits = type(world.limits)(allowed_target_cidrs="127.0.0.0/8", max_runs_per_day=1)
    endpoint = an_endpoint(world)
    trigger_run(world, ANNE, endpoint.id)
    stage = Stage(world)
    stage.play(MIDNIGHT + 10 * SECOND)
    save = world.endpoints.save

    def dies_after(*args: Any) -> Any:
        save(*args)
        raise KeyboardInterrupt

    world.endpoints.save = dies_after
    with pytest.raises(KeyboardInterrupt):
        stage.play(MIDNIGHT + 70 * SECOND)
    world.endpoints.save = save
    world.limits = type(world.limits)(allowed_target_cidrs="127.0.0.0/8", max_runs_per_day=9)
    assert release_lifted(world) == 1


def test_a_pause_holds_although_its_message_was_not_sent(world: Any) -> None:
    endpoint = an_endpoint(world)
    world.queue = BrokenQueue()
    paused = pause_endpoint(world, ANNE, endpoint.id, until=MIDNIGHT + MINUTE, reason=None)
    assert paused.state.is_paused(world.clock.now())


def _refuse(*_args: Any) -> Any:
    raise RubatoError("the table is throttled")


def test_a_hold_that_can_not_be_noted_at_first_is_made_all_the_same(world: Any) -> None:
    world.limits = type(world.limits)(allowed_target_cidrs="127.0.0.0/8", max_runs_per_day=1)
    an_endpoint(world)
    note, failures = world.usage.note_over, iter([True])

    def failing_once(*args: Any) -> None:
        if next(failures, False):
            raise ConnectionError("throttled")
        note(*args)

    world.usage.note_over = failing_once
    Stage(world).play(MIDNIGHT + 10 * MINUTE)
    assert world.outbound.seconds() == [60] and world.usage.over("2025-01-01") == {"acme": 1}
