"""What listAnalyses takes."""

from pydantic import Field

from rubato.interface.inputs.fields import EndpointId, PageInput


class ListAnalysesInput(PageInput):
    """Input of listAnalyses."""

    endpoint_id: EndpointId
    limit: int = Field(default=20, ge=1, le=50, description="How many items at most.")
