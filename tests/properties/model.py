"""A witness: what was asked of one endpoint, what its target saw, and which calls should never have come.

It knows the rules from the outside: who paused when, which hints live, which slots the rhythm may have. It plans nothing.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from rubato.domain.endpoint import Claim, Clamp, Source
from rubato.domain.exchange import Call, Reply
from rubato.domain.hints import SYSTEM, Hint, HintKind
from rubato.domain.instant import to_iso
from rubato.domain.schedule import Baseline, IntervalBaseline
from tests.worlds import MemoryWorld


class WorkerDied(BaseException):
    """The process that called the target is gone; nothing after the call happens."""


@dataclass
class Script:
    """How the next call goes: how long it takes, how it ends, and what happens meanwhile."""

    takes_ms: int = 0
    status: int = 200
    dies: bool = False
    dies_before_the_schedule: bool = False
    meanwhile: Callable[[], None] | None = None


@dataclass
class Witness:
    """The target of one endpoint, with a memory. `play` lets the world go on while a call is in flight."""

    world: MemoryWorld
    play: Callable[[int], None]
    baseline: Baseline
    clamp: Clamp
    endpoint_id: str = ""
    script: list[Script] = field(default_factory=list)
    calls: list[tuple[int, Claim]] = field(default_factory=list)
    finished: dict[str, int] = field(default_factory=dict)
    attempts: Counter[str] = field(default_factory=Counter)
    hints: dict[str, Hint] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    manual: set[str] = field(default_factory=set)
    resumes: set[int] = field(default_factory=set)
    origins: set[int] = field(default_factory=set)
    clamped_since: int = 0
    paused_until: float = 0
    held: bool = False
    in_call: bool = False
    resumed_in_flight: bool = False
    end_is_lost: bool = False

    @property
    def now(self) -> int:
        return self.world.clock.now()

    @property
    def scheduled(self) -> list[tuple[int, Claim]]:
        """First attempts of runs that nobody asked for by hand."""
        return [(at, claim) for at, claim in self.calls if claim.run_id not in self.manual and claim.attempt == 1]

    def is_paused(self) -> bool:
        """By its owner, its job or, after too many failures, by Rubato."""
        endpoint = self.world.endpoints.load(self.endpoint_id)
        assert endpoint is not None
        pause = endpoint.state.pause
        gave_up = pause is not None and pause.by == SYSTEM
        return self.held or self.paused_until > self.now or gave_up

    def send(self, call: Call) -> Reply:
        """Judges the call, then answers by the script."""
        endpoint = self.world.endpoints.load(self.endpoint_id)
        assert endpoint is not None and endpoint.state.claim is not None
        claim = endpoint.state.claim
        self._judge(call, claim)
        self.calls.append((self.now, claim))
        self.attempts[claim.run_id] += 1
        script, self.in_call = (self.script.pop(0) if self.script else Script()), True
        try:
            self._live_on(script)
        finally:
            self.in_call = False
        if script.dies:
            raise WorkerDied
        self.finished[claim.run_id] = script.status
        self.end_is_lost = script.dies_before_the_schedule
        return Reply(duration_ms=script.takes_ms, status_code=script.status)

    def end(self) -> None:
        """Called at each write of a schedule."""
        if self.end_is_lost:
            self.end_is_lost = False
            raise WorkerDied

    def resume(self) -> None:
        """A pause of the endpoint or of its job ends by hand, now."""
        endpoint = self.world.endpoints.load(self.endpoint_id)
        self.resumes.add(self.now)
        self.resumed_in_flight |= endpoint is not None and endpoint.state.is_running

    def remember(self, hint: Hint) -> None:
        """A hint was accepted; it takes the place of the author's older one of its kind."""
        older = {h.hint_id for h in self.hints.values() if h.kind is hint.kind and h.author == hint.author}
        self.withdraw(older)
        self.hints[hint.hint_id] = hint

    def withdraw(self, hint_ids: set[str]) -> None:
        """Somebody took these away while they were alive."""
        self.withdrawn |= {each for each in hint_ids if self.hints[each].expires_at > self.now}

    def unfired(self) -> set[str]:
        """One-shots whose time is over, that nobody took away and that caused no run."""
        fired = {claim.plan.hint_id for _, claim in self.calls}
        over = {h.hint_id for h in self.hints.values() if h.kind is HintKind.ONE_SHOT and h.expires_at <= self.now}
        return over - fired - self.withdrawn

    def _live_on(self, script: Script) -> None:
        begun = self.now
        if script.meanwhile is not None:
            self.play(begun + script.takes_ms // 2)
            script.meanwhile()
        self.play(begun + script.takes_ms)

    def _judge(self, call: Call, claim: Claim) -> None:
        told = dict(call.headers)
        assert told["Rubato-Slot"] == to_iso(claim.plan.slot) and told["Rubato-Run-Id"] == claim.run_id
        assert self.now >= claim.plan.due >= claim.plan.slot, "called early"
        assert not self.in_call, "called while another run is in flight"
        assert self.world.runs.get(claim.run_id) is None, "called again after it had ended"
        assert claim.attempt == 1 + self.attempts[claim.run_id], "called twice in one attempt"
        if claim.run_id in self.manual:
            return
        assert claim.plan.source is not Source.MANUAL
        assert not self.is_paused(), "called while paused"
        if claim.attempt == 1:
            self._judge_plan(claim)

    def _judge_plan(self, claim: Claim) -> None:
        plan, before = claim.plan, self.scheduled[-1][1].plan.slot if self.scheduled else None
        assert before is None or plan.slot > before or plan.source is Source.AI_ONESHOT, "a slot came back"
        least = self.clamp.min_interval_ms
        if before is not None and least is not None and before >= self.clamped_since:
            assert plan.slot >= before + least, "sooner than its min clamp"
        if plan.hint_id is not None:
            self._judge_hint(claim, self.hints[plan.hint_id])
        if self.resumed_in_flight and not plan.on_grid:
            # What fell inside the pause runs once, at the end of the run that was in flight at the resume.
            self.resumed_in_flight = False
            self.resumes.add(plan.slot)
        if plan.source is Source.BASELINE_INTERVAL and plan.slot not in self.resumes:
            assert isinstance(self.baseline, IntervalBaseline)
            step = self.baseline.interval_ms
            assert any((plan.slot - origin) % step == 0 for origin in self.origins), "off its grid"
        if plan.source in (Source.BASELINE_INTERVAL, Source.BASELINE_CRON, Source.AI_INTERVAL):
            # The one run after a resume is off the grid, unless it happens to be on it.
            self.origins = self.origins | {plan.slot} if plan.slot in self.resumes else {plan.slot}

    def _judge_hint(self, claim: Claim, hint: Hint) -> None:
        assert hint.hint_id not in self.withdrawn, "a hint that was taken away caused a run"
        assert claim.plan.slot < hint.expires_at, "a hint caused a run beyond its expiry"
        if hint.kind is HintKind.ONE_SHOT:
            assert hint.first_slot <= self.now < hint.expires_at, "a one-shot outside of its time"
            assert all(other.plan.hint_id != hint.hint_id for _, other in self.calls), "a one-shot ran twice"
