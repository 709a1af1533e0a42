"""The whole store and queue in memory: for tests, simulations and trying things out. Same contracts, one process."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from rubato.adapters.memory_usage import MemoryUsage
from rubato.domain import ids
from rubato.domain.audit import Event
from rubato.domain.endpoint import Endpoint, EndpointState
from rubato.domain.errors import Conflict, WriteRaced
from rubato.domain.grip import Grip, grip
from rubato.domain.ids import shard_of
from rubato.domain.jobs import Job, JobStatus
from rubato.domain.messages import Message
from rubato.domain.quota import too_many_endpoints
from rubato.domain.references import followed
from rubato.domain.runs import Run
from rubato.ports import Page, RunFilter

T = TypeVar("T")
_DUE_PAGE = 100


class MemoryTrail:
    """Implements ports.Trail."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def has(self, subject: str, event_id: str) -> bool:
        """By id."""
        return any((event.subject, event.event_id) == (subject, event_id) for event in self.events)

    def of_agent(self, agent_id: str, limit: int, after: str | None) -> Page[Event]:
        """Newest first."""
        mine = [e for e in self.events if e.delegation is not None and e.delegation.agent_id == agent_id]
        mine.sort(key=lambda event: event.event_id, reverse=True)
        rest = [event for event in mine if after is None or event.event_id < after]
        return _page(rest, limit, lambda event: event.event_id)

    def of_subject(self, subject: str, limit: int, after: str | None) -> Page[Event]:
        """Newest first."""
        mine = sorted((e for e in self.events if e.subject == subject), key=lambda e: e.event_id, reverse=True)
        rest = [event for event in mine if after is None or event.event_id < after]
        return _page(rest, limit, lambda event: event.event_id)


class MemoryJobs:
    """Implements ports.Jobs."""

    def __init__(self, trail: MemoryTrail) -> None:
        self._jobs: dict[str, Job] = {}
        self._trail = trail
        self._lock = threading.Lock()

    def create(self, job: Job, event: Event) -> None:
        """Both or nothing."""
        with self._lock:
            self._jobs[job.job_id] = job
            self._trail.events.append(event)

    def get(self, job_id: str) -> Job | None:
        """By id."""
        return self._jobs.get(job_id)

    def save(self, before: Job, after: Job, event: Event) -> Job:
        """Conditional on the version."""
        with self._lock:
            if self._jobs[after.job_id].version != before.version:
                raise WriteRaced(after.job_id)
            saved = replace(after, version=before.version + 1)
            self._jobs[saved.job_id] = saved
            self._trail.events.append(event)
            return saved

    def list(self, tenant_id: str, status: JobStatus | None, limit: int, after: str | None) -> Page[Job]:
        """Newest first."""
        mine = [j for j in self._jobs.values() if j.tenant_id == tenant_id and status in (None, j.status)]
        mine.sort(key=lambda job: job.job_id, reverse=True)
        rest = [job for job in mine if after is None or job.job_id < after]
        return _page(rest, limit, lambda job: job.job_id)

    def with_rules(self, limit: int, after: str | None) -> Page[str]:
        """By id."""
        mine = sorted(job.job_id for job in self._jobs.values() if job.is_ruled and not job.holds)
        return _page([job_id for job_id in mine if after is None or job_id > after], limit, lambda job_id: job_id)


