"""`rubato smoke`: does a deployment really run things? One job, one endpoint, one run, nothing left behind."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.api import Api, Key, Url, is_loopback
from cli.target import Target
from cli.trouble import Trouble

_INTERVAL_MS = 2000
_POLL_S = 0.25


def smoke(
    url: Url,
    key: Key,
    target: Annotated[
        str | None, typer.Option(help="URL to call; by default a server here, or the API's own /health.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the run.")] = 90,
) -> None:
    """Create a job and an endpoint, wait for its first run, check it, clean up. Exits with 0 or 1."""
    console = Console(highlight=False)
    with ExitStack() as stack:
        api = stack.enter_context(Api(url, key))
        called = target or _default_target(stack, api)
        began = time.monotonic()
        with _endpoint(api, called) as endpoint:
            console.print(f"created an endpoint that calls {called} every {_INTERVAL_MS} ms")
            run = _first_run(api, endpoint, time.monotonic() + timeout)
        _check(run)
        took = time.monotonic() - began
    console.print(
        f"[green]ok[/green]  {run['statusCode']} in {run['durationMs']} ms, {run['latenessMs']} ms after it was due; "
        f"{took:.1f} s in all, and cleaned up"
    )


def _default_target(stack: ExitStack, api: Api) -> str:
    return stack.enter_context(Target()).url + "/ok" if is_loopback(api.url) else api.url + "/health"


@contextmanager
def _endpoint(api: Api, target: str) -> Iterator[str]:
    job = api.call("POST", "/jobs", {"name": f"smoke {time.strftime('%Y-%m-%d %H:%M:%S')}"})["jobId"]
    endpoint: str | None = None
    try:
        wanted = {"name": "smoke", "request": {"url": target}, "baseline": {"intervalMs": _INTERVAL_MS}}
        endpoint = api.call("POST", f"/jobs/{job}/endpoints", wanted)["endpointId"]
        yield endpoint
    finally:
        # What failed before counts more than what fails here.
        with suppress(Trouble):
            if endpoint is not None:
                api.call("DELETE", f"/endpoints/{endpoint}")
            api.call("DELETE", f"/jobs/{job}")


def _first_run(api: Api, endpoint: str, deadline: float) -> dict[str, Any]:
    while time.monotonic() < deadline:
        runs = api.call("GET", "/runs", endpointId=endpoint)["items"]
        ended = [run for run in runs if run["status"] != "running"]
        if ended:
            first: dict[str, Any] = ended[-1]
            return first
        time.sleep(_POLL_S)
    raise Trouble("no run came in time; look at the logs of tick and dispatcher, and at the dead-letter queue")


def _check(run: dict[str, Any]) -> None:
    if run["status"] != "success":
        raise Trouble(f"the run failed: {run['errorKind']}, {run['errorMessage'] or run['statusCode']}")
    if run["latenessMs"] < 0:
        raise Trouble(f"the run was {-run['latenessMs']} ms early, which must never be")
