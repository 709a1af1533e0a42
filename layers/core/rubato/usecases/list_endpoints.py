"""List a job's endpoints."""

from rubato.domain.access import Caller
from rubato.domain.endpoint import Endpoint, Tier
from rubato.domain.standing import Standing, standing
from rubato.ports import Page, World
from rubato.usecases.lookup import find_job


def list_endpoints(
    world: World,
    caller: Caller,
    job_id: str,
    *,
    tier: Tier | None = None,
    state: Standing | None = None,
    limit: int = 50,
    after: str | None = None,
) -> Page[Endpoint]:
    """By name. A page holds `limit` matches unless the end was reached."""
    find_job(world, caller, job_id)
    now = world.clock.now()
    found: list[Endpoint] = []
    while len(found) < limit:
        page = world.endpoints.of_job(job_id, limit - len(found), after)
        for endpoint in world.endpoints.load_many(page.items):
            if tier in (None, endpoint.config.tier) and state in (None, standing(endpoint, now)):
                found.append(endpoint)
        after = page.next
        if after is None:
            break
    return Page(tuple(found), after)
