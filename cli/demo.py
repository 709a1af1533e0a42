"""`rubato demo`: a job with a few rhythms and a target on this machine, to see Rubato at work."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from cli.api import Api, Key, Url, is_loopback
from cli.runs import watch
from cli.target import Target
from cli.trouble import Trouble

NOTE = "Watch `stock`: for one minute a hint makes it run every 2 s instead of 10 (ai-interval); then it falls back."
_JOB = "demo"
_BUSY = {"intervalMs": 2_000, "ttlMinutes": 1, "reason": "a busy minute, to see the tempo change and come back"}
_ENDPOINTS: dict[str, tuple[str, dict[str, Any]]] = {
    "heartbeat": ("/ok", {"intervalMs": 5_000}),
    "stock": ("/ok", {"intervalMs": 10_000}),
    "flaky": ("/flaky", {"intervalMs": 10_000}),
    "slow": ("/slow", {"intervalMs": 30_000}),
    "each-minute": ("/ok", {"cron": "* * * * *"}),
}


def demo(url: Url, key: Key) -> None:
    """Run the job "demo" and show its runs until Ctrl-C; then it is paused. For the local stack."""
    if not is_loopback(url):
        raise Trouble("the demo's target listens on this machine, where only the local stack can call it: `make local`")
    with Api(url, key) as api, playing(api):
        watch(api, NOTE)


@contextmanager
def playing(api: Api) -> Iterator[None]:
    """The job with its target, for as long as the context lasts; made at first, resumed and re-pointed later."""
    with Target() as target:
        job_id = _job(api)
        known = {endpoint["name"]: endpoint for endpoint in api.every(f"/jobs/{job_id}/endpoints")}
        for name, (path, baseline) in _ENDPOINTS.items():
            wanted = {"request": {"url": target.url + path}, "baseline": baseline}
            if name in known:
                # Only the port of the target may differ; an edit of the baseline would begin its rhythm anew.
                api.call("PATCH", f"/endpoints/{known[name]['endpointId']}", {"request": wanted["request"]})
            else:
                api.call("POST", f"/jobs/{job_id}/endpoints", {"name": name, **wanted})
        api.call("PATCH", f"/jobs/{job_id}", {"status": "active"})
        stock = next(each for each in api.every(f"/jobs/{job_id}/endpoints") if each["name"] == "stock")
        api.call("POST", f"/endpoints/{stock['endpointId']}/hints/interval", _BUSY)
        try:
            yield
        finally:
            # Without its target every run would fail.
            with suppress(Trouble):
                api.call("PATCH", f"/jobs/{job_id}", {"status": "paused"})


def _job(api: Api) -> str:
    known = (job for job in api.every("/jobs") if job["name"] == _JOB and job["status"] != "archived")
    job = next(known, None) or api.call("POST", "/jobs", {"name": _JOB, "description": "Made by `rubato demo`"})
    return str(job["jobId"])
