"""A job with rules and the endpoints that they look at, in a memory world: each target answers what the test says."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rubato.domain.endpoint import Endpoint, TargetRequest
from rubato.domain.exchange import Call, Reply
from rubato.domain.hints import Hint
from rubato.domain.instant import MINUTE, SECOND
from rubato.domain.jobs import Job
from rubato.domain.rules import read_rules
from rubato.domain.schedule import Baseline, IntervalBaseline
from rubato.usecases.update_job import update_job
from tests.worlds import ANNE, MIDNIGHT, MemoryWorld, Stage, a_job, an_endpoint

SURGE: dict[str, Any] = {
    "name": "surge",
    "when": "endpoints.traffic.body.visitors > `2000`",
    "then": [{"proposeInterval": {"endpoint": "traffic", "intervalMs": 30_000, "ttlMinutes": 10}}],
}


class Shop:
    """`says` holds each target's JSON answer by the endpoint's name; `down` the names that answer 503."""

    def __init__(self, *rules: dict[str, Any], world: Any = None) -> None:
        self.world: Any = world or MemoryWorld()
        self.stage = Stage(self.world)
        self.job: Job = a_job(self.world)
        self.says: dict[str, Any] = {}
        self.down: set[str] = set()
        self.world.outbound.answer = self._answer
        if rules:
            self.rule(*rules)

    def rule(self, *rules: dict[str, Any], **job: Any) -> Job:
        """Save these rules in place of all others."""
        read = read_rules(rules)
        return update_job(self.world, ANNE, self.job.job_id, lambda old: replace(old, rules=read, **job))

    def add(self, name: str, baseline: Baseline | None = None, says: Any = None, **config: Any) -> Endpoint:
        """An endpoint that answers `says`."""
        self.says[name] = says
        request = TargetRequest(url=f"http://127.0.0.1/{name}")
        found = self.world.jobs.get(self.job.job_id)
        return an_endpoint(
            self.world, baseline or IntervalBaseline(5 * MINUTE), job=found, name=name, request=request, **config
        )

    def play(self, seconds: float) -> None:
        """Up to so many seconds after midnight."""
        self.stage.play(MIDNIGHT + round(seconds * SECOND))

    def endpoint(self, name: str) -> Endpoint:
        """As it is stored."""
        found: Endpoint = self.world.endpoints.load(self.world.endpoints.named(self.job.job_id, [name])[name])
        return found

    def hints(self, name: str) -> Sequence[Hint]:
        """Those that live."""
        return [hint for hint in self.endpoint(name).hints if hint.is_live(self.world.clock.now())]

    def calls(self, name: str) -> list[float]:
        """When its target was called, in seconds after midnight."""
        return [(at - MIDNIGHT) / SECOND for at, call in self.world.outbound.calls if call.url.endswith(f"/{name}")]

    def acts(self, name: str) -> list[tuple[float, str, str]]:
        """What rules did to it, oldest first: (seconds after midnight, rule, action)."""
        events = self.world.trail.of_subject(self.endpoint(name).id, 1000, None).items
        mine = [event for event in events if event.actor.kind.value == "rule"]
        return sorted(((event.at - MIDNIGHT) / SECOND, event.actor.id, event.action) for event in mine)

    def ledger(self) -> Any:
        """How the rules stand."""
        return self.world.rule_ledgers.get(self.job.job_id)

    def _answer(self, call: Call) -> Reply:
        name = call.url.rpartition("/")[2]
        body = json.dumps(self.says.get(name)).encode()
        return Reply(duration_ms=0, status_code=503 if name in self.down else 200, body=body)