class MemoryEndpoints:
    """Implements ports.Endpoints."""

    def __init__(self, trail: MemoryTrail, usage: MemoryUsage, shards: int = 16) -> None:
        self._usage = usage
        self._endpoints: dict[str, Endpoint] = {}
        self._trail = trail
        self._shards = shards
        self._lock = threading.Lock()

    def create(self, endpoint: Endpoint, event: Event, max_endpoints: int = 0) -> Endpoint:
        """Refuses a name that the job already has, and one endpoint too many."""
        with self._lock:
            self._require_free_name(endpoint)
            if max_endpoints and self._usage.endpoints[endpoint.config.tenant_id] >= max_endpoints:
                raise too_many_endpoints(max_endpoints)
            self._usage.endpoints[endpoint.config.tenant_id] += 1
            stored = endpoint.with_state(version=1)
            self._endpoints[stored.id] = stored
            self._trail.events.append(event)
            return stored

    def load(self, endpoint_id: str) -> Endpoint | None:
        """By id."""
        return self._endpoints.get(endpoint_id)

    def load_many(self, endpoint_ids: Sequence[str]) -> list[Endpoint]:
        """Without hints, as the contract says."""
        return [replace(self._endpoints[each], hints=()) for each in endpoint_ids if each in self._endpoints]

    def states(self, endpoint_ids: Sequence[str], *, latest: bool = False) -> dict[str, EndpointState]:  # noqa: ARG002
        """By id; memory does not lag."""
        return {each: self._endpoints[each].state for each in endpoint_ids if each in self._endpoints}

    def grips(self, endpoint_ids: Sequence[str]) -> dict[str, Grip]:
        """By id; memory does not lag."""
        claims = {each: self._endpoints[each].state.claim for each in endpoint_ids if each in self._endpoints}
        return {each: grip(claim) for each, claim in claims.items() if claim is not None}

    def save(self, before: Endpoint, after: Endpoint, *events: Event) -> Endpoint:
        """Conditional on the state's version."""
        with self._lock:
            if self._endpoints[after.id].state.version != before.state.version:
                raise WriteRaced(after.id)
            if before.config.name != after.config.name:
                self._require_free_name(after)
            if after.is_deleted and not before.is_deleted:
                self._usage.endpoints[after.config.tenant_id] -= 1
            saved = after.with_state(version=before.state.version + 1)
            self._endpoints[saved.id] = saved
            self._trail.events.extend(events)
            return saved

    def save_state(self, endpoint_id: str, before: EndpointState, after: EndpointState) -> EndpointState:
        """Conditional on the version."""
        with self._lock:
            current = self._endpoints.get(endpoint_id)
            if current is None or current.state.version != before.version:
                raise WriteRaced(endpoint_id)
            saved = replace(after, version=before.version + 1)
            self._endpoints[endpoint_id] = replace(current, state=saved)
            return saved

    def of_job(self, job_id: str, limit: int, after: str | None) -> Page[str]:
        """By name."""
        mine = sorted(self._alive(job_id), key=lambda endpoint: endpoint.config.name)
        rest = [endpoint for endpoint in mine if after is None or endpoint.config.name > after]
        page = _page(rest, limit, lambda endpoint: endpoint.config.name)
        return Page(tuple(endpoint.id for endpoint in page.items), page.next)

    def named(self, job_id: str, names: Sequence[str]) -> dict[str, str]:
        """By name."""
        return {e.config.name: e.id for e in self._alive(job_id) if e.config.name in names}

    def followers(self, job_id: str, name: str) -> list[str]:
        """By what their baselines say."""
        return [endpoint.id for endpoint in self._alive(job_id) if name in followed(endpoint.config)]

    def due(self, shard: int, until: int) -> Iterator[list[str]]:
        """Oldest first."""
        waiting = [
            (endpoint.state.wake_at, endpoint.id)
            for endpoint in self._endpoints.values()
            if endpoint.state.wake_at is not None
            and endpoint.state.wake_at <= until
            and shard_of(endpoint.id, self._shards) == shard
        ]
        found = [endpoint_id for _, endpoint_id in sorted(waiting)]
        for start in range(0, len(found), _DUE_PAGE):
            yield found[start : start + _DUE_PAGE]

    def looks(self, shard: int, until: int) -> Iterator[list[str]]:
        """Oldest first."""
        mine = [each for each in self._endpoints.values() if shard_of(each.id, self._shards) == shard]
        waiting = [(each.state.look_at, each.id) for each in mine if each.state.look_at is not None]
        found = [endpoint_id for look_at, endpoint_id in sorted(waiting) if look_at <= until]
        for start in range(0, len(found), _DUE_PAGE):
            yield found[start : start + _DUE_PAGE]

    def _alive(self, job_id: str) -> list[Endpoint]:
        return [e for e in self._endpoints.values() if e.config.job_id == job_id and not e.is_deleted]

    def _require_free_name(self, endpoint: Endpoint) -> None:
        config = endpoint.config
        for other in self._endpoints.values():
            same = other.config.job_id == config.job_id and other.config.name == config.name
            if same and not other.is_deleted and other.id != endpoint.id:
                raise Conflict(f"the job already has an endpoint named {config.name!r}; choose another name")


class MemoryRuns:
    """Implements ports.Runs."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self.late: list[Run] = []

    def record(self, run: Run) -> None:
        """A newer attempt stays."""
        known = self._runs.get(run.run_id)
        if known is not None and known.attempt > run.attempt:
            self.record_late(run)
        else:
            self._runs[run.run_id] = run

    def record_late(self, run: Run) -> None:
        """Beside the outcome, or in its place while there is none."""
        self.late.append(run)
        self._runs.setdefault(run.run_id, replace(run, is_late=True))

    def get(self, run_id: str) -> Run | None:
        """By id."""
        return self._runs.get(run_id)

    def of_endpoint(self, endpoint_id: str, wanted: RunFilter, limit: int, after: str | None) -> Page[Run]:
        """Newest first."""
        return self._list([r for r in self._runs.values() if r.endpoint_id == endpoint_id], wanted, limit, after)

    def of_job(self, job_id: str, wanted: RunFilter, limit: int, after: str | None) -> Page[Run]:
        """Newest first."""
        return self._list([r for r in self._runs.values() if r.job_id == job_id], wanted, limit, after)

    def _list(self, runs: list[Run], wanted: RunFilter, limit: int, after: str | None) -> Page[Run]:
        def matches(run: Run) -> bool:
            return (
                wanted.status in (None, run.status)
                and wanted.source in (None, run.source)
                and (wanted.since is None or run.slot >= wanted.since)
                and (wanted.until is None or run.slot < wanted.until)
                and (after is None or ids.run_order(run.run_id) < after)
            )

        found = sorted(filter(matches, runs), key=lambda run: ids.run_order(run.run_id), reverse=True)
        bare = [replace(run, attempts=(), hint=None, request=None, response=None) for run in found]
        return _page(bare, limit, lambda run: ids.run_order(run.run_id))


@dataclass
class MemoryRunQueue:
    """Implements ports.RunQueue; `waiting` holds (visible at, message). Set `failing` to lose every send."""

    waiting: list[tuple[int, Message]] = field(default_factory=list)
    failing: bool = False

    def send(self, messages: Sequence[Message], now: int) -> list[Message]:
        """Delays in whole seconds, rounded down, as SQS has them."""
        if self.failing:
            return list(messages)
        self.waiting.extend((now + max(message.due - now, 0) // 1000 * 1000, message) for message in messages)
        return []

    def receive(self, now: int) -> list[Message]:
        """Take what is visible at `now`, in no promised order."""
        visible = [message for at, message in self.waiting if at <= now]
        self.waiting = [(at, message) for at, message in self.waiting if at > now]
        return visible


def _page(items: list[T], limit: int, position: Callable[[T], str]) -> Page[T]:
    shown = tuple(items[:limit])
    return Page(shown, position(shown[-1]) if len(items) > limit else None)
