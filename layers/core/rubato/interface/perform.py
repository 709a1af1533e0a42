"""Performing an action for a caller: the one way through which HTTP and MCP go."""

from typing import Any

from rubato.domain.access import Caller
from rubato.domain.errors import Forbidden
from rubato.interface.action import Action
from rubato.interface.idempotency import once
from rubato.interface.wire import Output, Wire
from rubato.ports import World
from rubato.usecases.charge_change import charge_change


def allows(caller: Caller, action: Action) -> bool:
    """Whether the caller's scopes and budget have room for the action at all."""
    return caller.may(action.scope) and _excluded(caller, action) is None


def admit(caller: Caller, action: Action) -> None:
    """Raise Forbidden, naming what is missing, unless `allows`."""
    caller.require(action.scope)
    excluded = _excluded(caller, action)
    if excluded is not None:
        raise Forbidden(excluded)


def perform(
    world: World, caller: Caller, action: Action, given: Wire, key: str | None = None, **options: Any
) -> Output | None:
    """Run the action, under its idempotency key if it creates and there is one. Each change counts once."""

    def run() -> Output | None:
        if not action.read_only:
            charge_change(world, caller)
        output: Output | None = action.run(world, caller, given, **options)
        return output

    return once(world, caller, action, key, given, run) if key is not None else run()


def _excluded(caller: Caller, action: Action) -> str | None:
    if action.deletes and not caller.budget.may_delete:
        return "this key may not delete; ask a person, or for a key that may"
    if action.tenant_wide and caller.budget.job_ids is not None:
        return "this key is bound to certain jobs, and this reaches beyond them; ask a person, or for a key that is not"
    return None
