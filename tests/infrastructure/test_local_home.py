"""`rubato local`: who runs where, and what is told when it can't be."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cli.local import build, emulator
from cli.local.home import Home
from cli.trouble import Trouble


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.at(4999, tmp_path / "stack")


def test_a_stack_runs_as_long_as_its_process_lives_whatever_its_folder_says(home: Home) -> None:
    lock = home.acquire()
    assert lock is not None
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(lock,)) as process:
        os.close(lock)
        assert home.is_running()
        assert home.acquire() is None
        process.kill()
    assert not home.is_running()


def test_a_process_id_from_an_earlier_run_is_left_alone(home: Home) -> None:
    home.folder.mkdir()
    home.record(pid=os.getpid())
    assert emulator.stop(home) is False


def test_a_port_that_another_program_has_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator, "INTERPRETER", Path(sys.executable))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        home = Home.at(taken.getsockname()[1], tmp_path)
        with pytest.raises(Trouble, match=f"port {home.port} is taken by another program; choose another with --port"):
            emulator.start(home)
    assert not home.is_running()


def test_a_second_start_says_how_to_stop_the_first(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator, "INTERPRETER", Path(sys.executable))
    lock = home.acquire()
    assert lock is not None
    with pytest.raises(Trouble, match=f"rubato local down --port 4999 --state-dir {home.folder}"):
        emulator.start(home)
    os.close(lock)


def test_the_key_is_for_its_owner_alone(home: Home) -> None:
    home.folder.mkdir()
    home.keep_key("old")
    home.keep_key("rbt_secret")
    assert home.key() == "rbt_secret"
    assert home.key_file.stat().st_mode & 0o777 == 0o600


def test_children_never_see_the_users_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "mine")
    env = emulator.environment(4999)
    assert "mine" not in env.values()
    assert env["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4999"


def test_only_source_changes_what_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "ROOT", tmp_path)
    for name in ("template.yaml", "samconfig.toml"):
        (tmp_path / name).write_text(name)
    source = tmp_path / "functions" / "api" / "handler.py"
    source.parent.mkdir(parents=True)
    source.write_text("1")
    before = build.fingerprint()
    cache = source.parent / "__pycache__"
    cache.mkdir()
    (cache / "handler.cpython-313.pyc").write_bytes(b"2")
    assert build.fingerprint() == before
    source.write_text("3")
    assert build.fingerprint() != before
