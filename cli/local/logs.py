"""The functions' log lines, from the emulator's CloudWatch Logs."""

import time
from collections.abc import Iterator
from typing import Any

import boto3

from cli.local.deployment import Deployment
from cli.local.emulator import credentials
from cli.local.home import Home
from cli.trouble import Trouble

_POLL_S = 1.0


def lines(home: Home, function: str | None, *, follow: bool) -> Iterator[str]:
    """Each line led by its function's name, in the order of time; without end when following."""
    client: Any = boto3.client("logs", **credentials(home.port))
    prefix = f"/aws/lambda/{Deployment(home).name}-"
    groups = [each["logGroupName"] for each in client.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]]
    wanted = [group for group in groups if function in (None, group.removeprefix(prefix))]
    if not wanted:
        known = ", ".join(group.removeprefix(prefix) for group in groups)
        raise Trouble(f"there is no function {function}; there are {known}")
    since = dict.fromkeys(wanted, 0)
    while True:
        found = [(event, group) for group in wanted for event in _events(client, group, since[group])]
        for event, group in sorted(found, key=lambda pair: pair[0]["timestamp"]):
            since[group] = max(since[group], event["timestamp"] + 1)
            yield f"{group.removeprefix(prefix):<10} {event['message'].rstrip()}"
        if not follow:
            return
        time.sleep(_POLL_S)


def _events(client: Any, group: str, since: int) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since):
        yield from page["events"]
