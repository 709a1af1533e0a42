"""Notices to an SNS topic: JSON, with the kind, tenant and job as attributes to filter subscriptions by."""

import json
from functools import cached_property
from typing import Any

from rubato.adapters.notices import CLIENT, dump_notice
from rubato.domain.notices import Notice

_MAX_SUBJECT = 100  # SNS takes no more, and only printable ASCII


class SnsNotifications:
    """Implements ports.Notifications over SNS."""

    is_on = True

    def __init__(self, topic_arn: str, region: str | None) -> None:
        self._region = region
        self._topic_arn = topic_arn

    @cached_property
    def _client(self) -> Any:
        # NOTE: on first use: most dispatchers never tell anybody. Two threads at once make a session and a client each.
        return open_client(self._region)

    def publish(self, notice: Notice) -> None:
        """One message."""
        told = {"kind": notice.kind.value, "tenantId": notice.tenant_id, "jobId": notice.job_id}
        self._client.publish(
            TopicArn=self._topic_arn,
            Subject=subject(notice),
            Message=json.dumps(dump_notice(notice), indent=2),
            MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in told.items()},
        )


def subject(notice: Notice) -> str:
    """For mail: what has happened to whom."""
    happened = notice.kind.value.removeprefix("endpoint.")
    text = f"Rubato: {happened}: {notice.endpoint_name} ({notice.job_name})"
    return "".join(each if " " <= each <= "~" else "?" for each in text)[:_MAX_SUBJECT]


def open_client(region: str | None) -> Any:
    """A botocore client."""
    from botocore.config import Config
    from botocore.session import get_session

    return get_session().create_client("sns", region_name=region, config=Config(**CLIENT))
