"""One message of the run queue, to whom it concerns."""

from rubato.domain.messages import JobMessage, Message, NotifyMessage, RuleMessage, TellMessage, TenantMessage
from rubato.ports import World
from rubato.usecases.announce_turn import announce_turn
from rubato.usecases.dispatch_run import dispatch_run
from rubato.usecases.enforce_quota import release_tenant
from rubato.usecases.follow_job import take_second_look
from rubato.usecases.tell_followers import take_second_look_at_followers


def handle_message(world: World, message: Message) -> str:
    """Handle a message and give the outcome's name. Safe to repeat; raises what the store raises."""
    _note(world, message)
    if isinstance(message, JobMessage):
        return take_second_look(world, message)
    if isinstance(message, TenantMessage):
        return release_tenant(world, message)
    if isinstance(message, TellMessage):
        return take_second_look_at_followers(world, message)
    if isinstance(message, NotifyMessage):
        return announce_turn(world, message)
    if isinstance(message, RuleMessage):
        # NOTE: imported here: the dispatcher, which imports this module, never receives one.
        from rubato.usecases.evaluate_rules import answer

        return answer(world, message)
    return dispatch_run(world, message)


def _note(world: World, message: Message) -> None:
    names = {"jobId": "job_id", "tenantId": "tenant_id", "endpointId": "endpoint_id", "runId": "run_id"}
    world.telemetry.note(**{name: getattr(message, field, None) for name, field in names.items()})
