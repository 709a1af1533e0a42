"""One attempt of a run in flight: call the target, then plan another attempt, or record the run and replan."""

from collections.abc import Callable

from rubato.domain import lease, retries
from rubato.domain.compose import compose
from rubato.domain.endpoint import Claim, Endpoint, RunStatus
from rubato.domain.errors import NotFound, RubatoError
from rubato.domain.exchange import Attempt, Call, ErrorKind, Reply
from rubato.domain.lease import RunResult
from rubato.domain.runs import Run, Verdict, judge
from rubato.ports import World
from rubato.usecases.announce_turn import promise_to_announce
from rubato.usecases.ask_rules import ask_rules
from rubato.usecases.compile_run import compile_run
from rubato.usecases.prepare_call import prepare_call
from rubato.usecases.record_event import pause_event
from rubato.usecases.replan import Changed, replan
from rubato.usecases.tell_followers import followers_of, tell


class _Final(RubatoError):
    """No further attempt is to be made."""


class _LeaseLost(RubatoError):
    """Another holder has the endpoint; this one may only leave a record."""


def attempt_run(world: World, endpoint: Endpoint) -> str:
    """Carry out the attempt that was just put in flight; gives the outcome's name."""
    claim = _claim(endpoint)
    world.telemetry.note(attempt=claim.attempt)
    recorded = _recorded(world, claim)
    if recorded is not None:
        return _end(world, endpoint, recorded)
    call = compose(endpoint.config, claim)
    given_up = _given_up(endpoint, world.clock.now())
    if given_up is not None:
        return _conclude(world, endpoint, compile_run(endpoint, call, None, given_up, claim.tried, world.clock.now()))
    return _attempt(world, endpoint, call)


def _attempt(world: World, endpoint: Endpoint, call: Call) -> str:
    claim = _claim(endpoint)
    prepared = prepare_call(world, endpoint, call)
    world.clock.sleep_until(claim.call_at)
    started_at = world.clock.now()
    if started_at + call.timeout_ms >= claim.lease_until:
        # A worker that stood still, or waited for the store: another one may be calling before this call has ended.
        world.telemetry.warn("lease lost", endpointId=endpoint.id, runId=claim.run_id, attempt=claim.attempt)
        return "lease_lost"
    _count_call(world, endpoint, started_at, is_made=prepared.refusal is None)
    prepared = prepared.signed(claim.run_id, started_at)
    reply = prepared.send(world.outbound)
    finished_at = world.clock.now()
    verdict = judge(reply, endpoint.config.success_codes)
    attempts = (*claim.tried, _attempt_of(claim, started_at, reply, verdict))
    run = compile_run(endpoint, prepared.shown, reply, verdict, attempts, finished_at)
    if verdict.status is RunStatus.FAILURE and finished_at < claim.lease_until:
        return _retry(world, endpoint, run, reply)
    return _conclude(world, endpoint, run, reply)


def _count_call(world: World, endpoint: Endpoint, started_at: int, *, is_made: bool) -> None:
    """Calls of synthetic jobs are no use of Rubato, and a target's trouble there must not look like the users'."""
    claim, is_synthetic = _claim(endpoint), endpoint.state.synthetic
    if is_made and not is_synthetic:
        world.telemetry.count("dispatched")
    if not claim.tried and is_synthetic:
        world.telemetry.measure("synthetic_lateness", max(started_at - claim.plan.due, 0))
    elif not claim.tried:
        world.telemetry.measure("lateness", max(started_at - claim.plan.due, 0))


def _attempt_of(claim: Claim, started_at: int, reply: Reply, verdict: Verdict) -> Attempt:
    return Attempt(
        attempt=claim.attempt,
        started_at=started_at,
        duration_ms=reply.duration_ms,
        status_code=reply.status_code,
        error_kind=verdict.error_kind,
        error_message=verdict.error_message,
    )


def _recorded(world: World, claim: Claim) -> Run | None:
    """The run, if a worker that died had recorded it: the target was called, only the end is missing."""
    if not claim.tried or claim.tried[-1].error_kind is not ErrorKind.LOST:
        return None
    run = world.runs.get(claim.run_id)
    if run is None or run.is_late or run.finished_at is None:
        return None
    return run if run.attempt >= claim.attempt - 1 else None


