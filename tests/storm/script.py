"""Who does what, and when: every decision of a storm as a function of the seed and of who takes it.

What the operating system makes of it (which thread or process comes first) is no function of the seed.
"""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Deed:
    """After `wait_s`, somebody does `action` to the `index`-th endpoint or actor (modulo how many there are)."""

    wait_s: float
    action: str
    index: int
    given: dict[str, Any] = field(default_factory=dict)


_WRITES = {
    "hint": 10, "one_shot": 14, "clear": 5, "pause": 4, "nap": 7, "resume": 12, "rebase": 6, "edit": 5, "run": 12,
    "reset": 3, "arrive": 5, "leave": 4, "hold_job": 2, "free_job": 4,
}  # fmt: skip
_BLOWS = {"kill dispatcher": 10, "freeze dispatcher": 4, "kill tick": 3, "freeze tick": 2, "kill writer": 2}


def chance(seed: int, name: str) -> random.Random:
    """The source of the decisions that `name` takes."""
    return random.Random(f"{seed}/{name}")


def writes(seed: int, name: str, pause_s: float) -> Iterator[Deed]:
    """What a writer asks of the API, without end; `pause_s` apart on average."""
    draw = chance(seed, name)
    while True:
        action = draw.choices(list(_WRITES), list(_WRITES.values()))[0]
        yield Deed(draw.expovariate(1 / pause_s), action, draw.randrange(10_000), _given(draw, action))


def _given(draw: random.Random, action: str) -> dict[str, Any]:
    match action:
        case "hint":
            return {"intervalMs": draw.randrange(1000, 4000), "ttlMinutes": 1}
        case "one_shot":
            return {"runInMs": draw.randrange(0, 5000)}
        case "nap":
            return {"ms": draw.randrange(200, 4000)}
        case "rebase" | "arrive":
            return {"intervalMs": draw.randrange(1000, 3000)}
        case "edit":
            return {"timeoutMs": draw.randrange(1200, 1900), "missedRuns": draw.choice(["run_once", "skip"])}
    return {}


def blows(seed: int, every_s: float, longest_freeze_s: float) -> Iterator[Deed]:
    """What befalls the actors, without end; `every_s` apart on average. A frozen one goes on after `for_s` seconds."""
    draw = chance(seed, "fate")
    while True:
        action = draw.choices(list(_BLOWS), list(_BLOWS.values()))[0]
        given = {"for_s": draw.uniform(0.2, longest_freeze_s)} if action.startswith("freeze") else {}
        yield Deed(draw.uniform(0.3, 1.7) * every_s, action, draw.randrange(10_000), given)


def share(*parts: object) -> float:
    """A number from [0, 1) that follows from the parts alone: how a target behaves on one attempt."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
