"""Plays each story once without a fault, to learn its call sites, and then once for each fault at each of them."""

import os
import pickle
import types
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import boto3
from moto import mock_aws
from moto.core.models import botocore_stubber

from rubato import bootstrap
from rubato.adapters import sqs
from rubato.adapters.dynamodb.connection import open_tables
from rubato.bootstrap import AwsWorld
from rubato.domain.endpoint import Endpoint, EndpointConfig
from rubato.domain.instant import SECOND
from tests.faults.seam import Seam, Site
from tests.faults.stage import REGION, House, InlinePool, Play
from tests.faults.stories import Story
from tests.tables import create_tables
from tests.worlds import MIDNIGHT, MemoryWorld

Summary = dict[str, Any]


@dataclass(frozen=True)
class Pair:
    """One fault at one call of a story."""

    story: str
    at: int
    site: Site
    fault: str

    def __str__(self) -> str:
        """For people."""
        return f"{self.story} / call {self.at} {self.site.operation} ({self.site.place}) / {self.fault}"


@dataclass(frozen=True)
class Outcome:
    """How a story went. `acted` is None where nobody acts, else whether the caller was told that all went well."""

    sites: list[Site]
    acted: bool | None
    error: Any
    before: Summary
    after: Summary
    end: MemoryWorld
    calls: list[tuple[int, Any]]
    overwritten: list[str]
    warnings: list[str]


@contextmanager
def opened() -> Iterator[House]:
    """Tables, clients, handlers; no thread, no real wait, no real network."""
    variables = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION}
    with ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, variables))
        for name in ("AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
            os.environ.pop(name, None)
        stack.enter_context(mock_aws())
        stack.callback(setattr, botocore_stubber, "enabled", True)
        house = _house()
        stack.enter_context(patch.object(bootstrap, "_world", None))
        client = sqs.open_client(REGION)
        house.seam.attach(client)
        stack.enter_context(patch.object(sqs, "open_client", lambda *_: client))
        stack.enter_context(patch("botocore.retries.quota.RetryQuota.acquire", lambda *_: True))
        quiet = types.SimpleNamespace(sleep=lambda _seconds: None)
        for module in ("botocore.endpoint", "rubato.adapters.dynamodb.endpoints", "rubato.adapters.dynamodb.batches"):
            stack.enter_context(patch(f"{module}.time", quiet))
        for module, name in _pooled():
            stack.enter_context(patch.object(module, name, InlinePool))
        for handler in (house.tick, house.dispatcher, house.rules):
            if hasattr(handler, "ThreadPoolExecutor"):
                handler.ThreadPoolExecutor = InlinePool  # type: ignore[attr-defined]
        yield house


def _house() -> House:
    tables = create_tables(boto3.client("dynamodb", region_name=REGION))
    seam = Seam()
    connection = open_tables(tables, REGION)
    seam.attach(connection.client)
    env = {f"{part.upper()}_TABLE": table for part, table in tables.items()}
    queues = {"RUN_QUEUE_URL": "https://sqs.test/runs", "SLOW_RUN_QUEUE_URL": "https://sqs.test/slow", "VAULT": "test"}
    queues["RULE_QUEUE_URL"] = "https://sqs.test/rules"
    return House(
        seam,
        connection,
        {**env, **queues, "AWS_REGION": REGION, "SCHEDULE_SHARDS": "1", "ALLOWED_TARGET_CIDRS": "127.0.0.0/8"},
    )


def _pooled() -> list[tuple[Any, str]]:
    import sys

    import rubato.usecases.claim_due
    import rubato.usecases.enforce_quota
    import rubato.usecases.evaluate_rules
    import rubato.usecases.follow_job
    import rubato.usecases.tell_followers  # noqa: F401

    ours = [module for name, module in sys.modules.items() if name.startswith("rubato.")]
    return [(module, name) for module in ours for name in ("ThreadPoolExecutor", "Pool") if hasattr(module, name)]


class Theatre:
    """Plays one story as often as wanted, each time from the same beginning."""

    def __init__(self, house: House, story: Story) -> None:
        self._house, self._story = house, story
        house.clear()
        play = Play(house, dict(story.env))
        story.prepare(play)
        play.play(MIDNIGHT + story.ready_s * SECOND)
        self._items, self._env = house.kept(), dict(play._env)
        self._moment = pickle.dumps(_moment_of(play))
        self.rehearsal = self.perform(None, "")

    def pairs(self, every: int = 1) -> Iterator[Pair]:
        """Every fault at every call of the rehearsal; or every so manieth, in turn, and one at least at each call."""
        for at, site in enumerate(self.rehearsal.sites):
            faults = site.faults()
            for number in sorted({each % len(faults) for each in range(at % every, max(len(faults), every), every)}):
                yield Pair(self._story.name, at, site, faults[number])

    def perform(self, at: int | None, fault: str) -> Outcome:
        """Once through the story."""
        story, play = self._story, self._begin()
        before = _summary(play.world, self._house) if story.act else {}
        play.seam.arm(at, fault)
        acted = error = None
        if story.act is not None:
            act = story.act
            acted, error = play.invoke("api", lambda: act(play.world))
        sites = play.seam.sites
        play.seam.armed, armed = False, play.seam.armed
        after = _summary(play.world, self._house) if story.act else {}
        play.seam.armed = armed
        play.play(max(play.clock.now(), MIDNIGHT + (story.ready_s + story.window_s) * SECOND))
        end = play.run_on(MIDNIGHT + story.end_s * SECOND)
        warnings = [*play.telemetry.warnings, *end.telemetry.warnings]
        return Outcome(sites, acted, error, before, after, end, play.target.calls, play.overwritten, warnings)

    def _begin(self) -> Play:
        self._house.put_back(self._items)
        play = Play(self._house, dict(self._env))
        moment = pickle.loads(self._moment)
        play.clock.instant, play.next_tick, play.entropy._calls = moment["now"], moment["tick"], moment["entropy"]
        play.post.waiting, play.post.sent = moment["waiting"], moment["sent"]
        play.target.calls, play.target.failing = moment["calls"], moment["failing"]
        return play


def _moment_of(play: Play) -> dict[str, Any]:
    return {
        "now": play.clock.instant,
        "tick": play.next_tick,
        "entropy": play.entropy._calls,
        "waiting": play.post.waiting,
        "sent": play.post.sent,
        "calls": play.target.calls,
        "failing": play.target.failing,
    }


def _summary(world: AwsWorld, house: House) -> Summary:
    """What people can see of what was done, without times."""
    return {
        "endpoints": sorted(
            (*_standing(each.config), each.state.pause is not None, each.state.held, *_course(each))
            for each in house.endpoints(world)
        ),
        "jobs": [job.status.value for job_id in house.keys_of("jobs") if (job := world.jobs.get(job_id))],
        "events": Counter(
            item.attrs["action"].value for items in house.tables["audit"].items.values() for item in items.values()
        ),
    }


def _standing(config: EndpointConfig) -> tuple[Any, ...]:
    return config.name, config.version, config.deleted_at is not None


def _course(endpoint: Endpoint) -> tuple[Any, ...]:
    return endpoint.state.failures, len(endpoint.hints), endpoint.state.is_running
