"""The people behind a job hear of its endpoints' turns, at least once, whatever dies on the way.

A turn goes on the queue before the end of its run is written, as a worker may die right after that. Whoever takes it
from there looks whether the end was written. Neither a queue nor a destination that is down holds up a run.
"""

from rubato.domain.endpoint import Claim, Endpoint
from rubato.domain.errors import RubatoError
from rubato.domain.instant import SECOND
from rubato.domain.jobs import NotificationRules
from rubato.domain.messages import NotifyMessage
from rubato.domain.notices import has_happened, is_wanted, notice_of, turns
from rubato.ports import World

# Longer than the end of a run usually takes to be written. When it takes longer, it is looked at again.
_AFTER_END_MS = 5 * SECOND


class _NotSent(RubatoError):
    """The message goes back to the queue as it is."""


def promise_to_announce(world: World, claim: Claim, before: Endpoint, after: Endpoint) -> None:
    """Put on the queue what the end of the claimed run turns, just before it is written. Never raises."""
    found = turns(before.state, after.state)
    if not found or not world.notifications.is_on:
        return
    try:
        rules = _rules(world, before.config.job_id)
        now = world.clock.now()
        messages = [
            NotifyMessage(
                endpoint_id=before.id, due=now + _AFTER_END_MS, run_id=claim.run_id, fence=claim.fence, turn=turn
            )
            for turn in found
            if is_wanted(rules, turn)
        ]
        unsent = world.queue.send(messages, now) if messages else []
    except Exception as error:  # noqa: BLE001 - the run ends all the same
        world.telemetry.warn("turn not announced", endpointId=before.id, runId=claim.run_id, error=type(error).__name__)
        return
    if unsent:
        world.telemetry.warn("turn not announced", endpointId=before.id, runId=claim.run_id)


def announce_turn(world: World, message: NotifyMessage) -> str:
    """What the dispatcher does with such a message. Raises what the destination raises: the queue then tries again."""
    endpoint = world.endpoints.load(message.endpoint_id)
    if endpoint is None or endpoint.is_deleted:
        return "unannounced"
    claim, now = endpoint.state.claim, world.clock.now()
    if claim is not None and claim.run_id == message.run_id:
        # While its holder may still write, wait. Whoever takes the run over announces what comes of it.
        held = claim.fence == message.fence and now < claim.lease_until
        return _look_again(world, message) if held else "unannounced"
    run, job = world.runs.get(message.run_id), world.jobs.get(endpoint.config.job_id)
    if run is None or job is None or not has_happened(message.turn, endpoint.state, run):
        return "unannounced"
    world.notifications.publish(notice_of(message.turn, job, endpoint, run))
    world.telemetry.info("notice sent", kind=message.turn.kind.value, failureCount=message.turn.failures)
    return "announced"


def _rules(world: World, job_id: str) -> NotificationRules:
    job = world.jobs.get(job_id)
    return job.notifications if job is not None else NotificationRules()


def _look_again(world: World, message: NotifyMessage) -> str:
    now = world.clock.now()
    again = NotifyMessage(
        endpoint_id=message.endpoint_id,
        due=now + _AFTER_END_MS,
        run_id=message.run_id,
        fence=message.fence,
        turn=message.turn,
    )
    if world.queue.send([again], now):
        raise _NotSent(message.run_id)
    return "early"
