"""One local stack for the session: brought up by the command that people type, on a free port, from nothing."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from cli.local.emulator import credentials
from tests.e2e.models import modelling

_RUBATO = Path(sys.executable).parent / "rubato"
_UP_S = 300
_DOWN_S = 90


@dataclass(frozen=True, slots=True)
class LocalStack:
    """A running stack. `client` sends the key; paths such as `/jobs` are relative to `url`.

    `poison` is the id of a message on the run queue that no dispatcher can read. It was sent when the stack came up,
    because it takes a minute to be buried. Behind the emulator's Bedrock is the model of tests.e2e.models.
    """

    url: str
    api_key: str
    pid: int
    state_dir: Path
    port: int
    client: httpx.Client
    poison: str


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Up for all tests that ask for it, down at the end. The emulator's log stays in pytest's temporary folder."""
    where = ["--port", str(free_port()), "--state-dir", str(tmp_path_factory.mktemp("stack"))]
    with modelling() as model_url:
        given = json.loads(rubato("local", "up", "--detach", "--fresh", *where, timeout=_UP_S, model_url=model_url))
        yield from _attended(given, where)


def _attended(given: dict[str, Any], where: list[str]) -> Iterator[LocalStack]:
    key = {"x-api-key": given["apiKey"]}
    try:
        with httpx.Client(base_url=given["url"], headers=key, timeout=30, trust_env=False) as client:
            yield LocalStack(
                url=given["url"],
                api_key=given["apiKey"],
                pid=given["pid"],
                state_dir=Path(given["stateDir"]),
                port=int(where[1]),
                client=client,
                poison=_poison(int(where[1])),
            )
    finally:
        rubato("local", "down", *where, timeout=_DOWN_S)


def _poison(port: int) -> str:
    queues, stacks = (boto3.client(service, **credentials(port)) for service in ("sqs", "cloudformation"))
    outputs = stacks.describe_stacks(StackName="rubato-local")["Stacks"][0]["Outputs"]
    (url,) = [each["OutputValue"] for each in outputs if each["OutputKey"] == "RunQueueUrl"]
    return str(queues.send_message(QueueUrl=url, MessageBody="poison")["MessageId"])


def rubato(*arguments: str, timeout: float, model_url: str | None = None) -> str:
    """What the command says on standard output; fails with all that it said when it does not succeed."""
    model = {"MINISTACK_BEDROCK_PROXY_URL": model_url} if model_url is not None else {}
    done = subprocess.run(
        [_RUBATO, *arguments],
        stdin=subprocess.DEVNULL,
        env={**os.environ, **model},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"rubato {' '.join(arguments)}\n{done.stdout}{done.stderr}"
    return done.stdout


def free_port() -> int:
    """A port that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
