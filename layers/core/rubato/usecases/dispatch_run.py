"""The dispatcher: re-check the claim, and put the run in flight at its time."""

from dataclasses import replace

from rubato.domain import lease, misfire
from rubato.domain.endpoint import Endpoint
from rubato.domain.errors import Conflict, WriteRaced
from rubato.domain.messages import RunMessage
from rubato.ports import World
from rubato.usecases import enforce_quota
from rubato.usecases.attempt_run import attempt_run
from rubato.usecases.claim_due import overdue
from rubato.usecases.prepare_call import look_ahead
from rubato.usecases.references import closed_gate
from rubato.usecases.replan import MAX_TRIES, Changed, replan
from rubato.usecases.send_messages import NotSent, send_messages

# A message that comes earlier than this goes back to the queue: a worker does not sleep for long.
_EARLY_MS = 5_000
# The start is written this long before the run is due, so that the call itself begins on time.
_START_LEAD_MS = 25
# What a target made of a run. Of a synthetic one it says nothing of the users' targets, and is counted apart.
_OF_TARGETS = ("success", "failure", "retry")


def dispatch_run(world: World, message: RunMessage) -> str:
    """Handle one message of the run queue, whatever became of its claim meanwhile; gives the outcome's name.

    Safe to repeat. Raises what the store raises; the claim's lease then brings the run back.
    """
    endpoint = world.endpoints.load(message.endpoint_id)
    if endpoint is None or (message.run_id is not None and not lease.stands(endpoint.state, message.fence)):
        return _dropped(endpoint, message)
    world.telemetry.note(tenantId=endpoint.config.tenant_id, jobId=endpoint.config.job_id)
    if message.due - world.clock.now() > _EARLY_MS:
        if not send_messages(world, [message], "early message not sent", endpointId=message.endpoint_id):
            raise NotSent(message.endpoint_id)
        return "early"
    if message.run_id is None:
        world.clock.sleep_until(message.due)
        replan(world, message.endpoint_id, overdue)
        return "woken"
    look_ahead(world, endpoint)
    world.clock.sleep_until(message.due - _START_LEAD_MS)
    reason = closed_gate(world, endpoint)
    return _pass_over(world, message, reason) if reason is not None else _begin(world, endpoint, message)


def _begin(world: World, endpoint: Endpoint, message: RunMessage) -> str:
    started = _start(world, endpoint, message.fence)
    if started is None:
        return _dropped(world.endpoints.load(endpoint.id), message)
    if not enforce_quota.may_run(world, started):
        return enforce_quota.hold_until_tomorrow(world, endpoint, started)
    outcome = attempt_run(world, started)
    return f"synthetic_{outcome}" if started.state.synthetic and outcome in _OF_TARGETS else outcome


def _dropped(endpoint: Endpoint | None, message: RunMessage) -> str:
    """A duplicate speaks of a run that somebody else has begun; a stale message of one that is not to be."""
    is_duplicate = endpoint is not None and lease.is_duplicate(endpoint.state, message.run_id or "")
    return "duplicate" if is_duplicate else "stale"


def _pass_over(world: World, message: RunMessage, reason: str) -> str:
    def skipped(latest: Endpoint, _now: int) -> Changed:
        return Changed(lease.pass_over(latest, reason) if lease.stands(latest.state, message.fence) else latest)

    replan(world, message.endpoint_id, skipped)
    return "gated"


def _start(world: World, endpoint: Endpoint, fence: int) -> Endpoint | None:
    """Put the claimed run in flight by a conditional write; None when the claim is gone or too late to run.

    Raises Conflict under endless races; the message comes back, and the claim's lease covers it.
    """
    current: Endpoint | None = endpoint
    for _ in range(MAX_TRIES):
        if current is None or not lease.stands(current.state, fence):
            return None
        claim = current.state.claim
        assert claim is not None
        now = max(world.clock.now(), claim.call_at)
        ready = _latest_slot(current, now)
        if ready is None:
            replan(world, current.id, _missed)
            return None
        started = lease.start(ready, now)
        try:
            return replace(started, state=world.endpoints.save_state(current.id, current.state, started.state))
        except WriteRaced:
            current = world.endpoints.load(current.id)
    raise Conflict(f"endpoint {endpoint.id} is being changed by too many writers")


def _latest_slot(endpoint: Endpoint, now: int) -> Endpoint | None:
    """The endpoint with its claim on the slot to run now; None when that is too late. A run that has begun stays."""
    claim = endpoint.state.claim
    assert claim is not None
    if claim.is_manual or claim.attempt > 1:
        return endpoint
    late = misfire.is_too_late(endpoint, claim.plan, now)
    outage = now - claim.plan.due > misfire.OUTAGE_MS and misfire.is_late(endpoint, now)
    return misfire.overtaken(endpoint, now) if late or outage else endpoint


def _missed(endpoint: Endpoint, now: int) -> Changed:
    if endpoint.state.is_running or not misfire.is_late(endpoint, now):
        return Changed(endpoint)
    return Changed(misfire.misfire(endpoint, now))
