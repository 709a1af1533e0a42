"""In which order endpoints are written: what an endpoint names comes before it."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from cli.trouble import Trouble


def named_by(endpoint: Mapping[str, Any]) -> tuple[str, ...]:
    """The endpoints that one waits for: its gate and what it follows."""
    return (*endpoint["dependsOn"], *endpoint["baseline"].get("after", ()))


def in_order(endpoints: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names, each after those that it names; raises Trouble for a cycle.

    So no request names what is not there yet, nor makes a cycle with how an endpoint stood before.
    """
    ours = {each["name"]: each for each in endpoints}
    graph = {name: [other for other in named_by(each) if other in ours] for name, each in ours.items()}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = " -> ".join(map(repr, reversed(error.args[1])))
        raise Trouble(f"endpoints wait for each other: {circle}; take one name out of dependsOn or after") from None
