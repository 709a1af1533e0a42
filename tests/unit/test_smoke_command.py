"""`rubato smoke` in a memory world that plays on while the command waits."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from cli.trouble import Trouble
from rubato.domain.exchange import Call, Reply
from rubato.interface import synthetic
from tests.unit.doors import Door, opened
from tests.worlds import MemoryWorld, Stage


@contextmanager
def playing(door: Door) -> Iterator[None]:
    """A dispatcher: whatever is on the queue is run, on the test's clock, as soon as it is there."""
    over = threading.Event()

    def play() -> None:
        stage = Stage(door.world, ticking=False)
        while not over.wait(0.02):
            soon = [at for at, _ in door.world.queue.waiting if at < door.world.clock.now() + 10_000]
            if soon:
                stage.play(max(soon) + 1)

    worker = threading.Thread(target=play)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()


@pytest.fixture
def door() -> Iterator[Door]:
    world = MemoryWorld(round(time.time() * 1000))
    with opened(world) as listening:
        yield listening


def echoing(door: Door, loses: str = "") -> None:
    """Targets answer as the deployment does; the echo may lose a header on the way."""

    def answer(call: Call) -> Reply:
        headers = {name: value for name, value in call.headers if name != loses}
        event = {"httpMethod": call.method, "path": call.url.removeprefix(door.url), "headers": headers}
        body = (call.body or b"").decode()
        told = synthetic.handle(door.world, {**event, "body": body}, on_crash=lambda: None)
        return Reply(duration_ms=1, status_code=told["statusCode"], body=told["body"].encode())

    door.world.outbound.answer = answer


def test_it_proves_a_hint_and_the_way_out_and_back_and_leaves_nothing_that_runs(door: Door) -> None:
    echoing(door)
    with playing(door):
        shown = door.rubato("smoke")
    assert "a hint moved its next run" in shown and "ok" in shown and "cleaned up" in shown
    _, call = door.world.outbound.calls[0]
    assert (call.method, call.url) == ("POST", f"{door.url}/synthetic/echo") and "smoke" in json.loads(call.body or b"")
    (job,) = door.jobs()
    assert (job["status"], job["endpointCount"], job["isSynthetic"]) == ("archived", 0, True)


def test_without_the_targets_it_calls_health(door: Door) -> None:
    door.world.limits = replace(door.world.limits, synthetic_targets=False)
    with playing(door):
        assert "ok" in door.rubato("smoke")
    _, call = door.world.outbound.calls[0]
    assert (call.method, call.url) == ("GET", f"{door.url}/health")


def test_what_is_lost_on_the_way_is_told_and_everything_is_cleaned_up_all_the_same(door: Door) -> None:
    echoing(door, loses="Rubato-Run-Id")
    with playing(door), pytest.raises(Trouble, match="something was lost on the way"):
        door.rubato("smoke")
    (job,) = door.jobs()
    assert (job["status"], job["endpointCount"]) == ("archived", 0)


def test_a_run_that_does_not_come_is_told_in_time(door: Door) -> None:
    with pytest.raises(Trouble, match="no run came in time") as told:
        door.rubato("smoke", "--timeout", "0.3")
    assert told.value.exit_code == 1 and door.jobs()[0]["status"] == "archived"
