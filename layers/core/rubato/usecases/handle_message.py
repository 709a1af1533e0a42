"""One message of the run queue, to whom it concerns."""

from collections.abc import Callable
from typing import Any

from rubato.domain.messages import (
    AnalysisMessage,
    JobMessage,
    Message,
    NotifyMessage,
    RuleMessage,
    RunMessage,
    SigningMessage,
    TellMessage,
    TenantMessage,
)
from rubato.ports import World
from rubato.usecases.announce_turn import announce_turn
from rubato.usecases.dispatch_run import dispatch_run
from rubato.usecases.enforce_quota import release_tenant
from rubato.usecases.follow_job import take_second_look
from rubato.usecases.follow_signing import take_second_look_at_signing
from rubato.usecases.tell_followers import take_second_look_at_followers


def handle_message(world: World, message: Message) -> str:
    """Handle a message and give the outcome's name. Safe to repeat; raises what the store raises."""
    _note(world, message)
    return _HANDLERS[type(message)](world, message)


# NOTE: imported in the two below: dispatchers, which import this module, never receive such messages.
def _look(world: World, message: RuleMessage) -> str:
    from rubato.usecases.evaluate_rules import answer

    return answer(world, message)


def _analyse(world: World, message: AnalysisMessage) -> str:
    from rubato.usecases.analyse_endpoint import analyse_endpoint

    return analyse_endpoint(world, message)


_HANDLERS: dict[type[Message], Callable[[World, Any], str]] = {
    RunMessage: dispatch_run,
    JobMessage: take_second_look,
    TenantMessage: release_tenant,
    SigningMessage: take_second_look_at_signing,
    TellMessage: take_second_look_at_followers,
    NotifyMessage: announce_turn,
    RuleMessage: _look,
    AnalysisMessage: _analyse,
}


def _note(world: World, message: Message) -> None:
    names = {"jobId": "job_id", "tenantId": "tenant_id", "endpointId": "endpoint_id", "runId": "run_id"}
    world.telemetry.note(**{name: getattr(message, field, None) for name, field in names.items()})
