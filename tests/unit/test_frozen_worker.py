"""A worker that stands still for longer than its lease: what it held is somebody else's by the time it goes on."""

from rubato.adapters.memory_usage import MemoryUsage
from rubato.domain.endpoint import RunStatus
from rubato.domain.ids import run_id
from rubato.domain.instant import MINUTE
from tests.worlds import MIDNIGHT, MemoryWorld, Stage, TestClock, an_endpoint


class StandingStill(MemoryUsage):
    """Stops its first user for five minutes just where a run that was put in flight is counted."""

    def __init__(self, clock: TestClock) -> None:
        super().__init__()
        self._clock = clock
        self._stops = 1

    def note_run(self, tenant_id: str, day: str) -> None:
        """Counted, after a while."""
        super().note_run(tenant_id, day)
        self._clock.instant += self._stops * 5 * MINUTE
        self._stops = 0


def test_a_worker_that_stood_still_past_its_lease_calls_nobody_and_the_run_is_made_by_another() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world)
    world.usage = StandingStill(world.clock)
    stage = Stage(world, ticking=False)
    stage.play_seconds(61)
    assert world.outbound.calls == []
    stage.tick()
    stage.play(world.clock.now())
    run = world.runs.get(run_id(endpoint.id, MIDNIGHT + MINUTE, "cadence"))
    assert [dict(call.headers)["Rubato-Attempt"] for _, call in world.outbound.calls] == ["2"]
    assert run is not None and run.status is RunStatus.SUCCESS
    assert [attempt.error_kind for attempt in run.attempts] == ["lost", None]
