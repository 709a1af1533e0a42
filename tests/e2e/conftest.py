"""One local stack for the session: brought up by the command that people type, on a free port, from nothing."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

_RUBATO = Path(sys.executable).parent / "rubato"
_UP_S = 300
_DOWN_S = 90


@dataclass(frozen=True, slots=True)
class LocalStack:
    """A running stack. `client` sends the key; paths such as `/jobs` are relative to `url`."""

    url: str
    api_key: str
    pid: int
    state_dir: Path
    port: int
    client: httpx.Client


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Up for all tests that ask for it, down at the end. The emulator's log stays in pytest's temporary folder."""
    where = ["--port", str(free_port()), "--state-dir", str(tmp_path_factory.mktemp("stack"))]
    given = json.loads(rubato("local", "up", "--detach", "--fresh", *where, timeout=_UP_S))
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
            )
    finally:
        rubato("local", "down", *where, timeout=_DOWN_S)


def rubato(*arguments: str, timeout: float) -> str:
    """What the command says on standard output; fails with all that it said when it does not succeed."""
    done = subprocess.run(
        [_RUBATO, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, f"rubato {' '.join(arguments)}\n{done.stdout}{done.stderr}"
    return done.stdout


def free_port() -> int:
    """A port that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
