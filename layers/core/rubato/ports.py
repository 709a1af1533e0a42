"""Every door to the world, each with its contract. Adapters implement them; use cases see nothing else.

All instants are ms since the epoch. Every method may raise the adapter's own error when the service is unreachable;
the errors of `rubato.domain.errors` named here are the ones to expect in normal operation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

# NOTE: contracts run no code. What they name is loaded by those who use it: every function imports this module first.
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rubato.domain.access import ApiKey
    from rubato.domain.agents import Agent
    from rubato.domain.analysis import Analysis
    from rubato.domain.audit import Event
    from rubato.domain.conversation import Answer, Question
    from rubato.domain.endpoint import Endpoint, EndpointState, RunStatus, Source
    from rubato.domain.exchange import Call, Reply
    from rubato.domain.grip import Grip
    from rubato.domain.idempotency import Reservation, Standing
    from rubato.domain.jobs import Job, JobStatus
    from rubato.domain.limits import Limits
    from rubato.domain.messages import Message
    from rubato.domain.notices import Notice
    from rubato.domain.quota import Usage
    from rubato.domain.rule_ledger import Ledger
    from rubato.domain.runs import Run
    from rubato.domain.secrets import Secret
    from rubato.domain.signing import SigningKey

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Page(Generic[T_co]):
    """Some items and the position after the last one; `next` is None at the end. Positions are opaque to callers."""

    items: tuple[T_co, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs to list. `since` is inclusive, `until` exclusive, both by slot."""

    status: RunStatus | None = None
    source: Source | None = None
    since: int | None = None
    until: int | None = None


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> int:
        """The current instant."""
        ...

    def sleep_until(self, instant_ms: int) -> None:
        """Return at the instant or just after it, never before; at once if it has passed."""
        ...


class Entropy(Protocol):
    """The only source of randomness."""

    def bytes(self, count: int) -> bytes:
        """`count` unpredictable bytes."""
        ...


class Jobs(Protocol):
    """Jobs by id, and those of a tenant by status."""

    def create(self, job: Job, event: Event) -> None:
        """Store a new job together with its audit event."""
        ...

    def get(self, job_id: str) -> Job | None:
        """The job, whoever owns it."""
        ...

    def save(self, before: Job, after: Job, event: Event) -> Job:
        """Replace `before` with `after` and its version by the next one; raises WriteRaced if it has moved on."""
        ...

    def list(self, tenant_id: str, status: JobStatus | None, limit: int, after: str | None) -> Page[Job]:
        """Newest first."""
        ...

    def with_rules(self, limit: int, after: str | None) -> Page[str]:
        """Ids of the active jobs, of all tenants, that have rules; may lag behind the latest write."""
        ...


class RuleLedgers(Protocol):
    """How the rules of jobs stand."""

    def get(self, job_id: str) -> Ledger:
        """The latest; an empty one, of version 0, for a job that has none yet."""
        ...

    def save(self, before: Ledger, after: Ledger) -> Ledger:
        """Replace `before` with `after` and its version by the next one; raises WriteRaced if it has moved on."""
        ...


class Endpoints(Protocol):
    """Endpoints whole: config, state and hints, each write conditional on the state's version."""

    def create(self, endpoint: Endpoint, event: Event, max_endpoints: int = 0) -> Endpoint:
        """Store a new endpoint and count it.

        Raises Conflict when its job has one of that name, LimitReached at the tenant's `max_endpoints` (0: any number).
        """
        ...

    def load(self, endpoint_id: str) -> Endpoint | None:
        """One consistent look, tombstones included; expired hints may be there."""
        ...

    def load_many(self, endpoint_ids: Sequence[str]) -> list[Endpoint]:
        """Those that exist, in the order asked for; without hints."""
        ...

    def states(self, endpoint_ids: Sequence[str], *, latest: bool = False) -> dict[str, EndpointState]:
        """The states alone; may lag behind the latest write unless asked for the `latest`."""
        ...

    def grips(self, endpoint_ids: Sequence[str]) -> dict[str, Grip]:
        """The claims of those that have one, at the least cost; may lag."""
        ...

    def save(self, before: Endpoint, after: Endpoint, *events: Event) -> Endpoint:
        """Write what differs in one atomic step and give `after` with its new version.

        Raises WriteRaced when the stored version is not `before`'s, Conflict when a new name is taken.
        """
        ...

    def save_state(self, endpoint_id: str, before: EndpointState, after: EndpointState) -> EndpointState:
        """The same for the state alone: one plain conditional write."""
        ...

    def of_job(self, job_id: str, limit: int, after: str | None) -> Page[str]:
        """Ids of the job's endpoints, by name."""
        ...

    def named(self, job_id: str, names: Sequence[str]) -> dict[str, str]:
        """The ids of those endpoints of the job that exist, by name."""
        ...

    def followers(self, job_id: str, name: str) -> list[str]:
        """Ids of the job's endpoints whose baseline follows the one of that name."""
        ...

    def due(self, shard: int, until: int) -> Iterator[list[str]]:
        """Ids of the shard's endpoints that want to be looked at up to `until`, oldest first, page by page; may lag."""
        ...

    def looks(self, shard: int, until: int) -> Iterator[list[str]]:
        """Ids of the shard's endpoints that the planner is to look at up to `until`, in the same way."""
        ...


