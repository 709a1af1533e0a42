"""What the local stack keeps between two runs. A stack of its own: it is stopped on the way."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from cli.local.emulator import credentials
from cli.target import Target
from tests.e2e.conftest import free_port, rubato
from tests.tables import LOGICAL


@pytest.fixture
def place(tmp_path: Path) -> Any:
    where = ["--port", str(free_port()), "--state-dir", str(tmp_path / "stack")]
    yield where
    rubato("local", "down", *where, timeout=90)


def up(place: list[str]) -> tuple[httpx.Client, dict[str, Any]]:
    facts = json.loads(rubato("local", "up", "--detach", *place, timeout=300))
    client = httpx.Client(base_url=facts["url"], headers={"x-api-key": facts["apiKey"]}, timeout=30, trust_env=False)
    return client, facts


def eventually(look: Callable[[], Any], seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def test_a_stopped_stack_comes_back_with_its_key_its_endpoints_and_its_runs(place: list[str]) -> None:
    with Target() as target:
        client, before = up(place)
        with client:
            job = client.post("/jobs", json={"name": "kept"}).raise_for_status().json()["jobId"]
            wanted = {"name": "beat", "request": {"url": target.url + "/beat"}, "baseline": {"intervalMs": 2000}}
            client.post(f"/jobs/{job}/endpoints", json=wanted).raise_for_status()
            eventually(lambda: client.get("/runs").json()["items"], 30)
        assert_expires(int(place[1]))
        assert "runs on" in again(place).stderr
        rubato("local", "down", *place, timeout=90)
        called = len(target.seen)

        client, after = up(place)
        with client:
            assert after["apiKey"] == before["apiKey"]
            assert [each["name"] for each in client.get("/jobs").json()["items"]] == ["kept"]
            eventually(lambda: len(target.seen) >= called + 2, 120)


def again(place: list[str]) -> subprocess.CompletedProcess[str]:
    """A second `up` on a running stack."""
    command = [str(Path(sys.executable).parent / "rubato"), "local", "up", "--detach", *place]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    return done


def assert_expires(port: int) -> None:
    """Time to live is on for every table that has one, although CloudFormation there forgets it."""
    tables = boto3.client("dynamodb", **credentials(port))
    names = [name for name in tables.list_tables()["TableNames"] if name.startswith("rubato-local-")]
    assert len(names) == len(LOGICAL)
    lasting = [name for name in names if expires_by(tables, name) is None]
    assert len(lasting) == 1 and "RulesTable" in lasting[0]


def expires_by(tables: Any, name: str) -> str | None:
    described = tables.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert (described["TimeToLiveStatus"] == "ENABLED") is ("AttributeName" in described)
    attribute: str | None = described.get("AttributeName")
    assert attribute in (None, "ttl")
    return attribute
