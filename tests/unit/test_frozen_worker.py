"""A worker that stands still for longer than its lease: what it held is somebody else's by the time it goes on."""

import pytest

from rubato.adapters.memory_usage import MemoryUsage
from rubato.domain.endpoint import RunStatus
from rubato.domain.ids import run_id
from rubato.domain.instant import MINUTE, SECOND
from tests.worlds import MIDNIGHT, MemoryWorld, Stage, TestClock, an_endpoint


class StandingStill(MemoryUsage):
    """Stops its first user just where a run that was put in flight is counted."""

    def __init__(self, clock: TestClock, ms: int) -> None:
        super().__init__()
        self._clock = clock
        self._ms = ms

    def note_run(self, tenant_id: str, day: str) -> None:
        """Counted, after a while."""
        super().note_run(tenant_id, day)
        self._clock.instant += self._ms
        self._ms = 0


# 20 s: the lease of 45 s still lives, but would end before a call that takes all of its 30 s.
@pytest.mark.parametrize("stood_ms", [20 * SECOND, 5 * MINUTE])
def test_a_worker_whose_lease_may_end_within_its_call_calls_nobody_and_the_run_is_made_by_another(
    stood_ms: int,
) -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world)
    world.usage = StandingStill(world.clock, stood_ms)
    stage = Stage(world, ticking=False)
    stage.play_seconds(61)
    assert world.outbound.calls == []
    world.clock.sleep_until(MIDNIGHT + 2 * MINUTE)
    stage.tick()
    stage.play(world.clock.now())
    run = world.runs.get(run_id(endpoint.id, MIDNIGHT + MINUTE, "cadence"))
    assert [dict(call.headers)["Rubato-Attempt"] for _, call in world.outbound.calls] == ["2"]
    assert run is not None and run.status is RunStatus.SUCCESS
    assert [attempt.error_kind for attempt in run.attempts] == ["lost", None]