class Runs(Protocol):
    """The history. A run is written once, at its end; while in flight it stands in its endpoint's claim.

    Positions in its lists are `ids.run_order` of a run, so that several lists can be walked as one.
    """

    def record(self, run: Run) -> None:
        """Store a finished run; an older attempt of the same run never replaces a newer one."""
        ...

    def record_late(self, run: Run) -> None:
        """Keep what a holder reported after it had lost its lease, beside the run, without touching its outcome."""
        ...

    def get(self, run_id: str) -> Run | None:
        """The finished run in full."""
        ...

    def of_endpoint(self, endpoint_id: str, wanted: RunFilter, limit: int, after: str | None) -> Page[Run]:
        """Newest slot first; without hint, request, response and attempts."""
        ...

    def of_job(self, job_id: str, wanted: RunFilter, limit: int, after: str | None) -> Page[Run]:
        """Newest slot first, over all endpoints of the job; without hint, request, response and attempts."""
        ...


class Keys(Protocol):
    """API keys by id, and those of a tenant."""

    def create(self, key: ApiKey, event: Event) -> None:
        """Store a new key together with its audit event."""
        ...

    def get(self, key_id: str) -> ApiKey | None:
        """The key, valid or not."""
        ...

    def list(self, tenant_id: str, limit: int, after: str | None) -> Page[ApiKey]:
        """Newest first; may lag behind the latest write."""
        ...

    def revoke(self, key_id: str, event: Event) -> None:
        """Mark the key at the event's time, together with the event; raises WriteRaced unless it is in force."""
        ...

    def record_use(self, key_id: str, at: int, unless_since: int) -> None:
        """Note that the key was used at `at`; does nothing when a use after `unless_since` is noted already."""
        ...


class Agents(Protocol):
    """Registered agents by id, and those of a tenant."""

    def create(self, agent: Agent, event: Event) -> None:
        """Store a new agent with its event; raises Conflict while another one that is not retired has the handle.

        Raises WriteRaced when somebody else is writing there at this moment.
        """
        ...

    def get(self, agent_id: str) -> Agent | None:
        """The agent, retired or not; the latest."""
        ...

    def named(self, tenant_id: str, name: str) -> Agent | None:
        """The agent of that name, however it is spelled, that is not retired; the latest."""
        ...

    def list(self, tenant_id: str, limit: int, after: str | None) -> Page[Agent]:
        """Newest first; may lag behind the latest write."""
        ...

    def retire(self, agent: Agent, event: Event) -> None:
        """Mark it at the event's time and free its name, with the event.

        Raises WriteRaced if it is retired already, or somebody else is writing there at this moment.
        """
        ...


class Vault(Protocol):
    """Where values are that only the dispatcher reads, on shelves, by name.

    What is put or deleted counts for readers within a minute. Reading raises Unreadable when the vault gives no answer.
    """

    def put(self, shelf: str, name: str, value: str) -> None:
        """Keep the value, in place of an older one."""
        ...

    def delete(self, shelf: str, name: str) -> bool:
        """Forget the value; gives whether there was one."""
        ...

    def read(self, shelf: str, names: Sequence[str]) -> dict[str, str]:
        """The values of those names that have one."""
        ...


