"""Notices on their way out: as plain values, and to several destinations at once."""

from collections.abc import Sequence
from typing import Any

from rubato.domain.instant import to_iso
from rubato.domain.notices import Notice
from rubato.ports import Notifications

SOURCE = "rubato"
# Little is told, and the queue asks again: better to fail soon than to hold up the batch.
CLIENT = {"connect_timeout": 2, "read_timeout": 5, "retries": {"total_max_attempts": 2, "mode": "standard"}}


def dump_notice(notice: Notice) -> dict[str, Any]:
    """What people receive, in the API's spelling."""
    return {
        "id": notice.notice_id,
        "kind": notice.kind.value,
        "tenantId": notice.tenant_id,
        "jobId": notice.job_id,
        "jobName": notice.job_name,
        "endpointId": notice.endpoint_id,
        "endpointName": notice.endpoint_name,
        "runId": notice.run_id,
        "failureCount": notice.failure_count,
        "at": to_iso(notice.at),
        "lastSuccessAt": to_iso(notice.last_success_at) if notice.last_success_at is not None else None,
        "statusCode": notice.status_code,
        "errorKind": notice.error_kind,
        "errorMessage": notice.error_message,
    }


class AllNotifications:
    """Implements ports.Notifications: every one of the destinations, of which there may be none."""

    def __init__(self, destinations: Sequence[Notifications] = ()) -> None:
        self._destinations = destinations

    @property
    def is_on(self) -> bool:
        """Whether there is any."""
        return any(each.is_on for each in self._destinations)

    def publish(self, notice: Notice) -> None:
        """Each of them, whoever fails; then raises the first error, so that those that heard of it hear of it again."""
        errors: list[Exception] = []
        for destination in self._destinations:
            try:
                destination.publish(notice)
            except Exception as error:  # noqa: BLE001 - the others must not go without
                errors.append(error)
        if errors:
            raise errors[0]
