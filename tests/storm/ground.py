"""Where a storm takes place: an emulator of its own with the tables and the queue, and the environment of the actors."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from cli.local import emulator
from cli.local.home import ROOT, Home
from rubato.bootstrap import AwsWorld
from rubato.settings import Settings
from tests.tables import create_tables

_SHARDS = 4
# Short, so that what is due later than a few seconds is claimed by ticks and not by the run before it.
_LOOK_AHEAD_S = 4
# As long as a killed dispatcher keeps its messages; short enough that a long batch is handed out a second time.
_VISIBILITY_S = 6


@dataclass(frozen=True, slots=True)
class Ground:
    """The emulator, and `variables`: the environment in which the functions' code finds it."""

    folder: Path
    port: int
    variables: dict[str, str]

    def environment(self) -> dict[str, str]:
        """Of a process that takes part, and never the user's own account."""
        return {**emulator.environment(self.port), **self.variables, "PYTHONPATH": str(ROOT)}

    def world(self) -> AwsWorld:
        """The real adapters, in this process. It has to have `environment`."""
        return AwsWorld(Settings.from_env(self.environment()))

    def diary(self, name: str) -> Path:
        """Where the actor of that name writes what it does."""
        return self.folder / f"{name}.jsonl"

    def diaries(self, pattern: str) -> Iterator[dict[str, Any]]:
        """The entries of all diaries whose names match; the last line of a killed actor may be cut."""
        for path in sorted(self.folder.glob(f"{pattern}.jsonl")):
            for line in path.read_text().splitlines():
                try:
                    yield json.loads(line)
                except ValueError:
                    continue


@contextmanager
def prepared(folder: Path) -> Iterator[Ground]:
    """An emulator with empty tables and a queue, for as long as the context lasts."""
    home = Home.at(_free_port(), folder / "emulator")
    emulator.start(home)
    try:
        yield Ground(folder, home.port, _furnish(home.port))
    finally:
        emulator.stop(home)


def _furnish(port: int) -> dict[str, str]:
    reach = emulator.credentials(port)
    tables = create_tables(boto3.client("dynamodb", **reach))
    visibility = {"VisibilityTimeout": str(_VISIBILITY_S)}
    queues = boto3.client("sqs", **reach)
    fast, slow, rules = (
        str(queues.create_queue(QueueName=name, Attributes=visibility)["QueueUrl"])
        for name in ("runs", "slow-runs", "rules")
    )
    return {
        **{f"{part.upper()}_TABLE": table for part, table in tables.items()},
        "RUN_QUEUE_URL": fast,
        "SLOW_RUN_QUEUE_URL": slow,
        "VAULT": "storm",
        "RULE_QUEUE_URL": rules,
        "SCHEDULE_SHARDS": str(_SHARDS),
        "LOOK_AHEAD_SECONDS": str(_LOOK_AHEAD_S),
        "ALLOWED_TARGET_CIDRS": "127.0.0.0/8",
        "POWERTOOLS_SERVICE_NAME": "storm",
    }


def adopt(ground: Ground) -> None:
    """Take the ground's environment on: the adapters read it when they open."""
    os.environ.update(ground.environment())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
