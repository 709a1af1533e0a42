"""`rubato smoke`: does a deployment really run things? A job, an endpoint, a hint, a run, and nothing left behind."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any
from uuid import uuid4

import typer
from rich.console import Console

from cli.api import Api, Key, Refusal, Url
from cli.trouble import Trouble

Fields = dict[str, Any]

_BASELINE_MS = 3_600_000
_HINT_MS = 2000
_HINT = {"intervalMs": _HINT_MS, "ttlMinutes": 10, "reason": "rubato smoke"}
_POLL_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class _Probe:
    """What is called; `nonce` is what an echo has to give back, None where the target gives back nothing."""

    request: Fields
    nonce: str | None = None


def smoke(
    url: Url,
    key: Key,
    target: Annotated[
        str | None, typer.Option(help="URL to call; by default the deployment's own /synthetic/echo, else /health.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the run.")] = 90,
) -> None:
    """Create a job and an endpoint, quicken it by a hint, wait for the run that follows, check it, clean up.

    Exits with 0 when all is well, 1 when it is not, 2 when the API can't be asked.
    """
    console = Console(highlight=False)
    with Api(url, key) as api:
        probe = _Probe(request={"url": target}) if target else _own_target(api)
        began = time.monotonic()
        with _endpoint(api, probe) as made:
            console.print(f"created an endpoint that calls {probe.request['url']} every hour", soft_wrap=True)
            hinted = _hint(api, made)
            moved = f"from {made['nextRunAt']} to {hinted['nextRunAt']}"
            console.print(f"a hint moved its next run {moved}", soft_wrap=True)
            run = _first_run(api, made["endpointId"], time.monotonic() + timeout)
            _check(run)
            _check_echo(api, probe, run["runId"])
        _check_clean(api, made)
        took = time.monotonic() - began
    console.print(
        f"[green]ok[/green]  {run['statusCode']} in {run['durationMs']} ms, {run['latenessMs']} ms after it was due; "
        f"{took:.1f} s in all, and cleaned up"
    )


def _own_target(api: Api) -> _Probe:
    """The way out of the dispatcher and back in, with body and headers, where the deployment has an echo."""
    try:
        api.call("GET", "/synthetic/health")
    except Refusal as refused:
        if refused.status != HTTPStatus.NOT_FOUND:
            raise
        return _Probe(request={"url": f"{api.url}/health"})
    nonce = uuid4().hex
    sent = {"method": "POST", "body": {"smoke": nonce}, "headers": {"X-Smoke": nonce}}
    return _Probe(request={"url": f"{api.url}/synthetic/echo", **sent}, nonce=nonce)


@contextmanager
def _endpoint(api: Api, probe: _Probe) -> Iterator[Fields]:
    name = f"smoke {time.strftime('%Y-%m-%d %H:%M:%S')}"
    job = api.call("POST", "/jobs", {"name": name, "isSynthetic": True})["jobId"]
    endpoint: str | None = None
    try:
        wanted = {"name": "smoke", "request": probe.request, "baseline": {"intervalMs": _BASELINE_MS}}
        made = api.call("POST", f"/jobs/{job}/endpoints", wanted)
        endpoint = made["endpointId"]
        yield made
    finally:
        # What failed before counts more than what fails here; _check_clean tells of that.
        with suppress(Trouble):
            if endpoint is not None:
                api.call("DELETE", f"/endpoints/{endpoint}")
            api.call("DELETE", f"/jobs/{job}")


def _hint(api: Api, made: Fields) -> Fields:
    given = api.call("POST", f"/endpoints/{made['endpointId']}/hints/interval", _HINT)
    if not (given["nextRunAt"] and made["nextRunAt"] and given["nextRunAt"] < made["nextRunAt"]):
        raise Trouble(f"a hint of {_HINT_MS} ms left the next run at {given['nextRunAt']}; it was {made['nextRunAt']}")
    return given


def _first_run(api: Api, endpoint: str, deadline: float) -> Fields:
    while time.monotonic() < deadline:
        runs = api.call("GET", "/runs", endpointId=endpoint)["items"]
        ended = [run for run in runs if run["status"] != "running"]
        if ended:
            first: Fields = ended[-1]
            return first
        time.sleep(_POLL_S)
    raise Trouble("no run came in time; look at the logs of tick and dispatcher, and at the dead-letter queue")


def _check(run: Fields) -> None:
    if run["status"] != "success":
        raise Trouble(f"the run failed: {run['errorKind']}, {run['errorMessage'] or run['statusCode']}")
    if run["latenessMs"] < 0:
        raise Trouble(f"the run was {-run['latenessMs']} ms early, which must never be")
    if run["source"] != "ai-interval":
        raise Trouble(f"the run came from {run['source']}, not from the hint (ai-interval)")


def _check_echo(api: Api, probe: _Probe, run_id: str) -> None:
    if probe.nonce is None:
        return
    body = api.call("GET", f"/runs/{run_id}")["response"]["body"]
    try:
        told = json.loads(body)
        headers = told["headers"]
        arrived = (told["method"], told["body"], headers.get("x-smoke"), headers.get("rubato-run-id"))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Trouble(f"the echo gave back something else: {body[:200]!r}") from None
    if arrived != ("POST", {"smoke": probe.nonce}, probe.nonce, run_id):
        raise Trouble(f"something was lost on the way: method, body, X-Smoke and Rubato-Run-Id arrived as {arrived}")


def _check_clean(api: Api, made: Fields) -> None:
    job = api.call("GET", f"/jobs/{made['jobId']}")
    if (job["status"], job["endpointCount"]) != ("archived", 0):
        raise Trouble(f"left behind: job {job['jobId']}, {job['status']}, with {job['endpointCount']} endpoints")
    try:
        api.call("GET", f"/endpoints/{made['endpointId']}")
    except Refusal as refused:
        if refused.status == HTTPStatus.NOT_FOUND:
            return
        raise
    raise Trouble(f"left behind: endpoint {made['endpointId']}")
