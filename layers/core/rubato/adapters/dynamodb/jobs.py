"""Jobs in DynamoDB."""

import heapq
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from rubato.adapters.dynamodb.tables import JobItem
from rubato.adapters.dynamodb.trail import event_item
from rubato.domain.audit import Event
from rubato.domain.errors import WriteRaced
from rubato.domain.jobs import Job, JobStatus, NotificationRules, PlannerSettings
from rubato.domain.rules import read_rules, spell_rule
from rubato.ports import Page

_RULED = "1"


class DynamoJobs:
    """Implements ports.Jobs. `retention_s` is how long audit events stay readable."""

    def __init__(self, connection: Connection, retention_s: int) -> None:
        self._connection = connection
        self._retention_s = retention_s

    def create(self, job: Job, event: Event) -> None:
        """Job and event in one transaction."""
        try:
            with TransactWrite(connection=self._connection) as write:
                write.save(_item(job), condition=JobItem.job_id.does_not_exist())
                write.save(event_item(event, self._retention_s))
        except TransactWriteError as error:
            if not self._has_landed(job, error):
                raise

    def get(self, job_id: str) -> Job | None:
        """One consistent read."""
        try:
            return _load(JobItem.get(job_id, consistent_read=True))
        except JobItem.DoesNotExist:
            return None

    def save(self, before: Job, after: Job, event: Event) -> Job:
        """Job and event in one transaction, conditional on the version."""
        saved = replace(after, version=before.version + 1)
        try:
            with TransactWrite(connection=self._connection) as write:
                write.save(_item(saved), condition=JobItem.version == before.version)
                write.save(event_item(event, self._retention_s))
        except TransactWriteError as error:
            if self._has_landed(saved, error):
                return saved
            if any(reason is not None for reason in error.cancellation_reasons):
                raise WriteRaced(after.job_id) from error
            raise
        return saved

    def list(self, tenant_id: str, status: JobStatus | None, limit: int, after: str | None) -> Page[Job]:
        """One query of the index for a status, a merge of all of them without."""
        wanted = [status] if status is not None else list(JobStatus)
        streams = (_stream(tenant_id, each, limit, after) for each in wanted)
        merged = heapq.merge(*streams, key=lambda job: job.job_id, reverse=True)
        jobs = tuple(job for job, _ in zip(merged, range(limit), strict=False))
        return Page(jobs, jobs[-1].job_id if len(jobs) == limit else None)

    def with_rules(self, limit: int, after: str | None) -> Page[str]:
        """A page of the sparse index, keys only."""
        start = {"ruled": {"S": _RULED}, "jobId": {"S": after}} if after is not None else None
        query = JobItem.by_ruled.query(_RULED, limit=limit, page_size=limit, last_evaluated_key=start)
        found = tuple(item.job_id for item in query)
        last = query.last_evaluated_key
        return Page(found, last["jobId"]["S"] if last else None)

    def _has_landed(self, job: Job, error: TransactWriteError) -> bool:
        """Whether a cancelled transaction was the repetition of itself, whose first answer was lost."""
        return any(error.cancellation_reasons) and self.get(job.job_id) == job


def _stream(tenant_id: str, status: JobStatus, limit: int, after: str | None) -> Iterator[Job]:
    position = JobItem.job_id < after if after is not None else None
    for item in JobItem.by_tenant_status.query(
        _tenant_status(tenant_id, status), range_key_condition=position, scan_index_forward=False, limit=limit
    ):
        yield _load(item)


def _tenant_status(tenant_id: str, status: JobStatus) -> str:
    return f"{tenant_id}#{status.value}"


def _item(job: Job) -> JobItem:
    return JobItem(
        job_id=job.job_id,
        tenant_status=_tenant_status(job.tenant_id, job.status),
        tenant_id=job.tenant_id,
        status=job.status.value,
        name=job.name,
        version=job.version,
        created_at=job.created_at,
        updated_at=job.updated_at,
        ruled=_RULED if job.is_ruled and not job.holds else None,
        details={
            "description": job.description,
            "tags": list(job.tags),
            "owner": job.owner,
            "defaults": job.defaults,
            "isSynthetic": job.is_synthetic,
            **_dump_notifications(job.notifications),
            **({"rules": [spell_rule(rule) for rule in job.rules]} if job.rules else {}),
            **({"zone": job.timezone} if job.timezone != "UTC" else {}),
            **_dump_planner(job.planner),
        },
    )


def _load(item: JobItem) -> Job:
    details = item.details
    return Job(
        job_id=item.job_id,
        tenant_id=item.tenant_id,
        name=item.name,
        created_at=int(item.created_at),
        updated_at=int(item.updated_at),
        status=JobStatus(item.status),
        version=int(item.version),
        description=details["description"],
        tags=tuple(details["tags"]),
        owner=details["owner"],
        defaults=details["defaults"],
        is_synthetic=details["isSynthetic"],
        notifications=_load_notifications(details.get("notify")),
        rules=read_rules(details.get("rules", ())),
        timezone=details.get("zone", "UTC"),
        planner=_load_planner(details.get("planner")),
    )


def _dump_notifications(rules: NotificationRules) -> dict[str, Any]:
    if rules == NotificationRules():
        return {}
    return {"notify": [rules.after_failures, rules.on_recovery, rules.on_auto_pause]}


def _load_notifications(plain: list[Any] | None) -> NotificationRules:
    if not plain:
        return NotificationRules()
    return NotificationRules(after_failures=plain[0], on_recovery=plain[1], on_auto_pause=plain[2])


def _dump_planner(settings: PlannerSettings) -> dict[str, Any]:
    if settings == PlannerSettings():
        return {}
    return {"planner": [settings.enabled, settings.guidance, settings.dry_run]}


def _load_planner(plain: list[Any] | None) -> PlannerSettings:
    if not plain:
        return PlannerSettings()
    return PlannerSettings(enabled=plain[0], guidance=plain[1], dry_run=plain[2])
