"""When the planner looks at an endpoint: when it begins to, after a turn, and when it said that it would. Pure."""

from dataclasses import replace

from rubato.domain.endpoint import Endpoint, EndpointState
from rubato.domain.jobs import Job


def watched(endpoint: Endpoint, job: Job, now: int) -> Endpoint:
    """The endpoint follows its job's planner: on, it is looked at as soon as may be; off, never."""
    if not job.is_watched or endpoint.is_deleted:
        return endpoint.with_state(look_at=None, stirred=False) if endpoint.state.look_at is not None else endpoint
    return endpoint if endpoint.state.look_at is not None else endpoint.with_state(look_at=now)


def stir(before: EndpointState, after: EndpointState, now: int) -> EndpointState:
    """What the end of a run does to the planner's plan: after a turn it looks now, and at resting siblings too.

    NOTE: a look that is due already keeps its place, so that a row of failures does not write the index each time.
    """
    if after.look_at is None or not has_turned(before, after):
        return after
    return replace(after, look_at=min(after.look_at, now), stirred=True)


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
    """To be looked at now if at all, as a sibling has turned."""
    look_at = endpoint.state.look_at
    return endpoint.with_state(look_at=min(look_at, now)) if look_at is not None else endpoint


def looked_at(endpoint: Endpoint, seen: EndpointState, next_look: int, now: int) -> Endpoint:
    """An analysis that saw the state `seen` is over: the next one comes then, or now if there was a turn meanwhile."""
    if endpoint.state.look_at is None or endpoint.is_deleted:
        return endpoint
    return endpoint.with_state(look_at=now if has_turned(seen, endpoint.state) else next_look)
