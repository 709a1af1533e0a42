"""What listEndpointEvents takes."""

from rubato.interface.inputs.fields import EndpointId, PageInput


class ListEventsInput(PageInput):
    """Input of listEndpointEvents."""

    endpoint_id: EndpointId
