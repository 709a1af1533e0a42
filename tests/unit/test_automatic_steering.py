"""What rules and the planner may do at an endpoint, and what they leave alone."""

import pytest

from rubato.domain.access import ALL_SCOPES, Caller
from rubato.domain.endpoint import Endpoint, Pause, PlannerPower
from rubato.domain.errors import Conflict
from rubato.domain.hints import AUTOMATIC, SYSTEM, Actor, ActorKind
from rubato.domain.instant import HOUR, MINUTE
from rubato.domain.schedule import IntervalBaseline
from rubato.usecases.steer_endpoint import clear_hints, hint_interval, pause_endpoint, resume_endpoint
from tests.worlds import ANNE, MIDNIGHT, MemoryWorld, an_endpoint

SURGE = Caller(tenant_id="acme", key_id="surge", kind=ActorKind.RULE, scopes=ALL_SCOPES)
CALM = Caller(tenant_id="acme", key_id="calm", kind=ActorKind.RULE, scopes=ALL_SCOPES)
PLANNER = Caller(tenant_id="acme", key_id="planner", kind=ActorKind.PLANNER, scopes=ALL_SCOPES)


def _paused_by(actor: Actor, power: PlannerPower | None = None) -> tuple[MemoryWorld, Endpoint]:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(MINUTE), planner=power)
    held = endpoint.with_state(pause=Pause(since=MIDNIGHT, by=actor))
    return world, world.endpoints.save(endpoint, held)


def _pause_of(world: MemoryWorld, endpoint: Endpoint) -> Pause | None:
    stored = world.endpoints.load(endpoint.id)
    assert stored is not None
    return stored.state.pause


@pytest.mark.parametrize("owner", [ANNE.actor, SYSTEM])
@pytest.mark.parametrize("caller", [SURGE, PLANNER])
def test_a_pause_by_a_person_or_by_rubato_is_left_alone(owner: Actor, caller: Caller) -> None:
    world, endpoint = _paused_by(owner)
    with pytest.raises(Conflict, match="may_resume"):
        resume_endpoint(world, caller, endpoint.id, reason=None)
    # Else it would be its own pause now, and its own to end.
    with pytest.raises(Conflict, match="may_resume"):
        pause_endpoint(world, caller, endpoint.id, until=MIDNIGHT + HOUR, reason=None)
    pause = _pause_of(world, endpoint)
    assert pause is not None and pause.by == owner


@pytest.mark.parametrize("owner", [SURGE.actor, PLANNER.actor])
@pytest.mark.parametrize("caller", [CALM, PLANNER, ANNE])
def test_what_rules_and_the_planner_paused_each_of_them_and_people_resume(owner: Actor, caller: Caller) -> None:
    world, endpoint = _paused_by(owner)
    resume_endpoint(world, caller, endpoint.id, reason=None)
    assert _pause_of(world, endpoint) is None


def test_an_owner_who_trusts_them_lets_them_resume() -> None:
    world, endpoint = _paused_by(ANNE.actor, PlannerPower.MAY_RESUME)
    resume_endpoint(world, SURGE, endpoint.id, reason=None)
    assert _pause_of(world, endpoint) is None


def test_hints_can_be_cleared_by_author() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world, IntervalBaseline(HOUR))
    for number, caller in enumerate((ANNE, SURGE, CALM), start=1):
        hint_interval(world, caller, endpoint.id, interval_ms=number * MINUTE, ttl_minutes=30, reason=None)
    after, count = clear_hints(world, SURGE, endpoint.id, reason=None, only_by=lambda author: author == SURGE.actor)
    assert count == 1
    assert [hint.author for hint in after.hints] == [ANNE.actor, CALM.actor]
    world.clock.instant += 1
    after, count = clear_hints(world, PLANNER, endpoint.id, reason=None, only_by=lambda by: by.kind in AUTOMATIC)
    assert [hint.author for hint in after.hints] == [ANNE.actor]
    event = world.trail.of_subject(endpoint.id, 1, None).items[0]
    assert (event.actor, len(event.before["hints"]), len(event.after["hints"])) == (PLANNER.actor, 2, 1)
