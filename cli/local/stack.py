"""The local stack from nothing to the first answer."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import httpx

from cli.local import emulator
from cli.local.build import built
from cli.local.deployment import Deployment
from cli.local.home import Home
from cli.local.progress import step
from cli.trouble import Trouble

_WARM_S = 60.0
_TENANT = "default"


@dataclass(frozen=True, slots=True)
class Up:
    """A running stack, as its users need it."""

    url: str
    api_key: str
    pid: int
    home: Home


def bring_up(home: Home, *, fresh: bool) -> Up:
    """Start, build and deploy what is not there yet. Stops what it started when a later step fails."""
    if fresh:
        _forget(home)
    with step("starting the emulator"):
        pid = emulator.start(home)
    try:
        return _deploy(home, pid)
    except BaseException:
        with suppress(Trouble):
            emulator.stop(home)
        raise


def _forget(home: Home) -> None:
    lock_held = home.is_running()
    if lock_held:
        raise Trouble(f"the stack runs; `{emulator.stop_command(home)}` stops it, then it can be begun afresh")
    for name in ("aws", "s3", "tmp", "api-key", "stack.json"):
        path = home.folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.unlink(missing_ok=True)


def _deploy(home: Home, pid: int) -> Up:
    outputs = _outputs(home)
    url = f"http://127.0.0.1:{home.port}/restapis/{outputs['ApiId']}/v1/_user_request_"
    home.record(url=url)
    key = home.key() or _make_key(home, outputs)
    with step("waking the functions"):
        _wake(home, url, key)
    return Up(url, key, pid, home)


def _outputs(home: Home) -> dict[str, str]:
    """Build and deploy as far as anything changed since this home's last deployment."""
    deployment = Deployment(home)
    with built() as fingerprint:
        known = deployment.outputs() if home.facts().get("deployed") == fingerprint else None
        if known is not None:
            return known
        with step("deploying"):
            deployment.deploy()
    outputs = deployment.outputs()
    if outputs is None:
        raise Trouble(f"the stack is not there after its deployment; see {home.folder}/sam-deploy.log")
    home.record(deployed=fingerprint)
    return outputs


def _make_key(home: Home, outputs: dict[str, str]) -> str:
    from cli.keys import create_key

    credentials = emulator.credentials(home.port)
    key = create_key(outputs=outputs, tenant=_TENANT, scopes=None, label="local", client_kwargs=credentials)
    home.keep_key(key)
    return key


def _wake(home: Home, url: str, key: str) -> None:
    """Start each function's first process now rather than at the first request or run."""
    wakers = (
        lambda: _await_answer(home, f"{url}/health", {}),
        lambda: _await_answer(home, f"{url}/jobs", {"x-api-key": key}),
        lambda: _await_answer(home, f"{url}/synthetic/health", {}),
        lambda: Deployment(home).invoke("DispatcherFunction", {"Records": []}),
        lambda: Deployment(home).invoke("RulesFunction", {"Records": []}),
    )
    with ThreadPoolExecutor(len(wakers)) as pool:
        for done in [pool.submit(waker) for waker in wakers]:
            done.result()


def _await_answer(home: Home, url: str, headers: dict[str, str]) -> None:
    deadline = time.monotonic() + _WARM_S
    last = "nothing"
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            answer = httpx.get(url, headers=headers, timeout=30, trust_env=False)
            if answer.is_success:
                return
            last = f"{answer.status_code} {answer.text[:300]}"
        time.sleep(0.2)
    raise Trouble(f"{url} answers {last}\nThe emulator's last words:\n{emulator.tail(home.log)}")
