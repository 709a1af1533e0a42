"""Whatever is done to an endpoint in whatever order, and whatever breaks meanwhile: what its target may see."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rubato.adapters.memory import MemoryEndpoints
from rubato.domain.access import ALL_SCOPES, Caller
from rubato.domain.cron import CronExpression
from rubato.domain.endpoint import Clamp, Endpoint, EndpointConfig, MissedRuns, Retry, RunStatus, Source
from rubato.domain.errors import Conflict, Invalid
from rubato.domain.exchange import ErrorKind
from rubato.domain.hints import ActorKind, HintKind
from rubato.domain.instant import HOUR, MINUTE, SECOND
from rubato.domain.jobs import JobStatus
from rubato.domain.limits import Limits
from rubato.domain.schedule import Baseline, CronBaseline, IntervalBaseline, ManualBaseline
from rubato.ports import RunFilter
from rubato.usecases import steer_endpoint as steer
from rubato.usecases.trigger_run import trigger_run
from rubato.usecases.update_endpoint import update_endpoint
from rubato.usecases.update_job import update_job
from tests.properties.model import Script, Witness, WorkerDied
from tests.worlds import ANNE, MIDNIGHT, MemoryWorld, Stage, an_endpoint

AGENT = Caller(tenant_id="acme", key_id="key_agent", kind=ActorKind.AGENT, scopes=ALL_SCOPES)
CALLERS = st.sampled_from([ANNE, AGENT])
BASELINES: st.SearchStrategy[Baseline] = st.one_of(
    st.sampled_from([15 * SECOND, 25 * SECOND, MINUTE, 10 * MINUTE, HOUR]).map(IntervalBaseline),
    st.sampled_from(["* * * * *", "*/7 * * * *", "0 * * * *"]).map(
        lambda text: CronBaseline(CronExpression.parse(text))
    ),
    st.just(ManualBaseline()),
)
CLAMPS = st.tuples(
    st.sampled_from([None, None, 20 * SECOND, MINUTE]), st.sampled_from([None, None, 3 * MINUTE, HOUR])
).map(lambda pair: Clamp(min_interval_ms=pair[0], max_interval_ms=pair[1]))
TEMPOS = st.sampled_from([10 * SECOND, 30 * SECOND, 90 * SECOND, 20 * MINUTE])
SPANS = st.one_of(
    st.sampled_from([1, 500, 10 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, 20 * MINUTE]), st.integers(1, 2 * MINUTE)
)
TTLS = st.sampled_from([1, 2, 30])
# A lease, a lost message sent again, a tick, and the run in flight.
SLACK = 6 * MINUTE


class EndpointMachine(RuleBasedStateMachine):
    """One endpoint, its job, its owner, an agent, a queue that loses and doubles, and workers that die."""

    @initialize(
        baseline=BASELINES,
        clamp=CLAMPS,
        jitter=st.sampled_from([0, 0, 5 * SECOND]),
        missed=st.sampled_from(MissedRuns),
        give_up=st.sampled_from([0, 0, 2]),
        lateness=st.sampled_from([None, None, 90 * SECOND]),
        attempts=st.sampled_from([1, 1, 3]),
    )
    def create(
        self,
        baseline: Baseline,
        clamp: Clamp,
        jitter: int,
        missed: MissedRuns,
        give_up: int,
        lateness: int | None,
        attempts: int,
    ) -> None:
        self.world = MemoryWorld()
        self.world.limits = Limits(allowed_target_cidrs="127.0.0.0/8", shards=1)
        # One shard makes a tick cheap: each shard has a thread of its own.
        self.world.endpoints = MemoryEndpoints(self.world.trail, self.world.usage, shards=1)
        self.stage = Stage(self.world)
        self.witness = Witness(self.world, self.play, baseline, clamp, origins={MIDNIGHT})
        self.world.outbound = self.witness  # type: ignore[assignment]
        made = an_endpoint(
            self.world,
            baseline,
            clamp=clamp,
            jitter_ms=jitter,
            missed_runs=missed,
            auto_pause_after=give_up,
            max_lateness_ms=lateness,
            retry=Retry(max_attempts=attempts),
        )
        self.witness.endpoint_id = self.id = made.id
        self.counters = (0, 0, 0)
        save = self.world.endpoints.save

        def save_or_die(before: Endpoint, after: Endpoint, *events: object) -> Endpoint:
            self.witness.end()
            return save(before, after, *events)  # type: ignore[arg-type]

        self.world.endpoints.save = save_or_die  # type: ignore[method-assign]

    @property
    def stored(self) -> Endpoint:
        endpoint = self.world.endpoints.load(self.id)
        assert endpoint is not None
        return endpoint

    def play(self, until: int) -> None:
        """Workers that die take down nothing but themselves."""
        while self.world.clock.now() < until:
            try:
                self.stage.play(until)
            except WorkerDied:
                continue

    @rule(span=SPANS)
    def time_passes(self, span: int) -> None:
        self.play(self.world.clock.now() + span)

    @rule(span=SPANS)
    def everything_is_down_for_a_while(self, span: int) -> None:
        self.world.clock.instant += span

    @rule(choice=st.integers(0, 5), twice=st.booleans())
    def a_message_is_lost_or_doubled(self, choice: int, twice: bool) -> None:
        waiting = self.world.queue.waiting
        if choice < len(waiting):
            message = waiting.pop(choice)
            waiting.extend([message, message] if twice else [])

    @rule(failing=st.booleans())
    def the_queue_refuses_or_takes_messages(self, failing: bool) -> None:
        self.world.queue.failing = failing

    @rule(takes=st.integers(0, 29_000), status=st.sampled_from([200, 200, 500]))
    def the_next_call_takes_long_or_fails(self, takes: int, status: int) -> None:
        self.witness.script.append(Script(takes_ms=takes, status=status))

    @rule(at_the_end=st.booleans())
    def the_next_worker_dies(self, at_the_end: bool) -> None:
        self.witness.script.append(Script(dies=not at_the_end, dies_before_the_schedule=at_the_end))

    @rule(takes=st.integers(2, 29_000), deed=st.sampled_from(["pause", "clear", "hint", "run", "shot", "edit", "hold"]))
    def something_is_changed_during_the_next_call(self, takes: int, deed: str) -> None:
        deeds = {
            "pause": lambda: self.pause(30 * SECOND),
            "clear": self.clear,
            "hint": lambda: self.hint(ANNE, 30 * SECOND, 2),
            "run": self.run_now,
            "shot": lambda: self.one_shot(AGENT, SECOND, 1),
            "edit": lambda: self.edit_baseline(IntervalBaseline(MINUTE)),
            "hold": lambda: self.hold(True),
        }
        self.witness.script.append(Script(takes_ms=takes, meanwhile=deeds[deed]))

    @rule(baseline=BASELINES)
    def edit_baseline(self, baseline: Baseline) -> None:
        if baseline != self.witness.baseline:
            self.witness.baseline, self.witness.origins = baseline, {self.world.clock.now()}
            self._edit(replace(self.stored.config, baseline=baseline))

    @rule(clamp=CLAMPS)
    def edit_clamps(self, clamp: Clamp) -> None:
        self.witness.clamp, self.witness.clamped_since = clamp, self.world.clock.now() + 1
        self._edit(replace(self.stored.config, clamp=clamp))

    @rule(text=st.sampled_from(["a", "b"]))
    def edit_the_description(self, text: str) -> None:
        self._edit(replace(self.stored.config, description=text))

    @rule(caller=CALLERS, interval=TEMPOS, minutes=TTLS)
    def hint(self, caller: Caller, interval: int, minutes: int) -> None:
        low, high = self.witness.clamp.min_interval_ms, self.witness.clamp.max_interval_ms
        try:
            _, hint = steer.hint_interval(
                self.world, caller, self.id, interval_ms=interval, ttl_minutes=minutes, reason=None
            )
        except Invalid:
            assert interval < (low or 0) or interval > (high or interval)
        else:
            assert (low or 0) <= interval <= (high or interval)
            self.witness.remember(hint)

    @rule(caller=CALLERS, delay=st.one_of(st.just(0), SPANS), minutes=TTLS)
    def one_shot(self, caller: Caller, delay: int, minutes: int) -> None:
        _, hint = steer.hint_one_shot(
            self.world, caller, self.id, run_at=None, run_in_ms=delay, ttl_minutes=minutes, reason=None
        )
        self.witness.remember(hint)

    @rule()
    def clear(self) -> None:
        self.witness.withdraw(set(self.witness.hints))
        steer.clear_hints(self.world, ANNE, self.id, reason=None)

    @rule(span=st.one_of(st.none(), SPANS))
    def pause(self, span: int | None) -> None:
        until = None if span is None else self.world.clock.now() + span
        self.witness.paused_until = float("inf") if until is None else until
        self.witness.resumes |= set() if until is None else {until}
        steer.pause_endpoint(self.world, ANNE, self.id, until=until, reason=None)

    @rule()
    def resume(self) -> None:
        self.witness.paused_until = 0
        self.witness.resume()
        steer.resume_endpoint(self.world, ANNE, self.id, reason=None)

    @rule(holds=st.booleans())
    def hold(self, holds: bool) -> None:
        self.witness.held = holds
        self.witness.resume()
        status = JobStatus.PAUSED if holds else JobStatus.ACTIVE
        update_job(self.world, ANNE, self.stored.config.job_id, lambda job: replace(job, status=status))

    @rule()
    def run_now(self) -> None:
        try:
            self.witness.manual.add(trigger_run(self.world, ANNE, self.id))
        except Conflict:
            assert self.stored.state.is_running

    @rule()
    def reset_failures(self) -> None:
        steer.reset_failures(self.world, ANNE, self.id, reason=None)

    @rule()
    def all_goes_well_again(self) -> None:
        """Then nothing is lost: a run comes within its rhythm, its hints and what it takes to notice a loss."""
        self.world.queue.failing = False
        self.witness.script.clear()
        self.hold(False)
        self.resume()
        self.reset_failures()
        calls, begun = len(self.witness.scheduled), self.world.clock.now()
        longest = self._longest_gap()
        while longest is not None and len(self.witness.scheduled) == calls:
            assert self.world.clock.now() < begun + longest, "a run was lost"
            self.play(self.world.clock.now() + MINUTE)

    @rule()
    def every_hint_expires(self) -> None:
        """Then the rhythm is the baseline's, and one-shots that did not fire are on record."""
        self.all_goes_well_again()
        self.play(max([self.world.clock.now(), *(hint.expires_at for hint in self.witness.hints.values())]))
        self.all_goes_well_again()
        self.play(self.world.clock.now() + SLACK)
        upcoming = self.stored.state.next
        assert upcoming is None or (upcoming.source is not Source.AI_INTERVAL and upcoming.hint_id is None)
        assert (upcoming is None) == isinstance(self.witness.baseline, ManualBaseline)
        told = [event for event in self.world.trail.events if event.action == "expireOneShotRun"]
        assert len(told) == len(self.witness.unfired())

    @invariant()
    def runs_on_record_are_the_calls_that_ended(self) -> None:
        found = self.world.runs.of_endpoint(self.id, RunFilter(), 10_000, None).items
        records, claim = {run.run_id: run for run in found}, self.stored.state.claim
        retried = {claim.run_id} if claim is not None else set()
        assert len(records) == len(found) and set(self.witness.finished) <= set(records) | retried
        for run_id, run in records.items():
            assert run.started_at is not None and run.started_at >= run.due_at
            lost = run.error_kind is ErrorKind.LOST
            assert lost or run.status_code in (self.witness.finished[run_id], None)
            assert lost or run.status is verdict(self.witness.finished[run_id])

    @invariant()
    def counters_never_go_back(self) -> None:
        state = self.stored.state
        counters = (state.skipped, state.missed, state.fence)
        assert all(new >= old for new, old in zip(counters, self.counters, strict=True))
        self.counters = counters

    @invariant()
    def an_awake_endpoint_with_a_rhythm_is_always_where_the_tick_finds_it(self) -> None:
        state, now = self.stored.state, self.world.clock.now()
        if state.is_running or state.is_paused(now) or isinstance(self.witness.baseline, ManualBaseline):
            return
        assert state.parked or state.next is not None
        assert state.wake_at is not None and (state.next is None or state.wake_at <= state.next.due)

    def _edit(self, config: EndpointConfig) -> None:
        def edit(latest: EndpointConfig) -> EndpointConfig:
            return replace(latest, baseline=config.baseline, clamp=config.clamp, description=config.description)

        update_endpoint(self.world, ANNE, self.id, edit, lambda _config: {})

    def _longest_gap(self) -> int | None:
        baseline, now = self.witness.baseline, self.world.clock.now()
        if isinstance(baseline, ManualBaseline):
            return None
        own = baseline.interval_ms if isinstance(baseline, IntervalBaseline) else HOUR
        live = [hint for hint in self.stored.hints if hint.kind is HintKind.INTERVAL and hint.is_live(now)]
        return 2 * own + max((hint.interval_ms or 0 for hint in live), default=0) + SLACK


def verdict(status: int) -> RunStatus:
    """How an answer counts by default."""
    return RunStatus.SUCCESS if status == 200 else RunStatus.FAILURE


TestEndpointMachine = EndpointMachine.TestCase
TestEndpointMachine.settings = settings(stateful_step_count=40, max_examples=max(settings().max_examples // 2, 1))
