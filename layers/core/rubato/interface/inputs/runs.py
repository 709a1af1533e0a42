"""What the actions on runs take."""

from pydantic import Field

from rubato.domain.endpoint import RunStatus, Source
from rubato.interface.inputs.fields import PageInput, RunId
from rubato.interface.wire import Wire


class ListRunsInput(PageInput):
    """Input of listRuns."""

    job_id: str | None = Field(default=None, max_length=255, description="Only runs of this job.")
    endpoint_id: str | None = Field(default=None, max_length=255, description="Only runs of this endpoint.")
    status: RunStatus | None = Field(default=None, description="Only runs that stand so.")
    source: Source | None = Field(default=None, description="Only runs with this cause.")
    since: str | None = Field(default=None, description="Only slots at or after this time.")
    until: str | None = Field(default=None, description="Only slots before this time.")


class RunInput(Wire):
    """Input of getRunDetails."""

    run_id: RunId
