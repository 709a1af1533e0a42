"""Handlers as Lambda has them: loaded by path, over moto's DynamoDB and SQS, with events from events/."""

import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from moto import mock_aws

from rubato import bootstrap
from rubato.bootstrap import AwsWorld
from rubato.observability import LambdaTelemetry
from rubato.settings import Settings
from tests.tables import create_tables
from tests.worlds import TestClock

ROOT = Path(__file__).parent.parent.parent


class Context:
    """What the handlers use of Lambda's context."""

    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"

    def get_remaining_time_in_millis(self) -> int:
        """A minute."""
        return 60_000


def load(function: str) -> ModuleType:
    """The handler module of functions/<function>, freshly imported."""
    path = ROOT / "functions" / function / "handler.py"
    spec = importlib.util.spec_from_file_location(f"{function}_handler", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def event(name: str) -> dict[str, Any]:
    """events/<name>.json."""
    loaded: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return loaded


@pytest.fixture(autouse=True)
def _same_level_after_each_test() -> Iterator[None]:
    """A process has one logger: a test that wants more of it takes nobody else's silence away."""
    logger = LambdaTelemetry()._logger
    before = logger.log_level
    yield
    logger.setLevel(before)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsWorld]:
    """The process's world, over emulated AWS, at a time that the test owns."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("ALLOWED_TARGET_CIDRS", "127.0.0.0/8")
    with mock_aws():
        names = create_tables(boto3.client("dynamodb", region_name="eu-central-1"))
        for part, table in names.items():
            monkeypatch.setenv(f"{part.upper()}_TABLE", table)
        queues = boto3.client("sqs", region_name="eu-central-1")
        monkeypatch.setenv("RUN_QUEUE_URL", queues.create_queue(QueueName="runs")["QueueUrl"])
        monkeypatch.setenv("SLOW_RUN_QUEUE_URL", queues.create_queue(QueueName="slow-runs")["QueueUrl"])
        monkeypatch.setenv("ANALYSIS_QUEUE_URL", queues.create_queue(QueueName="analyses")["QueueUrl"])
        monkeypatch.setenv("RULE_QUEUE_URL", queues.create_queue(QueueName="rules")["QueueUrl"])
        monkeypatch.setenv("VAULT", "test")
        here = AwsWorld(Settings.from_env(os.environ), clock=TestClock())
        monkeypatch.setattr(bootstrap, "_world", here)
        yield here
