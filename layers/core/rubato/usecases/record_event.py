"""Making audit events."""

from typing import Any

from rubato.domain import ids
from rubato.domain.access import Caller
from rubato.domain.audit import Event
from rubato.domain.endpoint import Endpoint
from rubato.domain.hints import SYSTEM, Hint
from rubato.domain.instant import to_iso
from rubato.ports import World


def event_by(  # noqa: PLR0913 - as many as an event has
    world: World,
    caller: Caller,
    subject: str,
    action: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str | None = None,
    event_id: str | None = None,
) -> Event:
    """An event of now, by the caller, in the caller's tenant; `event_id` for one that must not come twice."""
    now = world.clock.now()
    return Event(
        event_id=event_id or ids.event_id(now, world.entropy.bytes(10)),
        subject=subject,
        tenant_id=caller.tenant_id,
        at=now,
        actor=caller.actor,
        action=action,
        before=before or {},
        after=after or {},
        reason=reason,
        delegation=caller.delegation,
        door=caller.door,
    )


def difference(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of two descriptions what changed, as it was and as it is."""
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    return {k: before[k] for k in changed if k in before}, {k: after[k] for k in changed if k in after}


def pause_event(world: World, endpoint: Endpoint) -> Event:
    """Rubato itself has put the endpoint to rest, as its pause says."""
    now, pause = world.clock.now(), endpoint.state.pause
    assert pause is not None
    return Event(
        event_id=ids.event_id(now, world.entropy.bytes(10)),
        subject=endpoint.id,
        tenant_id=endpoint.config.tenant_id,
        at=now,
        actor=pause.by,
        action="pauseOrResumeEndpoint",
        before={"pausedUntil": None},
        after={"pausedUntil": to_iso(pause.until) if pause.until is not None else "indefinite"},
        reason=pause.reason,
    )


def expiry_event(world: World, endpoint: Endpoint, hint: Hint) -> Event:
    """An unfired one-shot has expired."""
    now = world.clock.now()
    return Event(
        event_id=ids.event_id(now, world.entropy.bytes(10)),
        subject=endpoint.id,
        tenant_id=endpoint.config.tenant_id,
        at=now,
        actor=SYSTEM,
        action="expireOneShotRun",
        before={"hintId": hint.hint_id, "runAt": to_iso(hint.first_slot), "expiresAt": to_iso(hint.expires_at)},
        after={},
        reason="its time to live ended before it could run",
    )
