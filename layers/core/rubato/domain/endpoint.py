"""An endpoint: what the owner configured, where its schedule stands, and the hints that live on it."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from rubato.domain.exchange import Attempt, ErrorKind, Headers
from rubato.domain.hints import Actor, Hint
from rubato.domain.schedule import Baseline
from rubato.domain.signing import SignedBy, signed_by


class Source(StrEnum):
    """Why a run happens when it does; stored with `nextRunAt` and stamped on the run."""

    BASELINE_INTERVAL = "baseline-interval"
    BASELINE_CRON = "baseline-cron"
    AFTER = "after"
    AI_INTERVAL = "ai-interval"
    AI_ONESHOT = "ai-oneshot"
    CLAMPED_MIN = "clamped-min"
    CLAMPED_MAX = "clamped-max"
    PAUSED = "paused"
    MANUAL = "manual"


class Tier(StrEnum):
    """The part an endpoint plays in its job; a label for people, rules and planners."""

    HEALTH = "health"
    INVESTIGATION = "investigation"
    RECOVERY = "recovery"
    ALERT = "alert"
    NONE = "none"


class PlannerPower(StrEnum):
    """What an owner allows rules and the planner beyond hints and pauses of their own."""

    MAY_RESUME = "may_resume"


class MissedRuns(StrEnum):
    """What becomes of slots that passed in an outage."""

    RUN_ONCE = "run_once"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRequest:
    """The request as configured. `body` is any JSON value: text is sent as it is, everything else as JSON."""

    url: str
    method: str = "GET"
    headers: Headers = ()
    body: Any = None
    follow_redirects: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Clamp:
    """Bounds on the gap between runs, in ms, measured from the last run."""

    min_interval_ms: int | None = None
    max_interval_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often a run calls its target before it fails, and how long it waits in between at most, in ms."""

    max_attempts: int = 1
    backoff_ms: int = 1_000
    max_backoff_ms: int = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointConfig:
    """What the owner set. Times in ms since the epoch, durations in ms, sizes in bytes.

    `depends_on` names endpoints of the same job whose latest scheduled runs must all have succeeded.
    """

    endpoint_id: str
    tenant_id: str
    job_id: str
    name: str
    request: TargetRequest
    baseline: Baseline
    created_at: int
    updated_at: int
    version: int = 1
    description: str | None = None
    clamp: Clamp = Clamp()
    timeout_ms: int = 30_000
    max_response_bytes: int = 65_536
    retry: Retry = Retry()
    success_codes: tuple[str, ...] = ("200-299",)
    missed_runs: MissedRuns = MissedRuns.RUN_ONCE
    max_lateness_ms: int | None = None
    jitter_ms: int = 0
    auto_pause_after: int = 0
    tier: Tier = Tier.NONE
    planner: PlannerPower | None = None
    depends_on: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    deleted_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A pause by a person, rule or planner. `until` None: until somebody resumes."""

    since: int
    by: Actor
    until: int | None = None
    reason: str | None = None

    def is_over(self, now: int) -> bool:
        """A pause that ends at T is no pause at T."""
        return self.until is not None and self.until <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One planned run: its slot, its due time (slot + jitter) and why.

    `trigger` names what caused it and enters the run id; `on_grid` says whether the slot moves the anchor.
    """

    slot: int
    due: int
    source: Source
    trigger: str = "cadence"
    hint_id: str | None = None
    on_grid: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A run that was claimed: handed to the queue and, once `started_at` is set, in flight.

    `fence` grows with every claim of the endpoint: a holder of an older one writes nothing. `tried` holds the attempts
    that were made already, whether they failed or their worker died; `retry_at` (ms) is when the next one may begin.
    `given_up` says that it is not to be made any more, so that the run ends as it stands.
    """

    run_id: str
    plan: Plan
    fence: int
    lease_until: int
    attempt: int = 1
    started_at: int | None = None
    tried: tuple[Attempt, ...] = ()
    retry_at: int | None = None
    given_up: bool = False

    @property
    def call_at(self) -> int:
        """The instant before which this attempt calls nobody."""
        return self.plan.due if self.retry_at is None else self.retry_at

    @property
    def lost_count(self) -> int:
        """How many of the attempts have lost their worker."""
        return sum(1 for attempt in self.tried if attempt.error_kind is ErrorKind.LOST)

    @property
    def is_manual(self) -> bool:
        """A run-now stands outside the schedule."""
        return self.plan.source is Source.MANUAL


class RunStatus(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The latest finished run, manual ones included."""

    run_id: str
    status: RunStatus
    started_at: int
    finished_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """The latest slot that a closed gate passed over, and why."""

    slot: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointState:
    """Where the schedule stands. Small, written on every run; `version` guards every write.

    `anchor` and `last_slot` as in the design's semantics. `held` is the job's pause or archive. `shadow` is the slot
    that waits behind a pause. `wake_at` is the endpoint's place in the due index: never later than the moment at which
    the tick must look at it, None when nothing can become due by itself. `passed` is the latest slot that was left out
    on purpose. `outcome` and `succeeded_at` tell of scheduled runs only; `heard` holds, for an endpoint that follows
    others, when each of them last finished with success. `ruled`: its job's rules are to hear of the end of each run.
    `synthetic`: its job monitors Rubato itself, so its runs are counted apart.
    `look_at` is when the planner is to look at the endpoint, None while its job has no planner; `stirred` says that a
    turn came which its resting siblings have not been told of; `look_floor` is the earliest instant of a look after the
    last one. `signers` has the ids of the keys that sign its requests, oldest first: its own or those of its tenant.
    """

    anchor: int
    version: int = 0
    last_slot: int | None = None
    failures: int = 0
    pause: Pause | None = None
    held: bool = False
    ruled: bool = False
    synthetic: bool = False
    shadow: int | None = None
    next: Plan | None = None
    parked: bool = False
    claim: Claim | None = None
    fence: int = 0
    wake_at: int | None = None
    skipped: int = 0
    missed: int = 0
    last_run: LastRun | None = None
    outcome: RunStatus | None = None
    succeeded_at: int | None = None
    heard: tuple[tuple[str, int], ...] = ()
    passed: int | None = None
    last_skip: Skip | None = None
    look_at: int | None = None
    stirred: bool = False
    look_floor: int | None = None
    signers: tuple[str, ...] = ()

    @property
    def signed_by(self) -> SignedBy | None:
        """Whose keys sign its requests, if any."""
        return signed_by(self.signers)

    def is_paused(self, now: int) -> bool:
        """Paused by itself or through its job."""
        return self.held or (self.pause is not None and not self.pause.is_over(now))

    @property
    def is_running(self) -> bool:
        """A target is being called, a run-now is on its way, or a run whose worker died waits for its next attempt."""
        claim = self.claim
        return claim is not None and (claim.started_at is not None or claim.is_manual or claim.attempt > 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The whole of one endpoint, as read in one consistent look."""

    config: EndpointConfig
    state: EndpointState
    hints: tuple[Hint, ...] = ()

    @property
    def id(self) -> str:
        """The endpoint's id."""
        return self.config.endpoint_id

    @property
    def is_deleted(self) -> bool:
        """Deleted endpoints keep a tombstone so that their history stays readable."""
        return self.config.deleted_at is not None

    def with_state(self, **changes: Any) -> "Endpoint":
        """The same endpoint with parts of its state replaced."""
        return replace(self, state=replace(self.state, **changes))
