"""From jobs to answers."""

from typing import Any

from rubato.domain.jobs import Job, NotificationRules
from rubato.domain.rules import spell_rule
from rubato.interface.inputs.jobs import DefaultsInput, NotificationsInput
from rubato.interface.outputs.jobs import JobDetails, JobView
from rubato.interface.views import rules
from rubato.usecases.get_job import JobSummary


def config_fields(job: Job) -> dict[str, Any]:
    """What the owner configured, in the public spelling."""
    return {
        "name": job.name,
        "description": job.description,
        "tags": list(job.tags),
        "owner": job.owner,
        "defaults": dict(job.defaults),
        "isSynthetic": job.is_synthetic,
        "notifications": notifications(job.notifications).model_dump(by_alias=True),
        "rules": [spell_rule(rule) for rule in job.rules],
        "timezone": job.timezone,
    }


def job_view(job: Job) -> JobView:
    """A job."""
    return JobView(**_job_fields(job))


def job_details(summary: JobSummary) -> JobDetails:
    """A job with its sums."""
    return JobDetails(
        **_job_fields(summary.job),
        endpoint_count=summary.endpoint_count,
        failing_count=summary.failing_count,
        last_run_at=summary.last_run_at,
        health=summary.health,
        rule_warnings=[rules.warning_view(*each) for each in summary.rule_warnings],
        rule_errors=[rules.trouble_view(each) for each in summary.rule_errors],
    )


def notifications(wanted: NotificationRules) -> NotificationsInput:
    """Of which turns people are told."""
    return NotificationsInput(
        after_failures=wanted.after_failures or None,
        on_recovery=wanted.on_recovery,
        on_auto_pause=wanted.on_auto_pause,
    )


def _job_fields(job: Job) -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        "name": job.name,
        "description": job.description,
        "status": job.status,
        "tags": list(job.tags),
        "owner": job.owner,
        "defaults": DefaultsInput.model_validate(job.defaults),
        "is_synthetic": job.is_synthetic,
        "notifications": notifications(job.notifications),
        "rules": [rules.rule_view(rule) for rule in job.rules],
        "timezone": job.timezone,
        "version": job.version,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
    }
