"""The AWS emulator as a process: started, waited for, stopped so that its state is kept."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx

from cli.local.home import ROOT, Home
from cli.trouble import Trouble

REGION = "us-east-1"
INTERPRETER = ROOT / ".tools" / "ministack" / "bin" / "python"
_MAIN = Path(__file__).with_name("ministack_main.py")

_START_S = 60.0
_STOP_S = 60.0  # it writes its state when it stops, which takes longer the more there is
_POLL_S = 0.05
# Functions inherit the emulator's environment, so it gets only what every process may have, and the OpenAI-compatible
# URL (without /v1) that it is to put behind its Bedrock.
_INHERITED = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "MINISTACK_BEDROCK_PROXY_URL",
)


def credentials(port: int) -> dict[str, str]:
    """How clients in this process reach the emulator, as boto3 takes it."""
    return {
        "endpoint_url": f"http://127.0.0.1:{port}",
        "region_name": REGION,
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
    }


def environment(port: int) -> dict[str, str]:
    """How child processes reach the emulator, and never the user's own account."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return inherited | {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
    }


def start(home: Home) -> int:
    """Start it in a session of its own and wait until it answers; gives its process id.

    Raises Trouble when it runs already, when the port is taken, and when it ends or stays silent.
    """
    if not INTERPRETER.exists():
        raise Trouble("the emulator is not installed; run `make env` first")
    lock = home.acquire()
    if lock is None:
        raise Trouble(
            f"a local stack runs on {home.folder} already ({home.facts().get('url', 'still starting')}); "
            f"`{stop_command(home)}` stops it"
        )
    try:
        if _answers(home.port):
            raise Trouble(f"port {home.port} is taken by another program; choose another with --port")
        home.record(pid=None)  # that of an earlier run may be another program's by now
        process = _spawn(home, lock)
        home.record(pid=process.pid, port=home.port)
    finally:
        os.close(lock)
    _wait(home, process)
    return process.pid


def stop(home: Home) -> bool:
    """Stop it cleanly and wait until its state is written; gives False when it was not running."""
    if not home.is_running():
        return False
    pid = home.facts().get("pid")
    if not isinstance(pid, int):
        raise Trouble("the stack is still starting; try again in a moment")
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_S
    while home.is_running():
        if time.monotonic() > deadline:
            raise Trouble(
                f"the emulator (process {pid}) does not stop; `kill -9 {pid}` ends it, its latest state is lost"
            )
        time.sleep(_POLL_S)
    shutil.rmtree(home.temporary, ignore_errors=True)
    return True


def stop_command(home: Home) -> str:
    """What to type to stop it."""
    usual = home.folder == Home.at(home.port).folder
    return f"rubato local down --port {home.port}" + ("" if usual else f" --state-dir {home.folder}")


def _spawn(home: Home, lock: int) -> subprocess.Popen[bytes]:
    shutil.rmtree(home.temporary, ignore_errors=True)
    home.temporary.mkdir(parents=True)
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    with home.log.open("wb") as log:
        return subprocess.Popen(
            [str(INTERPRETER), "-P", str(_MAIN)],
            env=inherited | _settings(home),
            cwd=home.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(lock,),
        )


def _settings(home: Home) -> dict[str, str]:
    return {
        "GATEWAY_PORT": str(home.port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "LAMBDA_EXECUTOR": "local",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(home.folder / "aws"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(home.folder / "s3"),
        "TMPDIR": str(home.temporary),
        # Both would listen on ports of their own.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PYTHONUNBUFFERED": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _wait(home: Home, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while not _healthy(home.port):
        if process.poll() is not None:
            raise Trouble(f"the emulator ended at once; its last words:\n{tail(home.log)}")
        if time.monotonic() > deadline:
            process.terminate()
            raise Trouble(f"the emulator does not answer on port {home.port}; its last words:\n{tail(home.log)}")
        time.sleep(_POLL_S)


def _healthy(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/_ministack/health", timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def tail(file: Path, lines: int = 30) -> str:
    """The end of a log."""
    return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])
