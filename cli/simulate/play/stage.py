"""A deployment under a virtual clock: the real use cases over the real adapters of DynamoDB, which moto emulates here.

The queue, the clock and the targets are the stage's own. A tick comes each minute and the planner's schedule each five,
as in template.yaml; neither on a whole minute, as EventBridge has it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cli.api import Api
from cli.bench.stage import CountingEntropy, Silence
from cli.bench.tables import create_tables
from cli.simulate.play.in_process import URL, InProcess
from cli.simulate.play.record import Called
from cli.simulate.play.scenario import MINUTE, Targets
from cli.simulate.play.targets import PlayedTargets
from cli.simulate.play.virtual_time import Loop, Recurring, VirtualClock, VirtualQueue
from cli.trouble import Trouble
from rubato.adapters.memory_notifications import MemoryNotifications
from rubato.bootstrap import AwsWorld
from rubato.domain.limits import Limits
from rubato.settings import Settings
from rubato.usecases.handle_message import handle_message
from rubato.usecases.run_tick import run_tick

_REGION = "eu-central-1"
_RETENTION_S = 30 * 86_400
_TICK_OFFSET_MS = 13_500
_SCHEDULE_OFFSET_MS = 41_500
_SCHEDULE_MS = 5 * MINUTE
# Of the machine's own settings, those that would lead out of the emulation.
_FOREIGN = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_PROFILE", "AWS_SESSION_TOKEN")


class Stage:
    """A world and its time. `api` speaks to it as the owner of the scenario's job."""

    def __init__(self, world: AwsWorld, loop: Loop, played: PlayedTargets) -> None:
        self.world, self._loop, self._played = world, loop, played
        self.api = Api(URL, "none needed", InProcess(world))

    @property
    def calls(self) -> list[Called]:
        """What the targets have seen."""
        return self._played.calls

    def play(self, until: int) -> None:
        """All that happens up to and including `until`, in ms since minute 0."""
        self._loop.play(self._played.begins + until)


@contextmanager
def emulated(targets: Targets, begins: int, opens: int) -> Iterator[Stage]:
    """A deployment without jobs, at `opens` (ms since minute 0); minute 0 is `begins` (ms since the epoch)."""
    with _moto():
        clock, queue = VirtualClock(begins + opens), VirtualQueue()
        played = PlayedTargets(targets, clock, begins)
        world = AwsWorld(
            Settings(tables=_tables(), region=_REGION, retention_s=_RETENTION_S, limits=_LIMITS),
            clock=clock,
            queue=queue,
            outbound=played,
            entropy=CountingEntropy(),
            telemetry=Silence(),
            notifications=MemoryNotifications(),
        )
        yield Stage(world, _loop(world, clock, queue), played)


# One shard: what is played does not hang on their number, and a tick becomes a matter of milliseconds.
_LIMITS = Limits(shards=1, allowed_target_cidrs="127.0.0.0/8")


def _loop(world: AwsWorld, clock: VirtualClock, queue: VirtualQueue) -> Loop:
    now = clock.now()
    return Loop(
        clock,
        queue,
        lambda message: handle_message(world, message),
        Recurring(now + _TICK_OFFSET_MS, MINUTE, lambda: run_tick(world, clock.now() + MINUTE)),
        Recurring(now + _SCHEDULE_OFFSET_MS, _SCHEDULE_MS, lambda: None),
    )


def _tables() -> dict[str, str]:
    import boto3

    return create_tables(boto3.client("dynamodb", region_name=_REGION))


@contextmanager
def _moto() -> Iterator[None]:
    try:
        from moto import mock_aws
    except ImportError:
        raise Trouble(
            "scenarios are played over an emulated DynamoDB, which comes with the development environment: `make env`"
        ) from None
    kept: dict[str, Any] = {name: os.environ.pop(name) for name in _FOREIGN if name in os.environ}
    try:
        with mock_aws():
            yield
    finally:
        os.environ.update(kept)
