"""What an endpoint may look like: configurations, states and hints, plausible ones more often than strange ones.

A scene is an endpoint and an instant. Instants cluster around each other, so that equal ones and neighbours, where the
rules of precedence and of expiry decide, come up often.
"""

from dataclasses import dataclass, replace

from hypothesis import strategies as st

from rubato.domain import lease
from rubato.domain.cron import CronExpression
from rubato.domain.endpoint import (
    Clamp,
    Endpoint,
    EndpointConfig,
    EndpointState,
    MissedRuns,
    Pause,
    RunStatus,
    TargetRequest,
)
from rubato.domain.hints import Actor, ActorKind, Hint, HintKind
from rubato.domain.instant import DAY, HOUR, MINUTE, SECOND
from rubato.domain.schedule import Baseline, CronBaseline, IntervalBaseline, ManualBaseline
from tests.worlds import MIDNIGHT

LOOK_AHEAD = 2 * MINUTE
AUTHORS = [Actor(id=f"key_{number}", kind=kind) for number, kind in enumerate(ActorKind)]

INTERVALS = st.one_of(
    st.sampled_from([SECOND, 5 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, HOUR, DAY]), st.integers(SECOND, 2 * DAY)
)
# Shifts of an instant: mostly none, one millisecond, or the lengths that intervals and expiries have too.
SHIFTS = st.one_of(st.sampled_from([0, 1, SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, HOUR]), st.integers(0, 3 * DAY))
VETTED_CRONS = [
    ("* * * * *", "UTC"),
    ("*/7 * * * *", "UTC"),
    ("0 * * * *", "Asia/Kathmandu"),
    ("30 2 * * *", "Europe/Berlin"),
    ("0 9-17 * * MON-FRI", "America/New_York"),
    ("15,45 */3 1-15 * *", "Australia/Lord_Howe"),
    ("@daily", "Pacific/Apia"),
    ("0 0 29 2 *", "UTC"),
]


@st.composite
def simple_crons(draw: st.DrawFn) -> tuple[str, str]:
    """In UTC, with whole days and months open."""
    minute = draw(st.one_of(st.just("*"), st.integers(2, 30).map(lambda n: f"*/{n}"), st.integers(0, 59).map(str)))
    hour = draw(st.one_of(st.just("*"), st.integers(0, 23).map(str), st.just("8-18/2")))
    return f"{minute} {hour} * * {draw(st.sampled_from(['*', '1-5', '0,3']))}", "UTC"


CRONS = st.one_of(st.sampled_from(VETTED_CRONS), simple_crons()).map(
    lambda pair: CronBaseline(CronExpression.parse(*pair))
)
UTC_CRONS = simple_crons().map(lambda pair: CronBaseline(CronExpression.parse(*pair)))
BASELINES: st.SearchStrategy[Baseline] = st.one_of(
    INTERVALS.map(IntervalBaseline), INTERVALS.map(IntervalBaseline), CRONS, st.just(ManualBaseline())
)


@st.composite
def clamps(draw: st.DrawFn) -> Clamp:
    """Each bound may be open; the lower is never above the upper."""
    low, high = sorted((draw(INTERVALS), draw(INTERVALS)))
    return Clamp(
        min_interval_ms=low if draw(st.booleans()) else None, max_interval_ms=high if draw(st.booleans()) else None
    )


OPEN = Clamp()


@st.composite
def configs(
    draw: st.DrawFn,
    baselines: st.SearchStrategy[Baseline] = BASELINES,
    bounds: st.SearchStrategy[Clamp] = st.one_of(st.just(OPEN), clamps()),  # noqa: B008 - strategies don't change
) -> EndpointConfig:
    """Such as the door lets in."""
    baseline = draw(baselines)
    widest = baseline.interval_ms if isinstance(baseline, IntervalBaseline) else HOUR
    return EndpointConfig(
        endpoint_id="ep_01JGFJJZ00DE3B4WZZ6KYE37BB",
        tenant_id="acme",
        job_id="job_1",
        name="probe",
        request=TargetRequest(url="https://example.com/"),
        baseline=baseline,
        clamp=draw(bounds),
        jitter_ms=draw(st.one_of(st.just(0), st.integers(0, widest - 1))),
        missed_runs=draw(st.sampled_from(MissedRuns)),
        max_lateness_ms=draw(st.one_of(st.none(), SHIFTS)),
        auto_pause_after=draw(st.sampled_from([0, 0, 1, 3])),
        created_at=MIDNIGHT,
        updated_at=MIDNIGHT,
    )


@st.composite
def interval_hints(draw: st.DrawFn, now: int, number: int = 0) -> Hint:
    """Written at some time before now; live, just expired, or about to expire."""
    interval, written = draw(INTERVALS), now - draw(SHIFTS)
    expires = draw(st.one_of(st.sampled_from([now - 1, now, now + 1]), SHIFTS.map(lambda shift: now + shift)))
    return Hint(
        hint_id=f"hint_i{number}",
        kind=HintKind.INTERVAL,
        author=AUTHORS[number % len(AUTHORS)],
        created_at=written,
        expires_at=max(expires, written + 1),
        first_slot=written + draw(st.integers(0, interval)),
        interval_ms=interval,
    )


