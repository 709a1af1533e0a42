"""The drill of rules: how soon does a changed answer change the tempo, by the clock of the target?"""

import time
from typing import Annotated, Any

import typer

from cli.api import Api, Key, Url
from cli.drills.field import add_endpoints, drilling, machine_load, tell
from cli.local.progress import step
from cli.target import Answer, Call, Target
from cli.trouble import Trouble

BOUND_MS = 2_000
_POLL_S = 0.02
_HOUR_MS = 3_600_000
_PATIENCE_S = 20
_HIGH = '{"visitors": 5000}'
_CALM = '{"visitors": 1000}'
_SURGE = {
    "name": "surge",
    "when": 'endpoints."0".body.visitors > `2000`',
    "then": [{"proposeInterval": {"endpoint": "0", "intervalMs": 1000, "ttlMinutes": 5}}],
    "otherwise": [{"clearHints": {"endpoint": "0"}}],
}


class _Traffic:
    """The target's answer, for the drill to change."""

    def __init__(self) -> None:
        self.text = _CALM

    def __call__(self, _call: Call) -> Answer:
        return Answer(text=self.text)


def reaction(
    url: Url,
    key: Key,
    tries: Annotated[int, typer.Option(min=1, help="How often the answer changes.")] = 20,
) -> None:
    """An hourly endpoint whose answer rises: how long after the run that saw it does the tightened run come?

    The hint asks for an interval of one second, so the tightened run is due one second after the run that saw it.
    """
    traffic = _Traffic()
    with drilling(url, key, {"/0": traffic}) as (api, job, target):
        endpoint = add_endpoints(api, job, target, 1, {"intervalMs": _HOUR_MS})[0]["endpointId"]
        api.call("PATCH", f"/jobs/{job}", {"rules": [_SURGE]})
        gaps = []
        for number in range(tries):
            with step(f"changed answer {number + 1} of {tries}"):
                gaps.append(_try(api, target, traffic, endpoint))
    gaps.sort()
    told = {"p50": round(gaps[len(gaps) // 2], 1), "max": round(gaps[-1], 1)}
    facts: dict[str, Any] = {"drill": "reaction", "tries": tries, "afterTheRunThatSawItMs": told}
    tell({**facts, "load": machine_load()}, told["max"] <= BOUND_MS)


def _try(api: Api, target: Target, traffic: _Traffic, endpoint: str) -> float:
    """From the call that saw the new answer to the tightened one, in ms; then back to rest."""
    traffic.text, before = _HIGH, len(target.seen)
    api.call("POST", f"/endpoints/{endpoint}/run")
    _wait(lambda: len(target.seen) > before + 1, "the tightened run")
    saw, tightened = target.seen[before : before + 2]
    traffic.text = _CALM
    _wait(lambda: not api.call("GET", f"/endpoints/{endpoint}")["hints"], "the end of the hint")
    return tightened.at - saw.at


def _wait(done: Any, what: str) -> None:
    end = time.monotonic() + _PATIENCE_S
    while not done():
        if time.monotonic() > end:
            raise Trouble(f"waited {_PATIENCE_S} s for {what} in vain")
        time.sleep(_POLL_S)
