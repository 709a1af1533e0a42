"""The governor: weighs baseline, hints, clamps, backoff and pause into the next run. Pure; see the design's semantics.

Steps, in this order: cadence (tightest live hint, else baseline with backoff), one-shot, clamps, pause.
"""

import hashlib
from dataclasses import dataclass, replace

from rubato.domain.endpoint import Endpoint, Plan, Source
from rubato.domain.hints import Hint, HintKind
from rubato.domain.schedule import AfterBaseline, CronBaseline, EveryGrid, Grid, IntervalBaseline, OneSlot

MAX_BACKOFF_DOUBLINGS = 5


@dataclass(frozen=True, slots=True)
class Cadence:
    """The grid that rules at some moment, why, and the hint that drew it."""

    grid: Grid
    source: Source
    hint: Hint | None = None


def plan(now: int, endpoint: Endpoint) -> tuple[int | None, Source] | None:
    """What `nextRunAt` and `source` show at `now`: (due, source), (pause end or None, paused), or None when dormant."""
    state = endpoint.state
    if state.is_paused(now):
        until = None if state.held or state.pause is None else state.pause.until
        return until, Source.PAUSED
    upcoming = next_run(now, endpoint)
    return (upcoming.due, upcoming.source) if upcoming else None


def next_run(now: int, endpoint: Endpoint) -> Plan | None:
    """The next run as if the endpoint weren't paused; None when it is dormant."""
    cadence = cadence_slot(now, endpoint)
    one_shot = _one_shot(now, endpoint)
    if one_shot is not None and (cadence is None or one_shot.slot < cadence.slot):
        return _clamp_one_shot(now, endpoint, one_shot, cadence)
    return _clamp(now, endpoint, cadence) if cadence else None


def cadence_run(now: int, endpoint: Endpoint) -> Plan | None:
    """The next run of the cadence, clamped, one-shots aside."""
    cadence = cadence_slot(now, endpoint)
    return _clamp(now, endpoint, cadence) if cadence else None


def cadence_at(now: int, endpoint: Endpoint) -> Cadence | None:
    """The cadence that rules at `now`: the tightest live interval hint, else the baseline; None when dormant."""
    live = [h for h in endpoint.hints if h.kind is HintKind.INTERVAL and h.is_live(now)]
    if live:
        tightest = min(live, key=lambda hint: (hint.interval_ms or 0, hint.created_at))
        return Cadence(tightest.grid, Source.AI_INTERVAL, tightest)
    return _baseline(endpoint)


def cadence_slot(now: int, endpoint: Endpoint) -> Plan | None:
    """The next slot of the cadence, unclamped. A hinted slot at or beyond the hint's expiry gives way at the expiry."""
    state = endpoint.state
    moment = now
    while True:
        cadence = cadence_at(moment, endpoint)
        if cadence is None:
            return None
        # No slot is repeated that ran or was passed over, even when this clock is behind the one that ran it.
        slot = cadence.grid.next_after(max(_floor(cadence, moment), state.last_slot or 0, state.passed or 0))
        if slot is None:
            return None
        if cadence.source is Source.AFTER and moment > now:
            slot = max(slot, moment)
        if cadence.hint is None or max(slot, earliest(endpoint) or slot) < cadence.hint.expires_at:
            return on_grid(endpoint, cadence, slot)
        moment = cadence.hint.expires_at


def _floor(cadence: Cadence, moment: int) -> int:
    """A hint may run in the very moment in which it was written, a baseline only strictly later.

    What others have set off stays due until it has run.
    """
    if cadence.source is Source.AFTER:
        return 0
    return moment - 1 if cadence.hint else moment


def has_slots(cadence: Cadence) -> bool:
    """Whether it draws any slot: one that follows others draws none before they have succeeded."""
    return cadence.source is not Source.AFTER or cadence.grid.next_after(0) is not None


def earliest(endpoint: Endpoint) -> int | None:
    """The instant before which the min clamp allows no run; None when it does not bind."""
    minimum, last = endpoint.config.clamp.min_interval_ms, endpoint.state.last_slot
    return None if minimum is None or last is None else last + minimum


def latest(endpoint: Endpoint) -> int | None:
    """The instant after which the max clamp allows no run; None when it does not bind."""
    maximum, last = endpoint.config.clamp.max_interval_ms, endpoint.state.last_slot
    if maximum is None or last is None:
        return None
    return max(last, endpoint.state.passed or 0) + maximum