class Secrets(Protocol):
    """The names of a job's secrets and who may get them; their values are in the vault."""

    def put(self, secret: Secret, before: Secret | None, event: Event | None) -> None:
        """Note the secret, in place of `before`, together with an audit event; None is for a name that is new.

        Raises WriteRaced when another one, or none, stands there instead.
        """
        ...

    def of_job(self, job_id: str) -> list[Secret]:
        """All of them, by name; one consistent look."""
        ...

    def delete(self, secret: Secret, event: Event | None) -> None:
        """Forget the secret, together with an event; raises WriteRaced when another one, or none, stands there."""
        ...


class SigningKeys(Protocol):
    """Which signing keys there are; their secrets are in the vault. All looks are consistent."""

    def of_holder(self, tenant_id: str, endpoint_id: str | None) -> tuple[SigningKey, ...]:
        """The keys of the endpoint or, for None, of the tenant itself, oldest first."""
        ...

    def replace(self, before: Sequence[SigningKey], after: Sequence[SigningKey], *events: Event) -> None:
        """Put `after` in place of `before`, all keys of one holder, oldest first, together with the events.

        Raises WriteRaced when not exactly the keys of `before` stand there.
        """
        ...

    def list(self, tenant_id: str, limit: int, after: str | None) -> Page[SigningKey]:
        """All keys of the tenant, by holder, oldest first."""
        ...


class Idempotency(Protocol):
    """Requests that carried an Idempotency-Key, and what they were answered."""

    def reserve(self, wanted: Reservation, now: int) -> Standing | None:
        """Take the request id, in one atomic step. Gives None when it is ours, else what stands there unexpired."""
        ...

    def keep(self, mine: Reservation, answer: dict[str, Any], until: int) -> None:
        """Put the answer in place of the reservation until then; does nothing when somebody else holds it now."""
        ...

    def release(self, mine: Reservation) -> None:
        """Give the request id free; does nothing when somebody else holds it now."""
        ...


class Trail(Protocol):
    """The audit trail, for reading; events are written together with what they tell of."""

    def has(self, subject: str, event_id: str) -> bool:
        """Whether that event has been written; the latest."""
        ...

    def of_subject(self, subject: str, limit: int, after: str | None) -> Page[Event]:
        """Newest first."""
        ...

    def of_agent(self, agent_id: str, limit: int, after: str | None) -> Page[Event]:
        """What was done through the agent, whatever the subject, newest first; may lag behind the latest write.

        `after` is the id of an event.
        """
        ...


class UsageCounters(Protocol):
    """What tenants use. Days are UTC, as in 2025-01-01. Counts of runs only grow."""

    def of(self, tenant_id: str, day: str) -> Usage:
        """Endpoints now, runs and the planner's tokens of the day."""
        ...

    def take_change(self, key_id: str, hour: str, limit: int) -> bool:
        """Count one change by a key in one atomic step; False, and nothing counted, when `limit` were counted already.

        Hours are UTC, as in 2025-01-01T09.
        """
        ...

    def take_run(self, tenant_id: str, day: str, limit: int, *, synthetic: bool = False) -> bool:
        """Count one run in one atomic step; False, and nothing counted, when `limit` runs were counted already.

        Those of synthetic jobs are counted by themselves, and `of` does not tell of them.
        """
        ...

    def note_run(self, tenant_id: str, day: str) -> None:
        """Count one run without a limit; may be held back until `flush`."""
        ...

    def take_tokens(self, tenant_id: str, day: str, tokens: int, limit: int) -> bool:
        """Count tokens of a model in one atomic step; False, and nothing counted, when the sum would pass the `limit`.

        With a limit of 0 any number is counted.
        """
        ...

    def settle_tokens(self, tenant_id: str, day: str, difference: int) -> None:
        """Add what a call used beyond what was taken for it; negative when it used less."""
        ...

    def flush(self) -> None:
        """Write what was held back."""
        ...

    def note_over(self, tenant_id: str, day: str, limit: int) -> None:
        """Remember that the tenant was held back by this limit."""
        ...

    def over(self, day: str) -> dict[str, int]:
        """The tenants that were held back, and by which limit."""
        ...

    def forget_over(self, tenant_id: str, day: str) -> None:
        """The tenant is held back no more."""
        ...


