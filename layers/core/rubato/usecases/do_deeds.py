"""Do what rules have decided: each deed once, whoever does it and however often it is tried.

A deed's audit event is written together with what it does to the endpoint, under an id that follows from the deed:
where the event stands, the deed is done.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rubato.domain.access import ALL_SCOPES, Caller
from rubato.domain.errors import Conflict, NotFound, RubatoError
from rubato.domain.hints import ActorKind
from rubato.domain.instant import DAY, MINUTE
from rubato.domain.jobs import Job
from rubato.domain.rule_ledger import Deed, Trouble, TroubleKind, event_id_of, hint_id_of
from rubato.domain.rules import ClearHints, PauseUntil, ProposeInterval, ProposeNextTime
from rubato.ports import World
from rubato.usecases import steer_endpoint as steering
from rubato.usecases.pool import Pool
from rubato.usecases.replan import TooManyWriters
from rubato.usecases.steer_endpoint import AlreadyDone, Once

_PARALLEL = 8
_MAX_TOLD = 300
# What can't be done for so long must not hold up the job's other rules for ever.
_PATIENCE_MS = DAY
_ACTIONS = {
    ProposeInterval: "applyIntervalHint",
    ProposeNextTime: "scheduleOneShotRun",
    PauseUntil: "pauseOrResumeEndpoint",
    ClearHints: "clearAdaptiveHints",
}


class _TooLate(Conflict):
    """Its time is over; nobody has looked yet whether it was done while there was time."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a deed: done, with the trouble if it was refused; or `failed`, and to be tried again."""

    deed: Deed
    trouble: Trouble | None = None
    failed: Exception | None = None


def do_deeds(world: World, job: Job, deeds: Sequence[Deed]) -> list[Tried]:
    """Try each of them, those of one endpoint in their order; what fails or is refused stops none of the others."""
    by_endpoint: dict[str, list[Deed]] = {}
    for deed in deeds:
        by_endpoint.setdefault(deed.action.endpoint, []).append(deed)
    ids = world.endpoints.named(job.job_id, sorted(by_endpoint))

    def do_all(name: str) -> list[Tried]:
        return [_try(world, job, deed, ids.get(name)) for deed in by_endpoint[name]]

    with Pool(_PARALLEL) as pool:
        return [tried for group in pool.map(do_all, by_endpoint) for tried in group]


def _try(world: World, job: Job, deed: Deed, endpoint_id: str | None) -> Tried:
    try:
        return _tried(world, job, deed, endpoint_id)
    except Exception as error:  # noqa: BLE001 - the others are done all the same; this one is tried again
        if world.clock.now() - deed.at < _PATIENCE_MS:
            return Tried(deed, failed=error)
        return Tried(deed, _trouble(world, deed, f"failed for a day: {type(error).__name__}"))


def _tried(world: World, job: Job, deed: Deed, endpoint_id: str | None) -> Tried:
    try:
        _do(world, job, deed, endpoint_id)
    except TooManyWriters:
        raise
    except AlreadyDone:
        return Tried(deed)
    except RubatoError as refusal:
        return _refused(world, job, deed, endpoint_id, refusal)
    return Tried(deed)


def _do(world: World, job: Job, deed: Deed, endpoint_id: str | None) -> None:
    if endpoint_id is None:
        raise NotFound("endpoint", deed.action.endpoint)
    caller, once = _caller(job, deed), _once(job, deed)
    match deed.action:
        case ProposeInterval():
            _hint_interval(world, caller, endpoint_id, deed, once)
        case ProposeNextTime():
            _hint_one_shot(world, caller, endpoint_id, deed, once)
        case PauseUntil():
            _pause(world, caller, endpoint_id, deed, once)
        case ClearHints():
            mine = caller.actor
            steering.clear_hints(
                world, caller, endpoint_id, reason=deed.reason, only_by=lambda author: author == mine, once=once
            )


def _hint_interval(world: World, caller: Caller, endpoint_id: str, deed: Deed, once: Once) -> None:
    action = deed.action
    assert isinstance(action, ProposeInterval)
    minutes = action.ttl_minutes or steering.DEFAULT_INTERVAL_TTL_MINUTES
    _require_in_time(world, deed.at + minutes * MINUTE)
    steering.hint_interval(
        world,
        caller,
        endpoint_id,
        interval_ms=action.interval_ms,
        ttl_minutes=minutes,
        reason=deed.reason,
        once=once,
    )


def _hint_one_shot(world: World, caller: Caller, endpoint_id: str, deed: Deed, once: Once) -> None:
    """A delay counts from the firing."""
    action = deed.action
    assert isinstance(action, ProposeNextTime)
    minutes = action.ttl_minutes or steering.DEFAULT_ONE_SHOT_TTL_MINUTES
    moment = deed.at + (action.run_in_ms or 0)
    if action.run_at is None:
        _require_in_time(world, moment + minutes * MINUTE)
    steering.hint_one_shot(
        world,
        caller,
        endpoint_id,
        run_at=action.run_at,
        run_in_ms=max(moment - world.clock.now(), 0) if action.run_at is None else None,
        ttl_minutes=minutes,
        reason=deed.reason,
        once=once,
    )


def _pause(world: World, caller: Caller, endpoint_id: str, deed: Deed, once: Once) -> None:
    action = deed.action
    assert isinstance(action, PauseUntil)
    if action.resumes:
        steering.resume_endpoint(world, caller, endpoint_id, reason=deed.reason, once=once)
        return
    until = deed.at + action.for_minutes * MINUTE if action.for_minutes is not None else action.until
    steering.pause_endpoint(world, caller, endpoint_id, until=until, reason=deed.reason, once=once)


def _require_in_time(world: World, end: int) -> None:
    """What was held up for longer than it was to last is not begun any more."""
    if world.clock.now() >= end:
        raise _TooLate("it was held up until its time to live had ended")


def _refused(world: World, job: Job, deed: Deed, endpoint_id: str | None, refusal: RubatoError) -> Tried:
    name, why = _ACTIONS[type(deed.action)], str(refusal)[:_MAX_TOLD]
    try:
        if endpoint_id is not None:
            steering.note_refusal(
                world, _caller(job, deed), endpoint_id, name, why=why, reason=deed.reason, once=_once(job, deed)
            )
    except AlreadyDone:
        if isinstance(refusal, _TooLate):
            return Tried(deed)
    except NotFound:
        endpoint_id = None
    world.telemetry.count("rule_refused")
    world.telemetry.info("action of a rule refused", rule=deed.rule, action=name, endpointId=endpoint_id)
    return Tried(deed, _trouble(world, deed, f"was refused: {why}"))


def _trouble(world: World, deed: Deed, what: str) -> Trouble:
    message = f"{_ACTIONS[type(deed.action)]} of {deed.action.endpoint!r} {what}"
    return Trouble(rule=deed.rule, kind=TroubleKind.ACTION, message=message, at=world.clock.now())


def _caller(job: Job, deed: Deed) -> Caller:
    return Caller(tenant_id=job.tenant_id, key_id=deed.rule, kind=ActorKind.RULE, scopes=ALL_SCOPES)


def _once(job: Job, deed: Deed) -> Once:
    return Once(hint_id=hint_id_of(job.job_id, deed), event_id=event_id_of(job.job_id, deed))
