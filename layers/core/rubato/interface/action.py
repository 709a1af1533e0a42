"""What an action is, before anybody calls it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rubato.domain.access import Scope
from rubato.interface.wire import Output, Wire


@dataclass(frozen=True, kw_only=True)
class Action:
    """One thing a caller can do. `path` names its parameters as the input does: `/jobs/{jobId}`.

    `scope` None lets any valid key. `when` tells a model when to choose this action and not its neighbour. `open_world`
    marks what makes Rubato call a target, or gives back what a target answered. `deletes` is refused to keys that may
    not delete, `tenant_wide` to keys that are bound to jobs.
    """

    name: str
    method: str
    path: str
    summary: str
    scope: Scope | None
    takes: type[Wire]
    gives: type[Output] | None
    run: Callable[..., Output | None]
    status: int = 200
    read_only: bool = False
    destructive: bool = False
    idempotent: bool = False
    versioned: bool = False
    creates: bool = False
    deletes: bool = False
    tenant_wide: bool = False
    open_world: bool = False
    when: str = ""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The path as an expression with one group for each parameter."""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path))

    @cached_property
    def needs_body(self) -> bool:
        """Whether a request without a body can't be valid."""
        fields = self.takes.model_fields.items()
        return any(field.is_required() for name, field in fields if f"{{{field.alias or name}}}" not in self.path)


def action(name: str, route: str, scope: Scope | None, summary: str, **rest: Any) -> Action:
    """An entry of the catalog; `route` is method and path, as in `GET /jobs/{jobId}`."""
    method, path = route.split(" ")
    return Action(name=name, method=method, path=path, scope=scope, summary=summary, **rest)
