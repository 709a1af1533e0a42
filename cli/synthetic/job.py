"""The job by which a deployment watches itself, as a blueprint."""

from typing import Any

from cli.blueprints.document import Blueprint

JOB = "rubato synthetic"
_FAILURE_RATE = 0.3
_RETRY = {"maxAttempts": 6, "backoffMs": 200, "maxBackoffMs": 2000}  # of 1400 runs one fails all six attempts


def blueprint(url: str, interval_ms: int) -> Blueprint:
    """For the deployment at `url`: its health, and the way out of the dispatcher and back in, each at its rhythm."""
    return Blueprint(
        origin="rubato synthetic setup",
        job={
            "name": JOB,
            "description": "Made by `rubato synthetic setup`: calls this deployment's own targets at /synthetic.",
            "isSynthetic": True,
        },
        endpoints=(
            _endpoint("health", url, interval_ms, tier="health"),
            _endpoint("echo", url, interval_ms, method="POST", body={"from": JOB}),
            _endpoint("slow?delayMs=2000", url, interval_ms, timeoutMs=10_000),
            _endpoint(f"flaky?failureRate={_FAILURE_RATE}", url, interval_ms, retry=_RETRY),
        ),
        lists_endpoints=True,
    )


def names(job: Blueprint) -> list[str]:
    """Of its endpoints."""
    return [each["name"] for each in job.endpoints]


def _endpoint(target: str, url: str, interval_ms: int, method: str = "GET", body: Any = None, **rest: Any) -> Any:
    request = {"url": f"{url}/synthetic/{target}", "method": method} | ({} if body is None else {"body": body})
    return {
        "name": target.partition("?")[0],
        "request": request,
        "baseline": {"intervalMs": interval_ms},
        "timeoutMs": 5000,
        "missedRuns": "skip",  # what ran late after an outage says nothing new
        **rest,
    }
