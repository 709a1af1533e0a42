"""The scheduled tick: look after lifted quotas, share the shards out, and claim what is due in its own share."""

from collections import Counter

from rubato.ports import World
from rubato.usecases.claim_due import claim_due
from rubato.usecases.enforce_quota import release_lifted


def run_tick(world: World, deadline: int) -> Counter[str]:
    """One tick, until `deadline` (ms). Gives counts by outcome, of its own share."""
    _release_lifted(world)
    return claim_due(world, share_out(world), deadline)


def share_out(world: World) -> list[int]:
    """Hand the shards out to as many workers as the deployment allows; gives those that stay for the caller.

    A worker that can't be started leaves its share to the caller.
    """
    shards, workers = range(world.limits.shards), world.limits.tick_workers
    mine = list(shards[::workers])
    for number in range(1, min(workers, len(shards))):
        share = list(shards[number::workers])
        try:
            world.tick_workers.start(share)
        except Exception as error:  # noqa: BLE001 - the share is worked here instead
            world.telemetry.warn("tick worker not started", error=type(error).__name__)
            mine += share
    return mine


def _release_lifted(world: World) -> None:
    try:
        release_lifted(world)
    except Exception as error:  # noqa: BLE001 - due runs must not wait for it; the next tick looks again
        world.telemetry.warn("lifted quotas not looked at", error=type(error).__name__)
