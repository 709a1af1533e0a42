"""Runs, events and pages that the tests about seeing share."""

from typing import Any

from rubato.domain import ids
from rubato.domain.endpoint import Endpoint, RunStatus, Source
from rubato.domain.instant import SECOND
from rubato.domain.runs import Run
from rubato.interface.gateway import context_of
from rubato.interface.http import handle
from tests.unit.clients import Client
from tests.worlds import ANNE, MIDNIGHT, MemoryWorld


def raw(world: MemoryWorld, path: str, **query: str) -> tuple[int, str, dict[str, str]]:
    """Status, text and headers, for answers that are no JSON document."""
    event = {
        "httpMethod": "GET",
        "path": path,
        "queryStringParameters": query or None,
        "requestContext": {"requestId": "req-1", "authorizer": context_of(ANNE)},
    }
    answer = handle(world, event, on_crash=lambda: None)
    return answer["statusCode"], answer["body"], answer["headers"]


def a_run(
    endpoint: Endpoint, seconds: float, status: RunStatus = RunStatus.SUCCESS, source: Source = Source.BASELINE_INTERVAL
) -> Run:
    """A run that ended 20 ms after its slot, so many seconds after midnight."""
    slot = MIDNIGHT + round(seconds * SECOND)
    return Run(
        run_id=ids.run_id(endpoint.id, slot, source.value),
        tenant_id=endpoint.config.tenant_id,
        job_id=endpoint.config.job_id,
        endpoint_id=endpoint.id,
        slot=slot,
        due_at=slot,
        source=source,
        status=status,
        started_at=slot,
        finished_at=slot + 20,
        status_code=200,
    )


def record(world: MemoryWorld, endpoint: Endpoint, *seconds: int, **rest: Any) -> list[Run]:
    """Such runs in the history."""
    runs = [a_run(endpoint, each, **rest) for each in seconds]
    for run in runs:
        world.runs.record(run)
    return runs


def walk(client: Client, path: str, query: dict[str, str]) -> list[list[Any]]:
    """All pages of a list."""
    pages: list[list[Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = client("GET", path, query={**query, **({"cursor": cursor} if cursor else {})})
        assert answer.status == 200, answer.body
        pages.append(answer.body["items"])
        cursor = answer.body["nextCursor"]
        assert len(pages) < 100
    return pages
