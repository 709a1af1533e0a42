"""From a path to the actions that answer it."""

import re

from rubato.interface.action import Action
from rubato.interface.catalog import CATALOG


def matching(path: str) -> list[tuple[Action, re.Match[str]]]:
    """The actions of the one route that a path names, each with the parameters in it; empty when there is none.

    A literal segment wins over a parameter: `/runs/export` is no run of that id, whatever the method.
    """
    found = [(action, match) for action in CATALOG if (match := action.pattern.fullmatch(path))]
    nearest = min((_parameters(action) for action, _ in found), default=None)
    return [(action, match) for action, match in found if _parameters(action) == nearest]


def _parameters(action: Action) -> list[bool]:
    """Where the path has parameters; of two that match the same text, the more literal one sorts first."""
    return [segment.startswith("{") for segment in action.path.split("/")]
