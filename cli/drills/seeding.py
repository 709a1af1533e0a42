"""Endpoints by the thousand, straight into the tables of a local stack: over the API each takes a tenth of a second.

What is written is what the domain plans and the real adapters spell; from there on the stack's own tick takes over.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from pynamodb.models import Model

from cli.api import Api
from cli.local.deployment import Deployment
from cli.local.emulator import REGION, credentials
from cli.local.home import Home
from cli.trouble import Trouble
from rubato.adapters.clock import SystemEntropy
from rubato.adapters.dynamodb.connection import open_tables
from rubato.adapters.dynamodb.items import config_item, name_item, state_item
from rubato.adapters.dynamodb.tables import EndpointsItem, JobItem
from rubato.domain import ids, lease
from rubato.domain.endpoint import Endpoint, EndpointConfig, EndpointState, TargetRequest
from rubato.domain.schedule import Baseline

_RETENTION_S = 86_400
_SHARDS = 16  # of ScheduleShards in template.yaml


@dataclass(frozen=True, slots=True)
class Plot:
    """Where seeds go: a job, and the tenant that it belongs to."""

    tenant_id: str
    job_id: str


def plot_of(api: Api, job: str) -> Plot:
    """The job's place, once the stack's tables are open. Raises Trouble when they are not there."""
    port = urlsplit(api.url).port
    outputs = Deployment(Home.at(port or 0)).outputs()
    if outputs is None:
        raise Trouble(f"no local stack is deployed at {api.url}")
    reach = credentials(port or 0)
    host = {"host" if name == "endpoint_url" else name: value for name, value in reach.items() if name != "region_name"}
    open_tables({"jobs": outputs["JobsTableName"], "endpoints": outputs["EndpointsTableName"]}, REGION, **host)
    return Plot(JobItem.get(job).tenant_id, job)


@contextmanager
def seeded(
    plot: Plot, count: int, url: str, now: int, rhythm: Callable[[int], tuple[Baseline, int]]
) -> Iterator[list[Endpoint]]:
    """So many endpoints, planned and unclaimed, named 0, 1, ...; gone with the context, their runs stay.

    `rhythm` gives a number's baseline and anchor (ms); `url` is the base of the target.
    """
    planned = [_plan(plot, number, f"{url}/{number}", now, *rhythm(number)) for number in range(count)]
    try:
        _write(item for endpoint in planned for item in _items(endpoint))
        yield planned
    finally:
        _write((item for endpoint in planned for item in _items(endpoint)), gone=True)


def _plan(plot: Plot, number: int, url: str, now: int, baseline: Baseline, anchor: int) -> Endpoint:
    config = EndpointConfig(
        endpoint_id=ids.endpoint_id(now, SystemEntropy().bytes(10)),
        tenant_id=plot.tenant_id,
        job_id=plot.job_id,
        name=str(number),
        request=TargetRequest(url=url),
        baseline=baseline,
        created_at=now,
        updated_at=now,
    )
    fresh = Endpoint(config=config, state=EndpointState(anchor=anchor, version=1))
    return lease.settle(fresh, now, look_ahead_ms=-1)  # never imminent: claiming is the tick's


def _items(endpoint: Endpoint) -> Iterator[Model]:
    yield name_item(endpoint.config)
    yield config_item(endpoint.config, _RETENTION_S)
    yield state_item(endpoint.id, endpoint.state, _SHARDS)


def _write(items: Iterable[Model], gone: bool = False) -> None:
    with EndpointsItem.batch_write() as batch:
        for item in items:
            if gone:
                batch.delete(item)
            else:
                batch.save(item)
