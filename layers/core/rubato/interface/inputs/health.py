"""What summarizeEndpointHealth takes."""

from pydantic import Field

from rubato.interface.inputs.fields import EndpointInput


class HealthInput(EndpointInput):
    """Input of summarizeEndpointHealth."""

    window_hours: int = Field(
        default=24, ge=1, le=720, description="Look at the runs whose slots lie in so many last hours."
    )
