"""Notices to an EventBridge bus: source `rubato`, the kind as detail-type."""

import json
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from rubato.adapters.notices import CLIENT, SOURCE, dump_notice
from rubato.domain.instant import SECOND
from rubato.domain.notices import Notice


class EventRefused(RuntimeError):
    """The bus did not take the event; the text is EventBridge's code."""


class EventBridgeNotifications:
    """Implements ports.Notifications over EventBridge."""

    is_on = True

    def __init__(self, bus_name: str, region: str | None) -> None:
        self._region = region
        self._bus_name = bus_name

    @cached_property
    def _client(self) -> Any:
        # NOTE: on first use: most dispatchers never tell anybody. Two threads at once make a session and a client each.
        return open_client(self._region)

    def publish(self, notice: Notice) -> None:
        """One event. Raises EventRefused for what PutEvents reports instead of failing."""
        event = {
            "EventBusName": self._bus_name,
            "Source": SOURCE,
            "DetailType": notice.kind.value,
            "Time": datetime.fromtimestamp(notice.at / SECOND, UTC),
            "Resources": [notice.endpoint_id],
            "Detail": json.dumps(dump_notice(notice)),
        }
        answer = self._client.put_events(Entries=[event])
        if answer.get("FailedEntryCount"):
            raise EventRefused(answer["Entries"][0].get("ErrorCode", "unknown"))


def open_client(region: str | None) -> Any:
    """A botocore client."""
    from botocore.config import Config
    from botocore.session import get_session

    return get_session().create_client("events", region_name=region, config=Config(**CLIENT))
