"""The planner's schedule: wake the rules of every job that has some, find what a model should look at, fan both out."""

from collections import Counter

from rubato.ports import World
from rubato.usecases.ask_rules import wake_rules
from rubato.usecases.find_endpoints_to_analyse import find_endpoints_to_analyse


def run_planner(world: World, deadline: int) -> Counter[str]:
    """One look around, until `deadline` (ms), of which rules have half; gives counts.

    Trouble with rules holds up no analysis.
    """
    now = world.clock.now()
    woken = _wake_rules(world, now + (deadline - now) // 2)
    return +(woken + find_endpoints_to_analyse(world, deadline))


def _wake_rules(world: World, deadline: int) -> Counter[str]:
    try:
        return wake_rules(world, deadline)
    except Exception as error:  # noqa: BLE001 - see above; the next schedule wakes them
        world.telemetry.warn("rules not woken", error=type(error).__name__)
        return Counter()
