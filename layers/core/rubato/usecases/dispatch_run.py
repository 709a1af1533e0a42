"""The dispatcher: re-check the claim, call the target at its time, record the run, replan."""

from dataclasses import replace

from rubato.domain import lease, misfire
from rubato.domain.compose import compose
from rubato.domain.endpoint import Claim, Endpoint, RunStatus
from rubato.domain.errors import NotFound, RubatoError, WriteRaced
from rubato.domain.exchange import Call, ErrorKind, Reply
from rubato.domain.lease import RunResult
from rubato.domain.runs import Run, judge
from rubato.ports import RunMessage, World
from rubato.usecases.claim_due import overdue
from rubato.usecases.compile_run import compile_run
from rubato.usecases.replan import Changed, replan

# A message that comes earlier than this goes back to the queue: a worker does not sleep for long.
_EARLY_MS = 5_000
# The start is written this long before the run is due, so that the call itself begins on time.
_START_LEAD_MS = 25


class _LeaseLost(RubatoError):
    """Another holder has the endpoint; this one may only leave a record."""


def dispatch_run(world: World, message: RunMessage) -> str:
    """Handle one message of the run queue, whatever became of its claim meanwhile; gives the outcome's name.

    Safe to repeat. Raises what the store raises; the claim's lease then brings the run back.
    """
    endpoint = world.endpoints.load(message.endpoint_id)
    if endpoint is None or (message.run_id is not None and not lease.stands(endpoint.state, message.fence)):
        return "stale"
    if message.due - world.clock.now() > _EARLY_MS:
        world.queue.send([message], world.clock.now())
        return "early"
    if message.run_id is None:
        world.clock.sleep_until(message.due)
        replan(world, message.endpoint_id, overdue)
        return "woken"
    world.clock.sleep_until(message.due - _START_LEAD_MS)
    started = _start(world, endpoint, message.fence)
    if started is None:
        return "stale"
    return _run(world, started)


def _start(world: World, endpoint: Endpoint, fence: int) -> Endpoint | None:
    """Put the claimed run in flight by a conditional write; None when the claim is gone or too late to run."""
    current: Endpoint | None = endpoint
    while current is not None and lease.stands(current.state, fence):
        claim = current.state.claim
        assert claim is not None
        now = max(world.clock.now(), claim.plan.due)
        ready = _latest_slot(current, now)
        if ready is None:
            replan(world, current.id, _missed)
            return None
        started = lease.start(ready, now)
        try:
            return replace(started, state=world.endpoints.save_state(current.id, current.state, started.state))
        except WriteRaced:
            current = world.endpoints.load(current.id)
    return None


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


def _run(world: World, endpoint: Endpoint) -> str:
    claim = endpoint.state.claim
    assert claim is not None
    already = world.runs.get(claim.run_id) if claim.attempt > 1 else None
    if already is not None and already.attempt >= claim.attempt - 1 and already.finished_at is not None:
        # The worker died between the record and the schedule: the target was called, only the end is missing.
        return _end(world, endpoint, already)
    call = compose(endpoint.config, claim)
    started_at, reply = _call(world, endpoint, claim, call)
    finished_at = world.clock.now()
    verdict = judge(reply, endpoint.config.success_codes)
    run = compile_run(endpoint, call, reply, verdict, started_at=started_at, finished_at=finished_at)
    world.telemetry.measure("lateness", run.lateness_ms or 0)
    if finished_at >= claim.lease_until:
        return _too_late(world, run)
    world.runs.record(run)
    return _end(world, endpoint, run)


def _call(world: World, endpoint: Endpoint, claim: Claim, call: Call) -> tuple[int, Reply]:
    resting = endpoint.state.is_paused(world.clock.now()) and not claim.is_manual
    gone = claim.attempt > 1 and (endpoint.is_deleted or resting)
    if claim.attempt > lease.MAX_ATTEMPTS or gone:
        why = "the workers of all attempts died" if not gone else "its worker died and the endpoint stopped meanwhile"
        return world.clock.now(), Reply(duration_ms=0, error_kind=ErrorKind.LOST, error_message=why)
    world.clock.sleep_until(claim.plan.due)
    started_at = world.clock.now()
    return started_at, world.outbound.send(call)


def _end(world: World, endpoint: Endpoint, run: Run) -> str:
    claim = endpoint.state.claim
    assert claim is not None and run.started_at is not None and run.finished_at is not None
    result = RunResult(run.status, run.started_at, run.finished_at)

    def ended(latest: Endpoint, now: int) -> Changed:
        if not lease.holds(latest.state, claim.fence, now):
            raise _LeaseLost(run.run_id)
        return Changed(lease.finish(latest, result, now))

    try:
        replan(world, endpoint.id, ended, known=endpoint)
    except (_LeaseLost, NotFound):
        return _too_late(world, run)
    return "success" if run.status is RunStatus.SUCCESS else "failure"


def _too_late(world: World, run: Run) -> str:
    world.runs.record_late(run)
    world.telemetry.warn("lease lost", endpointId=run.endpoint_id, runId=run.run_id, attempt=run.attempt)
    return "lease_lost"