class Analyses(Protocol):
    """What the planner's model did, and the leases by which one endpoint is under one analysis at a time."""

    def begin(self, analysis: Analysis, lease_until: int) -> bool:
        """Take the endpoint until then and keep the analysis as running, in one atomic step.

        False, and nothing is kept, while another analysis has a lease that reaches past this one's beginning.
        """
        ...

    def keep(self, analysis: Analysis) -> None:
        """Keep the analysis in place of what was kept of it."""
        ...

    def drop(self, analysis: Analysis) -> None:
        """Forget an analysis that turned out not to be needed before it began."""
        ...

    def release(self, analysis: Analysis) -> None:
        """Give the endpoint free; does nothing when another analysis has it now."""
        ...

    def of_endpoint(self, endpoint_id: str, limit: int, after: str | None) -> Page[Analysis]:
        """Newest first."""
        ...


class Model(Protocol):
    """A language model that may call tools."""

    def ask(self, question: Question) -> Answer:
        """One answer. Raises ModelFailed for whatever goes wrong, within the question's time; tries nothing twice."""
        ...


class RunQueue(Protocol):
    """The delayed queues between whoever sends and who handles it, one for each lane. At least once, in no order."""

    def send(self, messages: Sequence[Message], now: int) -> list[Message]:
        """Deliver each at or up to a second before its due time; gives those that could not be sent."""
        ...


class TickWorkers(Protocol):
    """Further invocations of the tick, which work beside this one."""

    def start(self, shards: Sequence[int]) -> None:
        """Have another one claim what is due in these shards, without waiting for it. When this raises, nobody does."""
        ...


class Outbound(Protocol):
    """HTTP to targets; refuses what must not be reached."""

    def send(self, call: Call) -> Reply:
        """One exchange, redirects included. Never raises for what a target or the network does."""
        ...


class Notifications(Protocol):
    """The way to the people behind a job. At least once: whoever receives a notice twice knows it by its id."""

    @property
    def is_on(self) -> bool:
        """Whether the deployment names anybody to be told."""
        ...

    def publish(self, notice: Notice) -> None:
        """Give it to every destination; raises what a destination raises, and then it may be published again."""
        ...


class Telemetry(Protocol):
    """What operators see: counts and structured log lines. Never bodies, never secrets."""

    def count(self, metric: str, value: int = 1) -> None:
        """Add to a metric."""
        ...

    def measure(self, metric: str, milliseconds: int) -> None:
        """One observation of a duration."""
        ...

    def peak(self, metric: str, milliseconds: int) -> None:
        """One observation of a duration of which only the longest matters."""
        ...

    def note(self, **fields: Any) -> None:
        """What the piece of work in this thread is about; its further lines all say so."""
        ...

    def debug(self, message: str, **fields: Any) -> None:
        """Something that is only of interest while looking for a fault."""
        ...

    def info(self, message: str, **fields: Any) -> None:
        """Something worth finding again."""
        ...

    def warn(self, message: str, **fields: Any) -> None:
        """Something an operator may have to act on."""
        ...


class World(Protocol):
    """All ports together, as a use case receives them. Adapters are opened on first use."""

    @property
    def clock(self) -> Clock: ...
    @property
    def entropy(self) -> Entropy: ...
    @property
    def jobs(self) -> Jobs: ...
    @property
    def rule_ledgers(self) -> RuleLedgers: ...
    @property
    def endpoints(self) -> Endpoints: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def agents(self) -> Agents: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def secrets(self) -> Secrets: ...
    @property
    def signing_keys(self) -> SigningKeys: ...
    @property
    def idempotency(self) -> Idempotency: ...
    @property
    def trail(self) -> Trail: ...
    @property
    def usage(self) -> UsageCounters: ...
    @property
    def analyses(self) -> Analyses: ...
    @property
    def model(self) -> Model: ...
    @property
    def queue(self) -> RunQueue: ...
    @property
    def tick_workers(self) -> TickWorkers: ...
    @property
    def outbound(self) -> Outbound: ...
    @property
    def notifications(self) -> Notifications: ...
    @property
    def telemetry(self) -> Telemetry: ...
    @property
    def limits(self) -> Limits: ...
