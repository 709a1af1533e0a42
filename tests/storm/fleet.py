"""The endpoints of a storm: some that everybody steers, and some that nobody touches."""

import json
from dataclasses import dataclass
from typing import Any

from rubato.bootstrap import AwsWorld
from tests.storm.callers import caller
from tests.storm.ground import Ground
from tests.unit.clients import Client

_QUICK = {"timeoutMs": 1500}
_STORMY: list[tuple[str, str, dict[str, Any]]] = [
    ("beat", "/ok", {"intervalMs": 1000}),
    ("walk", "/ok", {"intervalMs": 2000}),
    ("drag", "/slow", {"intervalMs": 1000}),
    ("limp", "/slow", {"intervalMs": 3000}),
    ("trip", "/flaky", {"intervalMs": 2000}),
    ("hang", "/hang", {"intervalMs": 3000}),
    ("rare", "/ok", {"intervalMs": 9000}),
]
_ODD: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("retry", "/flaky", {"intervalMs": 3000}, {"retry": {"maxAttempts": 3, "backoffMs": 200}}),
    ("jitter", "/ok", {"intervalMs": 3000}, {"jitterMs": 900}),
    ("clamped", "/ok", {"intervalMs": 2000}, {"clamp": {"minIntervalMs": 1500, "maxIntervalMs": 4000}}),
    ("weary", "/flaky", {"intervalMs": 2000}, {"autoPauseAfter": 3}),
    ("minute", "/ok", {"cron": "* * * * *"}, {}),
    ("asleep", "/ok", {"manual": True}, {}),
    ("follower", "/ok", {"after": ["beat", "walk"]}, {}),
    ("gated", "/ok", {"intervalMs": 2000}, {"dependsOn": ["trip"]}),
]
_CALM: list[tuple[str, str, dict[str, Any]]] = [
    *[(f"calm {number}", "/ok", {"intervalMs": 1000 + 500 * number}) for number in range(4)],
    ("calm drag", "/slow", {"intervalMs": 1000}),
    ("calm rare", "/ok", {"intervalMs": 7000}),
]


@dataclass(frozen=True, slots=True)
class Fleet:
    """Ids: of the two jobs, of the endpoints that writers may touch, and of those that nobody touches."""

    job: str
    calm_job: str
    stormy: tuple[str, ...]
    calm: tuple[str, ...]


def launch(world: AwsWorld, ground: Ground, url: str) -> Fleet:
    """Create jobs and endpoints, and leave word of them for the writers."""
    anybody: Any = world
    client = Client(anybody, caller("owner"))
    job, calm_job = (str(client("POST", "/jobs", {"name": name}).body["jobId"]) for name in ("storm", "calm"))

    def add(to: str, name: str, path: str, baseline: dict[str, Any], more: dict[str, Any]) -> str:
        wanted = {"name": name, "request": {"url": url + path}, "baseline": baseline, **_QUICK, **more}
        answer = client("POST", f"/jobs/{to}/endpoints", wanted)
        assert answer.status == 201, answer.text
        return str(answer.body["endpointId"])

    steady = [add(job, name, path, baseline, {}) for name, path, baseline in _STORMY]
    odd = [add(job, *each) for each in _ODD]
    calm = [add(calm_job, name, path, baseline, {"timeoutMs": 5000}) for name, path, baseline in _CALM]
    word = {"stormy": [*steady, *odd], "steady": steady, "job": job, "url": url}
    (ground.folder / "fleet.json").write_text(json.dumps(word))
    return Fleet(job, calm_job, (*steady, *odd), tuple(calm))
