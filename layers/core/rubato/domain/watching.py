"""When the planner looks at an endpoint: when it begins to, after a turn, and when it said that it would. Pure.

Each look costs money, and an endpoint that fails now and then turns with each run: whatever the reason to hurry, none
comes before the endpoint's floor, and none for a sibling's sake within half an hour of the last.
"""

from dataclasses import replace

from rubato.domain.endpoint import Endpoint, EndpointState
from rubato.domain.instant import MINUTE
from rubato.domain.jobs import Job

FLOOR_MS = 5 * MINUTE
SIBLINGS_FLOOR_MS = 30 * MINUTE


def watched(endpoint: Endpoint, job: Job, now: int) -> Endpoint:
    """The endpoint follows its job's planner: on, it is looked at as soon as may be; off, never."""
    if not job.is_watched or endpoint.is_deleted:
        return endpoint.with_state(look_at=None, stirred=False) if endpoint.state.look_at is not None else endpoint
    if endpoint.state.look_at is not None:
        return endpoint
    return endpoint.with_state(look_at=_soonest(endpoint.state, now))


def stir(before: EndpointState, after: EndpointState, now: int) -> EndpointState:
    """What the end of a run does to the planner's plan: after a turn it looks soon, and at resting siblings too.

    NOTE: a look that is due already keeps its place, so that a row of failures does not write the index each time.
    """
    if after.look_at is None or not has_turned(before, after):
        return after
    return replace(after, look_at=min(after.look_at, _soonest(after, now)), stirred=True)


def _soonest(state: EndpointState, now: int) -> int:
    return max(now, state.look_floor or now)


def has_turned(before: EndpointState, after: EndpointState) -> bool:
    """Failures grew, the endpoint recovered, or its status flipped between the two."""
    flipped = before.outcome is not None and after.outcome is not before.outcome
    return after.failures != before.failures or flipped


def is_due(endpoint: Endpoint, now: int) -> bool:
    """Whether the planner is to look at it now."""
    return not endpoint.is_deleted and endpoint.state.look_at is not None and endpoint.state.look_at <= now


def is_resting(endpoint: Endpoint, now: int) -> bool:
    """Whether nothing of its own will stir it: paused, or asleep until a hint comes."""
    return endpoint.state.is_paused(now) or endpoint.state.next is None


def hurried(endpoint: Endpoint, now: int) -> Endpoint:
    """To be looked at soon if at all, as a sibling has turned."""
    state = endpoint.state
    if state.look_at is None:
        return endpoint
    soonest = now if state.look_floor is None else max(now, state.look_floor - FLOOR_MS + SIBLINGS_FLOOR_MS)
    return endpoint.with_state(look_at=min(state.look_at, soonest))


def looked_at(endpoint: Endpoint, seen: EndpointState, next_look: int, floor: int) -> Endpoint:
    """An analysis that saw the state `seen` is over: the next one comes then, or sooner if there was a turn meanwhile.

    None comes before `floor`, also when the planner is turned off and on.
    """
    if endpoint.is_deleted:
        return endpoint
    if endpoint.state.look_at is None:
        return endpoint.with_state(look_floor=floor)
    return endpoint.with_state(
        look_at=floor if has_turned(seen, endpoint.state) else max(next_look, floor), look_floor=floor
    )
