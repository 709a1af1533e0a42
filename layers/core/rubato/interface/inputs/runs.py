"""What the actions on runs take."""

from typing import Literal

from pydantic import Field

from rubato.domain.endpoint import RunStatus, Source
from rubato.interface.inputs.fields import PageInput, RunId, TimeText
from rubato.interface.wire import Wire


class RunsInput(PageInput):
    """Which runs."""

    job_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=255,
        description="Only runs of this job. Without it and endpointId, those of synthetic jobs are left out.",
    )
    endpoint_id: str | None = Field(
        default=None, min_length=1, max_length=255, description="Only runs of this endpoint."
    )
    status: RunStatus | None = Field(default=None, description="Only runs that stand so.")
    source: Source | None = Field(default=None, description="Only runs with this cause.")
    since: TimeText | None = Field(
        default=None, description="Only slots at or after this time, ISO 8601 with its offset; not later than until."
    )
    until: TimeText | None = Field(default=None, description="Only slots before this time, ISO 8601 with its offset.")


class ListRunsInput(RunsInput):
    """Input of listRuns."""


class ExportRunsInput(RunsInput):
    """Input of exportRuns."""

    format: Literal["ndjson", "csv"] = Field(
        default="ndjson", description="ndjson: a JSON document a line. csv: a table, its header on the first page only."
    )
    limit: int = Field(default=200, ge=1, le=1000, description="How many runs at most.")
    cursor: str | None = Field(default=None, max_length=2048, description="X-Next-Cursor of the page before.")


class RunInput(Wire):
    """Input of getRunDetails."""

    run_id: RunId
