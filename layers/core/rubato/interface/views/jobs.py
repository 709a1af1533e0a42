"""From jobs to answers."""

from typing import Any

from rubato.domain.jobs import Job
from rubato.interface.inputs.jobs import DefaultsInput
from rubato.interface.outputs.jobs import JobDetails, JobView
from rubato.usecases.get_job import JobSummary


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
        "version": job.version,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
    }
