"""Change an endpoint's tempo for a while: hints, pause and resume, clear, reset. Effective before the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rubato.domain import ids, steering
from rubato.domain.access import Caller
from rubato.domain.endpoint import Endpoint
from rubato.domain.errors import NotFound
from rubato.domain.hints import Actor, Hint, HintKind
from rubato.domain.instant import to_iso
from rubato.ports import World
from rubato.usecases.lookup import owns
from rubato.usecases.record_event import event_by
from rubato.usecases.replan import Changed, replan

DEFAULT_INTERVAL_TTL_MINUTES = 60
DEFAULT_ONE_SHOT_TTL_MINUTES = 30


@dataclass(frozen=True, slots=True)
class Once:
    """For what is tried until it is done, and must be done once: ids that follow from its cause."""

    hint_id: str
    event_id: str


class AlreadyDone(Exception):
    """The event of this change has been written, and with it the change."""


Steer = Callable[[Endpoint, int], tuple[Endpoint, dict[str, Any], dict[str, Any]]]


def hint_interval(
    world: World,
    caller: Caller,
    endpoint_id: str,
    *,
    interval_ms: int,
    ttl_minutes: int | None,
    reason: str | None,
    once: Once | None = None,
) -> tuple[Endpoint, Hint]:
    """A new cadence until the hint expires.

    Raises Invalid outside the clamps or at an eleventh hint, NotFound, and AlreadyDone for what is done `once` only.
    """
    ttl = steering.ttl_ms(ttl_minutes or DEFAULT_INTERVAL_TTL_MINUTES)
    hint_id = once.hint_id if once is not None else _new_hint_id(world)

    def steer(endpoint: Endpoint, now: int) -> tuple[Endpoint, dict[str, Any], dict[str, Any]]:
        steering.check_interval(endpoint, interval_ms, world.limits.min_interval_ms)
        hint = steering.interval_hint(
            endpoint, hint_id, caller.actor, now, interval_ms=interval_ms, ttl_ms=ttl, reason=reason
        )
        return steering.hinted(endpoint, hint, now), {}, _told(hint)

    return _hinted(_steer(world, caller, endpoint_id, "applyIntervalHint", steer, reason, once), hint_id)


def hint_one_shot(  # noqa: PLR0913 - as many as a request has, and what makes it once
    world: World,
    caller: Caller,
    endpoint_id: str,
    *,
    run_at: int | None,
    run_in_ms: int | None,
    ttl_minutes: int | None,
    reason: str | None,
    once: Once | None = None,
) -> tuple[Endpoint, Hint]:
    """One run at a time, or after a delay; for a rule or the planner not within the floor after the last one.

    Raises Invalid for the past or an eleventh hint, NotFound, AlreadyDone.
    """
    ttl = steering.ttl_ms(ttl_minutes or DEFAULT_ONE_SHOT_TTL_MINUTES)
    hint_id = once.hint_id if once is not None else _new_hint_id(world)
    moment = run_at if run_at is not None else world.clock.now() + (run_in_ms or 0)

    def steer(endpoint: Endpoint, now: int) -> tuple[Endpoint, dict[str, Any], dict[str, Any]]:
        at = moment if run_at is not None else max(moment, now)
        steering.check_moment(at, now)
        at = steering.spared(endpoint, caller.actor, at, world.limits.min_interval_ms)
        hint = steering.one_shot_hint(hint_id, caller.actor, now, run_at=at, ttl_ms=ttl, reason=reason)
        return steering.hinted(endpoint, hint, now), {}, _told(hint)

    return _hinted(_steer(world, caller, endpoint_id, "scheduleOneShotRun", steer, reason, once), hint_id)


def pause_endpoint(
    world: World, caller: Caller, endpoint_id: str, *, until: int | None, reason: str | None, once: Once | None = None
) -> Endpoint:
    """Rest until a time (ms), or indefinitely with None.

    Raises Invalid for a time that has passed, NotFound, Conflict for a rule or planner at somebody else's pause,
    AlreadyDone.
    """

    def steer(endpoint: Endpoint, now: int) -> tuple[Endpoint, dict[str, Any], dict[str, Any]]:
        after = steering.paused(endpoint, caller.actor, now, until=until, reason=reason)
        return after, _told_pause(endpoint), _told_pause(after)

    return _steer(world, caller, endpoint_id, "pauseOrResumeEndpoint", steer, reason, once)


def resume_endpoint(
    world: World, caller: Caller, endpoint_id: str, *, reason: str | None, once: Once | None = None
) -> Endpoint:
    """End a pause now; nothing changes for an endpoint that is not paused.

    Raises NotFound, Conflict for a rule or planner at somebody else's pause, AlreadyDone.
    """

    def steer(endpoint: Endpoint, _now: int) -> tuple[Endpoint, dict[str, Any], dict[str, Any]]:
        after = steering.resumed(endpoint, caller.actor)
        return after, _told_pause(endpoint), _told_pause(after)

    return _steer(world, caller, endpoint_id, "pauseOrResumeEndpoint", steer, reason, once)


def clear_hints(
    world: World,
    caller: Caller,
    endpoint_id: str,
    *,
    reason: str | None,
    only_by: Callable[[Actor], bool] = lambda _author: True,
    once: Once | None = None,
) -> tuple[Endpoint, int]:
    """Back to the baseline at once, or without the hints of some authors; gives how many live hints that ended.

    Raises NotFound, AlreadyDone.
    """
    count = 0

    def steer(endpoint: Endpoint, now: int) -> tuple[Endpoint, dict[str, Any], dict[str, Any]]:
        nonlocal count
        live = [hint for hint in endpoint.hints if hint.is_live(now)]
        ended = [hint for hint in live if only_by(hint.author)]
        kept = [_told(hint) for hint in live if hint not in ended]
        count = len(ended)
        return steering.cleared(endpoint, only_by), {"hints": [_told(hint) for hint in live]}, {"hints": kept}

    return _steer(world, caller, endpoint_id, "clearAdaptiveHints", steer, reason, once), count


def reset_failures(world: World, caller: Caller, endpoint_id: str, *, reason: str | None) -> Endpoint:
    """Forget consecutive failures, and with them the backoff. Raises NotFound."""

    def steer(endpoint: Endpoint, _now: int) -> tuple[Endpoint, dict[str, Any], dict[str, Any]]:
        return steering.failures_reset(endpoint), {"failureCount": endpoint.state.failures}, {"failureCount": 0}

    return _steer(world, caller, endpoint_id, "resetFailureCount", steer, reason)


def note_refusal(
    world: World, caller: Caller, endpoint_id: str, action: str, *, why: str, reason: str, once: Once
) -> None:
    """Leave in the trail that `action` was refused, and `why`. Raises NotFound, AlreadyDone."""

    def steer(endpoint: Endpoint, _now: int) -> tuple[Endpoint, dict[str, Any], dict[str, Any]]:
        return endpoint, {}, {"refused": why}

    _steer(world, caller, endpoint_id, action, steer, reason, once)


def _steer(
    world: World,
    caller: Caller,
    endpoint_id: str,
    action: str,
    steer: Steer,
    reason: str | None,
    once: Once | None = None,
) -> Endpoint:
    def change(endpoint: Endpoint, now: int) -> Changed:
        if not owns(caller, endpoint) or endpoint.is_deleted:
            raise NotFound("endpoint", endpoint_id)
        if once is not None and world.trail.has(endpoint_id, once.event_id):
            raise AlreadyDone(once.event_id)
        changed, before, after = steer(endpoint, now)
        event_id = once.event_id if once is not None else None
        event = event_by(
            world, caller, endpoint_id, action, before=before, after=after, reason=reason, event_id=event_id
        )
        return Changed(changed, (event,))

    return replan(world, endpoint_id, change)


def _hinted(endpoint: Endpoint, hint_id: str) -> tuple[Endpoint, Hint]:
    return endpoint, next(hint for hint in endpoint.hints if hint.hint_id == hint_id)


def _new_hint_id(world: World) -> str:
    return ids.hint_id(world.clock.now(), world.entropy.bytes(10))


def _told(hint: Hint) -> dict[str, Any]:
    told: dict[str, Any] = {"hintId": hint.hint_id, "kind": hint.kind.value, "expiresAt": to_iso(hint.expires_at)}
    if hint.kind is HintKind.INTERVAL:
        return {**told, "intervalMs": hint.interval_ms}
    return {**told, "runAt": to_iso(hint.first_slot)}


def _told_pause(endpoint: Endpoint) -> dict[str, Any]:
    pause = endpoint.state.pause
    if pause is None:
        return {"pausedUntil": None}
    return {"pausedUntil": to_iso(pause.until) if pause.until is not None else "indefinite"}
