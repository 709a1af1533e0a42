"""What exportRuns answers."""

from typing import ClassVar

from rubato.interface.document import Document

NDJSON = "application/x-ndjson"
CSV = "text/csv; charset=utf-8"


class RunExport(Document):
    """A page of runs as text; the headers Link (rel next) and X-Next-Cursor lead to the next one."""

    media_types: ClassVar[tuple[str, ...]] = (NDJSON, CSV)
