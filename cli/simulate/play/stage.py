"""A deployment under a virtual clock: the real use cases over the real adapters of DynamoDB, which moto emulates here.

The queue, the clock and the targets are the stage's own. A tick comes each minute and the planner's schedule each five,
as in template.yaml; neither on a whole minute, as EventBridge has it.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from cli.api import Api
from cli.bench.stage import CountingEntropy, Silence
from cli.bench.tables import create_tables
from cli.simulate.play.in_process import URL, InProcess
from cli.simulate.play.memory_stores import memory_stores
from cli.simulate.play.record import Called
from cli.simulate.play.scenario import MINUTE, Targets
from cli.simulate.play.targets import PlayedTargets
from cli.simulate.play.virtual_time import VirtualQueue, VirtualTime
from cli.trouble import Trouble
from rubato.adapters.memory_custody import MemoryVault
from rubato.adapters.memory_notifications import MemoryNotifications
from rubato.bootstrap import AwsWorld
from rubato.domain.limits import Limits
from rubato.settings import Settings
from rubato.usecases.ask_rules import wake_rules
from rubato.usecases.handle_message import handle_message
from rubato.usecases.pool import Pool
from rubato.usecases.run_tick import run_tick

_REGION = "eu-central-1"
_RETENTION_S = 30 * 86_400
_TICK_OFFSET_MS = 13_500
_SCHEDULE_OFFSET_MS = 41_500
_SCHEDULE_MS = 5 * MINUTE
# Further than any tick looks: without anything due by then, there is nothing for it to do.
_FAR_AHEAD_MS = 5 * MINUTE
# Of the machine's own settings, those that would lead out of the emulation.
_FOREIGN = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_PROFILE", "AWS_SESSION_TOKEN")


# One shard: what is played does not hang on their number, and a tick becomes a matter of milliseconds.
_LIMITS = Limits(shards=1, allowed_target_cidrs="127.0.0.0/8")


class Stage:
    """A world and its time. `api` speaks to it as the owner of the scenario's job."""

    def __init__(self, world: AwsWorld, time: VirtualTime, played: PlayedTargets) -> None:
        self.world, self._time, self._played = world, time, played
        self.api = Api(URL, "none needed", InProcess(world))

    @property
    def calls(self) -> list[Called]:
        """What the targets have seen."""
        return self._played.calls

    def play(self, until: int) -> None:
        """All that happens up to and including `until`, in ms since minute 0."""
        self._time.play(self._played.begins + until)


@contextmanager
def emulated(targets: Targets, begins: int, opens: int) -> Iterator[Stage]:
    """A deployment without jobs, at `opens` (ms since minute 0); minute 0 is `begins` (ms since the epoch)."""
    with _moto(), _single_threaded():
        yield _staged(targets, begins, opens, _tables())


@contextmanager
def in_memory(targets: Targets, begins: int, opens: int) -> Iterator[Stage]:
    """The same over the stores in memory: much faster, and held to the same promises by the contract tests."""
    with _single_threaded():
        yield _staged(targets, begins, opens, {}, **memory_stores(_LIMITS.shards))


def _staged(targets: Targets, begins: int, opens: int, tables: dict[str, str], **stores: Any) -> Stage:
    time = VirtualTime(begins + opens)
    played = PlayedTargets(targets, time, begins)
    world = AwsWorld(
        Settings(tables=tables, region=_REGION, retention_s=_RETENTION_S, limits=_LIMITS),
        clock=time,
        queue=VirtualQueue(time, lambda message: handle_message(world, message)),
        outbound=played,
        entropy=CountingEntropy(),
        telemetry=Silence(),
        notifications=MemoryNotifications(),
        vault=MemoryVault(),
        **stores,
    )
    time.recur(
        time.now() + _TICK_OFFSET_MS,
        MINUTE,
        lambda: run_tick(world, time.now() + MINUTE),
        is_idle=lambda: bool(stores) and not any(world.endpoints.due(0, time.now() + _FAR_AHEAD_MS)),
    )
    time.recur(time.now() + _SCHEDULE_OFFSET_MS, _SCHEDULE_MS, lambda: wake_rules(world, time.now() + MINUTE))
    return Stage(world, time, played)


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
        with mock_aws(), _quick_answers():
            yield
    finally:
        os.environ.update(kept)


@contextmanager
def _quick_answers() -> Iterator[None]:
    """moto looks for each part of an answer under a dozen names; DynamoDB's parts have the very names asked for.

    It takes a third off a play.
    """
    from moto.core import serialize

    pickers: Any = serialize.AttributePicker
    patient = pickers.__call__

    def quick(picker: Any, context: Any) -> Any:
        answer = context.obj
        if type(answer) is dict and not picker.response_transformers:
            if context.key in answer:
                return answer[context.key]
            if len(answer) == 1:  # a value, which has one of ten types
                return None
        return patient(picker, context)

    pickers.__call__ = quick
    try:
        yield
    finally:
        pickers.__call__ = patient


@contextmanager
def _single_threaded() -> Iterator[None]:
    """What use cases do in several threads is done in one: moto is not made for them, and each play is to be alike."""
    kept = Pool.submit
    Pool.submit = _at_once  # type: ignore[method-assign]
    try:
        yield
    finally:
        Pool.submit = kept  # type: ignore[method-assign]


def _at_once(_pool: Pool, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
    done: Future[Any] = Future()
    try:
        done.set_result(fn(*args, **kwargs))
    except Exception as error:  # noqa: BLE001 - raised where the result is asked for
        done.set_exception(error)
    return done
