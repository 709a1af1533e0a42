"""From jobs to answers."""

from typing import Any

from rubato.domain.jobs import Job, NotificationRules, PlannerSettings
from rubato.domain.limits import Planning
from rubato.domain.rules import spell_rule
from rubato.interface.inputs.jobs import DefaultsInput, NotificationsInput
from rubato.interface.outputs.jobs import JobDetails, JobView, PlannerView
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
        "planner": planner_fields(job.planner),
        "rules": [spell_rule(rule) for rule in job.rules],
        "timezone": job.timezone,
    }


def described(job: Job) -> dict[str, Any]:
    """What the trail tells of a job: each rule by itself, for of fifty it is one that changed."""
    fields = {**config_fields(job), "status": job.status.value, "rules": [rule.name for rule in job.rules]}
    return fields | {f"rules.{rule.name}": spell_rule(rule) for rule in job.rules}


def job_view(job: Job, planning: Planning) -> JobView:
    """A job in a deployment with that model."""
    return JobView(**_job_fields(job, planning))


def job_details(summary: JobSummary, planning: Planning) -> JobDetails:
    """A job with its sums."""
    return JobDetails(
        **_job_fields(summary.job, planning),
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


def planner_fields(settings: PlannerSettings) -> dict[str, Any]:
    """What the owner set, in the public spelling."""
    return {"enabled": settings.enabled, "guidance": settings.guidance, "dryRun": settings.dry_run}


def _planner(settings: PlannerSettings, planning: Planning) -> PlannerView:
    status = "off" if not settings.enabled else "on" if planning.is_on else "rules_only"
    return PlannerView(enabled=settings.enabled, guidance=settings.guidance, dry_run=settings.dry_run, status=status)


def _job_fields(job: Job, planning: Planning) -> dict[str, Any]:
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
        "planner": _planner(job.planner, planning),
        "version": job.version,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
    }
