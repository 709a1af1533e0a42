"""Changing an endpoint's tempo: hints, pauses, clearing, resetting. Pure; settle the result."""

from collections.abc import Callable
from dataclasses import replace

from rubato.domain.endpoint import Endpoint, Pause, PlannerPower
from rubato.domain.errors import Conflict, Invalid
from rubato.domain.hints import AUTOMATIC, MAX_LIVE_HINTS, Actor, Hint, HintKind
from rubato.domain.instant import MINUTE, to_iso


def interval_hint(
    endpoint: Endpoint, hint_id: str, author: Actor, now: int, *, interval_ms: int, ttl_ms: int, reason: str | None
) -> Hint:
    """Its grid starts one interval after the last run (or the anchor), but not before it was written."""
    last = endpoint.state.last_slot if endpoint.state.last_slot is not None else endpoint.state.anchor
    return Hint(
        hint_id=hint_id,
        kind=HintKind.INTERVAL,
        author=author,
        created_at=now,
        expires_at=now + ttl_ms,
        first_slot=max(last + interval_ms, now),
        interval_ms=interval_ms,
        reason=reason,
    )


def one_shot_hint(hint_id: str, author: Actor, now: int, *, run_at: int, ttl_ms: int, reason: str | None) -> Hint:
    """Its TTL counts from `run_at`: how late it may still fire. Raises Invalid for a time in the past."""
    check_moment(run_at, now)
    return Hint(
        hint_id=hint_id,
        kind=HintKind.ONE_SHOT,
        author=author,
        created_at=now,
        expires_at=run_at + ttl_ms,
        first_slot=run_at,
        reason=reason,
    )


def check_moment(run_at: int, now: int) -> None:
    """Raise Invalid for a time in the past."""
    if run_at < now:
        raise Invalid.field("runAt", f"{to_iso(run_at)} is in the past; it is {to_iso(now)} now")


def spared(endpoint: Endpoint, actor: Actor, moment: int, min_interval_ms: int) -> int:
    """The moment (ms), for a rule or the planner not before the deployment's floor after the last call has passed.

    What they ask for again and again would else call a target as fast as it answers.
    """
    if actor.kind not in AUTOMATIC:
        return moment
    last, claim = endpoint.state.last_run, endpoint.state.claim
    calls = [last.started_at] if last is not None else []
    calls += [claim.started_at] if claim is not None and claim.started_at is not None else []
    return max([moment, *(call + min_interval_ms for call in calls)])


def check_interval(endpoint: Endpoint, interval_ms: int, min_interval_ms: int) -> None:
    """Raise Invalid unless the interval stays within the endpoint's clamps and above the deployment's floor."""
    clamp = endpoint.config.clamp
    if interval_ms < min_interval_ms:
        raise Invalid.field(
            "intervalMs", f"{interval_ms} is below this deployment's floor; use {min_interval_ms} or more"
        )
    if clamp.min_interval_ms is not None and interval_ms < clamp.min_interval_ms:
        raise Invalid.field("intervalMs", f"{interval_ms} is below clamp.minIntervalMs {clamp.min_interval_ms}")
    if clamp.max_interval_ms is not None and interval_ms > clamp.max_interval_ms:
        raise Invalid.field("intervalMs", f"{interval_ms} is above clamp.maxIntervalMs {clamp.max_interval_ms}")


def hinted(endpoint: Endpoint, hint: Hint, now: int) -> Endpoint:
    """With the hint, in place of an older one of the same kind by the same author. Raises Invalid for an eleventh."""
    others = tuple(
        other
        for other in endpoint.hints
        if other.is_live(now) and not (other.kind is hint.kind and other.author == hint.author)
    )
    if len(others) >= MAX_LIVE_HINTS:
        raise Invalid.field("", f"{MAX_LIVE_HINTS} hints are live; clear them or let one expire first")
    return replace(endpoint, hints=(*others, hint))


def cleared(endpoint: Endpoint, only_by: Callable[[Actor], bool]) -> Endpoint:
    """Without the hints of those authors; without any, it is back to the baseline."""
    return replace(endpoint, hints=tuple(hint for hint in endpoint.hints if not only_by(hint.author)))


def check_power(endpoint: Endpoint, actor: Actor) -> None:
    """Raise Conflict when a rule or the planner would touch a pause that neither of them made.

    An owner who trusts them marks the endpoint `planner: may_resume`.
    """
    pause = endpoint.state.pause
    if pause is None or actor.kind not in AUTOMATIC or pause.by.kind in AUTOMATIC:
        return
    if endpoint.config.planner is not PlannerPower.MAY_RESUME:
        raise Conflict(
            f"{pause.by.id} paused the endpoint: rules and the planner leave that alone unless the endpoint has"
            " planner: may_resume"
        )


def paused(endpoint: Endpoint, author: Actor, now: int, *, until: int | None, reason: str | None) -> Endpoint:
    """At rest until a time, or until somebody resumes it.

    Raises Invalid for a time that has passed, Conflict as `check_power` does.
    """
    check_power(endpoint, author)
    if until is not None and until <= now:
        raise Invalid.field("pauseUntil", f"{to_iso(until)} has passed; it is {to_iso(now)} now")
    return endpoint.with_state(pause=Pause(since=now, by=author, until=until, reason=reason))


def resumed(endpoint: Endpoint, actor: Actor) -> Endpoint:
    """Awake again; a slot that fell inside the pause runs once, when settled. Raises Conflict as `check_power` does."""
    check_power(endpoint, actor)
    return endpoint.with_state(pause=None)


def failures_reset(endpoint: Endpoint) -> Endpoint:
    """As if the latest run had succeeded: no backoff."""
    return endpoint.with_state(failures=0)


def expired_one_shots(endpoint: Endpoint, now: int) -> tuple[Hint, ...]:
    """One-shots that never fired and no longer may. The one whose run is in flight has fired."""
    claim = endpoint.state.claim
    fired = claim.plan.hint_id if claim is not None and endpoint.state.is_running else None
    return tuple(
        hint
        for hint in endpoint.hints
        if hint.kind is HintKind.ONE_SHOT and not hint.is_live(now) and hint.hint_id != fired
    )


def ttl_ms(minutes: int) -> int:
    """Minutes to milliseconds."""
    return minutes * MINUTE
