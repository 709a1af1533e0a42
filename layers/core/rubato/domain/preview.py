"""What a baseline and a clamp would draw: the governor played forward, with no endpoint behind it. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from rubato.domain import governor
from rubato.domain.endpoint import Clamp, Endpoint, EndpointConfig, EndpointState, TargetRequest
from rubato.domain.instant import SECOND
from rubato.domain.schedule import Baseline, CronBaseline, IntervalBaseline

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_TARGET = TargetRequest(url="https://example.com/")


def sketch(baseline: Baseline, clamp: Clamp) -> EndpointConfig:
    """The configuration of an endpoint that nobody keeps and nothing calls."""
    return EndpointConfig(
        endpoint_id="",
        tenant_id="",
        job_id="",
        name="preview",
        request=_NO_TARGET,
        baseline=baseline,
        clamp=clamp,
        created_at=0,
        updated_at=0,
    )


def upcoming_slots(config: EndpointConfig, since: int, count: int) -> list[int]:
    """The next slots (ms), `count` at most, with `since` as anchor and last run; none of a baseline without times."""
    if not isinstance(config.baseline, IntervalBaseline | CronBaseline):
        return []
    return list(islice(_slots(config, since), count))


def zone_of(baseline: Baseline) -> str:
    """The zone whose clock a baseline follows."""
    return baseline.cron.timezone if isinstance(baseline, CronBaseline) else "UTC"


def local_time(instant_ms: int, timezone: str) -> str:
    """ISO 8601 by the clock of a zone, with its offset; milliseconds only where there are any."""
    moment = (_EPOCH + timedelta(milliseconds=instant_ms)).astimezone(ZoneInfo(timezone))
    return moment.isoformat(timespec="milliseconds" if instant_ms % SECOND else "seconds")


def _slots(config: EndpointConfig, since: int) -> Iterator[int]:
    state = EndpointState(anchor=since, last_slot=since)
    while (planned := governor.next_run(state.last_slot or since, Endpoint(config=config, state=state))) is not None:
        yield planned.due
        # As a start would move it: only a slot of the grid takes the anchor along.
        state = EndpointState(anchor=planned.slot if planned.on_grid else state.anchor, last_slot=planned.slot)