def _given_up(endpoint: Endpoint, now: int) -> Verdict | None:
    """How a run ends whose next attempt is not made; None when it is to be made."""
    claim, state = _claim(endpoint), endpoint.state
    if not claim.tried:
        return None
    last = claim.tried[-1]
    if claim.lost_count >= lease.MAX_LOST_ATTEMPTS:
        return Verdict(RunStatus.FAILURE, ErrorKind.LOST, "the workers of all attempts died")
    if claim.given_up or endpoint.is_deleted or (state.is_paused(now) and not claim.is_manual):
        return Verdict(RunStatus.FAILURE, last.error_kind, f"{last.error_message}; the next attempt was overtaken")
    return None


def _retry(world: World, endpoint: Endpoint, run: Run, reply: Reply) -> str:
    """Plan another attempt, as the endpoint stands now, with what was written meanwhile; else the run ends."""
    claim, failed = _claim(endpoint), run.attempts[-1]

    def waits(latest: Endpoint, now: int) -> Changed:
        _require_lease(latest, claim, now)
        again_at = retries.retry_at(latest, reply, now)
        if again_at is None:
            raise _Final(run.run_id)
        return Changed(lease.wait_for_retry(latest, failed, again_at, now))

    try:
        replan(world, endpoint.id, waits, known=endpoint)
    except _Final:
        return _conclude(world, endpoint, run, reply)
    except (_LeaseLost, NotFound):
        return _too_late(world, run)
    _log(world.telemetry.info, "attempt failed; another follows", run)
    return "retry"


def _conclude(world: World, endpoint: Endpoint, run: Run, reply: Reply | None = None) -> str:
    assert run.finished_at is not None
    if run.finished_at >= _claim(endpoint).lease_until:
        return _too_late(world, run)
    world.runs.record(run)
    return _end(world, endpoint, run, reply)


def _end(world: World, endpoint: Endpoint, run: Run, reply: Reply | None = None) -> str:
    claim = _claim(endpoint)
    assert run.started_at is not None and run.finished_at is not None
    counts = reply is None or not reply.is_outage
    result = RunResult(run.status, run.started_at, run.finished_at, counts)

    def ended(latest: Endpoint, now: int) -> Changed:
        _require_lease(latest, claim, now)
        after = lease.finish(latest, result, now)
        promise_to_announce(world, claim, latest, after)
        if after.state.pause == latest.state.pause:
            return Changed(after)
        world.telemetry.warn("paused automatically", failureCount=after.state.failures)
        return Changed(after, (pause_event(world, after),))

    succeeded = run.status is RunStatus.SUCCESS and not claim.is_manual
    followers = followers_of(world, endpoint) if succeeded else []
    try:
        saved = replan(world, endpoint.id, ended, known=endpoint)
    except (_LeaseLost, NotFound):
        return _too_late(world, run)
    if saved.state.ruled:
        ask_rules(world, saved.config.job_id)
    if followers:
        tell(world, followers, endpoint.config.name, run.finished_at)
    if run.status is RunStatus.SUCCESS:
        _log(world.telemetry.debug, "run succeeded", run)
        return "success"
    _log(world.telemetry.info, "run failed", run)
    return "failure"


def _log(write: Callable[..., None], message: str, run: Run) -> None:
    kind = run.error_kind.value if run.error_kind else None
    times = {"latenessMs": run.lateness_ms, "durationMs": run.duration_ms}
    write(message, source=run.source.value, statusCode=run.status_code, errorKind=kind, **times)


def _require_lease(latest: Endpoint, claim: Claim, now: int) -> None:
    if not lease.holds(latest.state, claim.fence, now):
        raise _LeaseLost(claim.run_id)


def _too_late(world: World, run: Run) -> str:
    world.runs.record_late(run)
    world.telemetry.warn("lease lost")
    return "lease_lost"


def _claim(endpoint: Endpoint) -> Claim:
    claim = endpoint.state.claim
    assert claim is not None
    return claim