def jitter_ms(endpoint_id: str, slot: int, window_ms: int) -> int:
    """A delay from [0, window_ms) that follows from the endpoint and the slot alone."""
    if window_ms <= 0:
        return 0
    digest = hashlib.sha256(f"{endpoint_id}/{slot}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % window_ms


def backed_off_interval(interval_ms: int, failures: int) -> int:
    """A baseline interval after consecutive failures: doubled for each of the first five."""
    return interval_ms << min(failures, MAX_BACKOFF_DOUBLINGS)


def _baseline(endpoint: Endpoint) -> Cadence | None:
    baseline, state = endpoint.config.baseline, endpoint.state
    if isinstance(baseline, IntervalBaseline):
        step = backed_off_interval(baseline.interval_ms, state.failures)
        return Cadence(EveryGrid(state.anchor, step), Source.BASELINE_INTERVAL)
    if isinstance(baseline, CronBaseline):
        return Cadence(baseline.cron, Source.BASELINE_CRON)
    if isinstance(baseline, AfterBaseline):
        return Cadence(OneSlot(followed_at(endpoint, baseline)), Source.AFTER)
    return None


def followed_at(endpoint: Endpoint, baseline: AfterBaseline) -> int | None:
    """When the last of the named endpoints finished with success since this one's last run; None while one has not."""
    return None if awaited(endpoint, baseline.names) else max(at for _, at in endpoint.state.heard)


def awaited(endpoint: Endpoint, names: tuple[str, ...]) -> list[str]:
    """Those of the named endpoints that have not finished with success since this one's last run, or its creation."""
    state, heard = endpoint.state, dict(endpoint.state.heard)
    since = state.last_slot if state.last_slot is not None else endpoint.config.created_at
    return [name for name in names if heard.get(name, 0) <= max(since, state.passed or 0)]


def on_grid(endpoint: Endpoint, cadence: Cadence, slot: int) -> Plan:
    """The plan of a grid slot, jitter included."""
    hint_id = cadence.hint.hint_id if cadence.hint else None
    due = slot + _jitter(endpoint, cadence.grid, slot)
    return Plan(slot=slot, due=due, source=cadence.source, hint_id=hint_id, on_grid=True)


def _jitter(endpoint: Endpoint, grid: Grid, slot: int) -> int:
    if not endpoint.config.jitter_ms:
        return 0
    following = grid.next_after(slot)
    gap = endpoint.config.jitter_ms if following is None else following - slot
    return jitter_ms(endpoint.id, slot, min(endpoint.config.jitter_ms, gap))


def _one_shot(now: int, endpoint: Endpoint) -> Plan | None:
    floor = max(now, earliest(endpoint) or now)
    alive = [
        hint
        for hint in endpoint.hints
        if hint.kind is HintKind.ONE_SHOT and max(hint.first_slot, floor) < hint.expires_at
    ]
    if not alive:
        return None
    first = min(alive, key=lambda hint: (hint.first_slot, hint.created_at))
    slot = max(first.first_slot, now)
    return Plan(
        slot=slot, due=slot, source=Source.AI_ONESHOT, trigger=f"oneshot/{first.hint_id}", hint_id=first.hint_id
    )


def _clamp(now: int, endpoint: Endpoint, planned: Plan) -> Plan:
    bound = earliest(endpoint)
    if bound is not None and planned.slot < bound:
        planned = _moved_to(_at_or_after(endpoint, planned, bound), planned, Source.CLAMPED_MIN)
    bound = latest(endpoint)
    if bound is not None and planned.slot > bound:
        planned = _moved_to(max(bound, now), planned, Source.CLAMPED_MAX)
    return planned


def _clamp_one_shot(now: int, endpoint: Endpoint, one_shot: Plan, cadence: Plan | None) -> Plan:
    """The min clamp moves a one-shot; the max clamp, which would fire it too early, brings the cadence instead."""
    bound = latest(endpoint)
    if cadence is not None and bound is not None and one_shot.slot > bound:
        return _clamp(now, endpoint, cadence)
    bound = earliest(endpoint)
    if bound is None or one_shot.slot >= bound:
        return one_shot
    return replace(_moved_to(bound, one_shot, Source.CLAMPED_MIN), trigger=one_shot.trigger)


def _at_or_after(endpoint: Endpoint, planned: Plan, bound: int) -> int:
    """Where the min clamp puts a slot: on the bound; for cron on the expression's next slot from there."""
    baseline = endpoint.config.baseline
    if planned.source is Source.BASELINE_CRON and isinstance(baseline, CronBaseline):
        return baseline.cron.next_after(bound - 1) or bound
    return bound


def _moved_to(slot: int, planned: Plan, source: Source) -> Plan:
    return Plan(slot=slot, due=slot, source=source, trigger="cadence", hint_id=planned.hint_id)