@st.composite
def one_shots(draw: st.DrawFn, now: int, number: int = 0) -> Hint:
    """Asked for a time before, at or after now."""
    at = now + draw(st.sampled_from([-1, 1])) * draw(SHIFTS)
    return Hint(
        hint_id=f"hint_o{number}",
        kind=HintKind.ONE_SHOT,
        author=AUTHORS[number % len(AUTHORS)],
        created_at=at - draw(SHIFTS),
        expires_at=at + max(draw(SHIFTS), 1),
        first_slot=at,
    )


@st.composite
def hints(draw: st.DrawFn, now: int) -> tuple[Hint, ...]:
    """Up to three of each kind, by several authors."""
    tempos, runs = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    drawn = [draw(interval_hints(now, number)) for number in range(tempos)]
    return (*drawn, *(draw(one_shots(now, number)) for number in range(runs)))


@st.composite
def pauses(draw: st.DrawFn, now: int) -> Pause:
    """Indefinite, running, ending now, or over."""
    until = draw(st.one_of(st.none(), st.sampled_from([now - 1, now, now + 1]), SHIFTS.map(lambda shift: now + shift)))
    return Pause(since=now - DAY, by=AUTHORS[0], until=until)


@dataclass(frozen=True)
class Scene:
    """An endpoint that is awake or asleep, and the instant at which somebody looks at it."""

    endpoint: Endpoint
    now: int

    @property
    def bare(self) -> Endpoint:
        """The same without hints."""
        return replace(self.endpoint, hints=())


@st.composite
def scenes(
    draw: st.DrawFn,
    config: st.SearchStrategy[EndpointConfig] | None = None,
    hinted: bool = True,
    asleep: bool = False,
    ran: bool = False,
) -> Scene:
    """Built directly: nothing planned yet, as after an edit or a run. `ran` asks for a last run."""
    anchor = MIDNIGHT + draw(SHIFTS)
    earlier = st.one_of(st.just(anchor), SHIFTS.map(lambda shift: MIDNIGHT + shift))
    last = draw(earlier if ran else st.one_of(st.none(), earlier))
    now = max(anchor, last or 0) + draw(SHIFTS)
    state = EndpointState(anchor=anchor, last_slot=last, failures=draw(st.integers(0, 12)))
    if asleep:
        state = replace(state, pause=draw(pauses(now)), held=draw(st.booleans()))
    drawn = draw(configs() if config is None else config)
    return Scene(Endpoint(config=drawn, state=state, hints=draw(hints(now)) if hinted else ()), now)


@st.composite
def histories(draw: st.DrawFn, config: st.SearchStrategy[EndpointConfig] | None = None) -> Scene:
    """Reached by living: settled, run, paused, hinted and released at instants that never go back."""
    scene = draw(scenes(config, asleep=True))
    endpoint, now = lease.settle(scene.endpoint, scene.now, LOOK_AHEAD), scene.now
    for _ in range(draw(st.integers(0, 4))):
        now += draw(SHIFTS)
        endpoint = lease.settle(draw(st.sampled_from(_DEEDS))(draw, endpoint, now), now, LOOK_AHEAD)
    return Scene(endpoint, now)


def _nothing(_draw: st.DrawFn, endpoint: Endpoint, _now: int) -> Endpoint:
    return endpoint


def _run(draw: st.DrawFn, endpoint: Endpoint, now: int) -> Endpoint:
    claim = endpoint.state.claim
    if claim is None or claim.plan.due > now:
        return endpoint
    started = endpoint if claim.started_at is not None else lease.start(endpoint, now)
    status = draw(st.sampled_from([RunStatus.SUCCESS, RunStatus.FAILURE]))
    return lease.finish(started, lease.RunResult(status, now, now), now)


def _start(_draw: st.DrawFn, endpoint: Endpoint, now: int) -> Endpoint:
    claim = endpoint.state.claim
    waits = claim is not None and claim.started_at is None and claim.plan.due <= now
    return lease.start(endpoint, now) if waits else endpoint


def _trigger(_draw: st.DrawFn, endpoint: Endpoint, now: int) -> Endpoint:
    return endpoint if endpoint.state.is_running else lease.trigger(endpoint, now)


def _pause(draw: st.DrawFn, endpoint: Endpoint, now: int) -> Endpoint:
    return endpoint.with_state(pause=draw(pauses(now)))


def _resume(_draw: st.DrawFn, endpoint: Endpoint, _now: int) -> Endpoint:
    return endpoint.with_state(pause=None, held=False)


def _rehint(draw: st.DrawFn, endpoint: Endpoint, now: int) -> Endpoint:
    return replace(endpoint, hints=draw(hints(now)))


_DEEDS = [_nothing, _run, _run, _start, _trigger, _pause, _resume, _rehint]
