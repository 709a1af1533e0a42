"""What people, rules and planners change about an endpoint, as pure functions. Settle the result."""

from dataclasses import replace

from rubato.domain import watching
from rubato.domain.endpoint import Endpoint, EndpointConfig
from rubato.domain.jobs import Job


def configured(
    endpoint: Endpoint, config: EndpointConfig, now: int, heard: tuple[tuple[str, int], ...] = ()
) -> Endpoint:
    """A new configuration. A new baseline starts a new grid at `now`; other edits leave the grid where it is.

    `heard` is what a new baseline that follows others finds: when each of them last finished with success.
    """
    config = replace(config, version=endpoint.config.version + 1, updated_at=now)
    edited = replace(endpoint, config=config)
    if config.baseline == endpoint.config.baseline:
        return edited
    edited = edited.with_state(anchor=now, shadow=None, heard=heard)
    claim = edited.state.claim
    if edited.state.is_running and claim is not None and not claim.is_manual:
        return edited  # its end plans anew; a run-now leaves the plan alone, and would bring back the old grid's slot
    return edited.with_state(next=None)


def moves(before: EndpointConfig, after: EndpointConfig) -> bool:
    """Whether an edit may move the next run: that of a baseline, clamp or jitter. Others move nothing."""
    return (before.baseline, before.clamp, before.jitter_ms) != (after.baseline, after.clamp, after.jitter_ms)


def held(endpoint: Endpoint, holds: bool, now: int) -> Endpoint:
    """The job pauses or resumes: `holds` says whether it keeps its endpoints from running.

    A pause of the endpoint's own that ended meanwhile is over: the release at `now` is the moment of its resume.
    """
    if endpoint.state.held == holds:
        return endpoint
    pause = endpoint.state.pause
    return endpoint.with_state(held=holds, pause=None if pause is not None and pause.is_over(now) else pause)


def following(endpoint: Endpoint, job: Job, now: int) -> Endpoint:
    """What the job says holds for its endpoint: may it run, do rules hear of it, does a model look, who counts it."""
    told = held(endpoint, job.holds, now).with_state(ruled=job.is_ruled, synthetic=job.is_synthetic)
    return watching.watched(told, job, now)


def deleted(endpoint: Endpoint, now: int) -> Endpoint:
    """A tombstone: nothing runs any more, a run in flight ends and is recorded, history stays readable."""
    config = replace(endpoint.config, deleted_at=now, updated_at=now, version=endpoint.config.version + 1)
    return replace(endpoint, config=config, hints=()).with_state(look_at=None, stirred=False, look_floor=None)
