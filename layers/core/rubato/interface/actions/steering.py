"""The actions that change a tempo."""

from rubato.domain.access import Caller, Scope
from rubato.domain.instant import from_iso
from rubato.interface.action import Action, action
from rubato.interface.inputs.fields import EndpointInput, ReasonedInput
from rubato.interface.inputs.steering import IntervalHintInput, OneShotInput, PauseInput
from rubato.interface.outputs.steering import FailuresReset, HintApplied, HintsCleared, PauseView, Triggered
from rubato.interface.views import steering as views
from rubato.ports import World
from rubato.usecases import steer_endpoint, trigger_run


def run_now(world: World, caller: Caller, given: EndpointInput) -> Triggered:
    """triggerRun."""
    return Triggered(run_id=trigger_run.trigger_run(world, caller, given.endpoint_id))


def apply_interval_hint(world: World, caller: Caller, given: IntervalHintInput) -> HintApplied:
    """applyIntervalHint."""
    endpoint, hint = steer_endpoint.hint_interval(
        world,
        caller,
        given.endpoint_id,
        interval_ms=given.interval_ms,
        ttl_minutes=given.ttl_minutes,
        reason=given.reason,
    )
    return views.hint_applied(endpoint, hint, world.clock.now())


def schedule_one_shot(world: World, caller: Caller, given: OneShotInput) -> HintApplied:
    """scheduleOneShotRun."""
    endpoint, hint = steer_endpoint.hint_one_shot(
        world,
        caller,
        given.endpoint_id,
        run_at=from_iso(given.run_at, "runAt") if given.run_at is not None else None,
        run_in_ms=given.run_in_ms,
        ttl_minutes=given.ttl_minutes,
        reason=given.reason,
    )
    return views.hint_applied(endpoint, hint, world.clock.now())


def pause_or_resume(world: World, caller: Caller, given: PauseInput) -> PauseView:
    """pauseOrResumeEndpoint."""
    if given.pause_until is None:
        endpoint = steer_endpoint.resume_endpoint(world, caller, given.endpoint_id, reason=given.reason)
    else:
        until = None if given.pause_until == "indefinite" else from_iso(given.pause_until, "pauseUntil")
        endpoint = steer_endpoint.pause_endpoint(world, caller, given.endpoint_id, until=until, reason=given.reason)
    return views.pause_view(endpoint, world.clock.now())


def clear_hints(world: World, caller: Caller, given: ReasonedInput) -> HintsCleared:
    """clearAdaptiveHints."""
    endpoint, count = steer_endpoint.clear_hints(world, caller, given.endpoint_id, reason=given.reason)
    return HintsCleared(cleared_count=count, next_run_at=views.next_run_at(endpoint, world.clock.now()))


def reset_failures(world: World, caller: Caller, given: ReasonedInput) -> FailuresReset:
    """resetFailureCount."""
    endpoint = steer_endpoint.reset_failures(world, caller, given.endpoint_id, reason=given.reason)
    following = views.next_run_at(endpoint, world.clock.now())
    return FailuresReset(failure_count=endpoint.state.failures, next_run_at=following)


ACTIONS: tuple[Action, ...] = (
    action(
        "triggerRun",
        "POST /endpoints/{endpointId}/run",
        Scope.SCHEDULE_WRITE,
        "Run an endpoint now, outside its schedule, even while it is paused.",
        takes=EndpointInput,
        gives=Triggered,
        run=run_now,
        status=202,
        creates=True,
        open_world=True,
        when="To test a target or see an answer at once; schedule and failure count stay. Then getRunDetails.",
    ),
    action(
        "applyIntervalHint",
        "POST /endpoints/{endpointId}/hints/interval",
        Scope.SCHEDULE_WRITE,
        "Change an endpoint's interval for a while; the baseline returns by itself.",
        takes=IntervalHintInput,
        gives=HintApplied,
        run=apply_interval_hint,
        status=201,
        creates=True,
        when="To look closer in trouble or to lower load; a newer one of yours replaces the older.",
    ),
    action(
        "scheduleOneShotRun",
        "POST /endpoints/{endpointId}/hints/one-shot",
        Scope.SCHEDULE_WRITE,
        "Run an endpoint once at a time, or after a delay, beside its rhythm.",
        takes=OneShotInput,
        gives=HintApplied,
        run=schedule_one_shot,
        status=201,
        creates=True,
        open_world=True,
        when="Give runAt or runInMs, not both. For a check after a deployment or a recovery step; for now, triggerRun.",
    ),
    action(
        "pauseOrResumeEndpoint",
        "POST /endpoints/{endpointId}/pause",
        Scope.SCHEDULE_WRITE,
        "Pause an endpoint until a time or indefinitely, or resume it.",
        takes=PauseInput,
        gives=PauseView,
        run=pause_or_resume,
        idempotent=True,
        when="For maintenance or a target known to be down; prefer a time to indefinite.",
    ),
    action(
        "clearAdaptiveHints",
        "DELETE /endpoints/{endpointId}/hints",
        Scope.SCHEDULE_WRITE,
        "End all hints of an endpoint: back to the baseline at once.",
        takes=ReasonedInput,
        gives=HintsCleared,
        run=clear_hints,
        destructive=True,
        idempotent=True,
        when="Ends everybody's hints, not only yours.",
    ),
    action(
        "resetFailureCount",
        "POST /endpoints/{endpointId}/reset-failures",
        Scope.SCHEDULE_WRITE,
        "Forget consecutive failures, and with them the backoff.",
        takes=ReasonedInput,
        gives=FailuresReset,
        run=reset_failures,
        idempotent=True,
        when="When the cause is fixed and the next run shall not wait for the backoff.",
    ),
)
