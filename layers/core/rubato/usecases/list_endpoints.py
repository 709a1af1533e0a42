"""List a job's endpoints."""

from collections.abc import Sequence

from rubato.domain.access import Caller
from rubato.domain.endpoint import Endpoint, Tier
from rubato.domain.standing import Standing, standing
from rubato.ports import Page, World
from rubato.usecases.lookup import find_job
from rubato.usecases.pool import Pool

_PARALLEL = 8


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
        for endpoint in _whole(world, page.items):
            if tier in (None, endpoint.config.tier) and state in (None, standing(endpoint, now)):
                found.append(endpoint)
        after = page.next
        if after is None:
            break
    return Page(tuple(found), after)


def _whole(world: World, endpoint_ids: Sequence[str]) -> list[Endpoint]:
    """With their hints, which a list shows and a batch read leaves out."""
    with Pool(_PARALLEL) as pool:
        return [endpoint for endpoint in pool.map(world.endpoints.load, endpoint_ids) if endpoint is not None]
