"""`rubato explain`."""

import time
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import Annotated, Any

import typer

from cli.api import Api, Key, Url
from cli.blueprints.stored import find_job
from cli.drawing.attribution import plain
from cli.explain.facts import Facts
from cli.explain.prospects import prospects
from cli.explain.reasons import headline, reasons
from cli.trouble import Trouble

# Whoever paused it stands among the latest events; a chatty planner may have added some since.
_EVENTS = 200


def explain(
    endpoint: Annotated[str, typer.Argument(help="Id of the endpoint, or JOB/NAME, the job by id or name.")],
    url: Url,
    key: Key,
) -> None:
    """Say why an endpoint's next run is when it is, and what happens when that which rules now ends."""
    with Api(url, key) as api:
        found = find_endpoint(api, endpoint)
        job = api.call("GET", f"/jobs/{found['jobId']}")
        events = list(islice(api.every(f"/endpoints/{found['endpointId']}/events"), _EVENTS))
    now = round(time.time() * 1000)
    for line in told(Facts(found, job, events, now, local_label(now))):
        typer.echo(line)


def told(facts: Facts) -> list[str]:
    """The whole explanation, a sentence a line, whatever stands in reasons that others gave."""
    return [plain(headline(facts)), *(f"  {plain(line)}" for line in (*reasons(facts), *prospects(facts)))]


def find_endpoint(api: Api, wanted: str) -> dict[str, Any]:
    """Of that id, or of that name in a job: `JOB/NAME`. Raises Trouble when there is none."""
    if "/" not in wanted:
        return api.call("GET", f"/endpoints/{wanted}")
    for split in (index for index, letter in enumerate(wanted) if letter == "/"):
        job, name = wanted[:split], wanted[split + 1 :]
        found = _named(api, job, name)
        if found is not None:
            return found
    raise Trouble(f"there is no endpoint {wanted!r}; name it as JOB/NAME or by its id")


def _named(api: Api, job: str, name: str) -> dict[str, Any] | None:
    holder = find_job(api, job)
    if holder is None:
        return None
    endpoints = api.every(f"/jobs/{holder['jobId']}/endpoints")
    return next((each for each in endpoints if each["name"] == name), None)


def local_label(now: int) -> Callable[[int], str]:
    """Writes moments (ms) in this machine's zone: the time of today, else with the date."""
    today = datetime.fromtimestamp(now / 1000).astimezone().date()

    def label(at: int) -> str:
        moment = datetime.fromtimestamp(at / 1000).astimezone()
        return moment.strftime("%H:%M:%S" if moment.date() == today else "%Y-%m-%d %H:%M:%S")

    return label
