"""What describeServiceCatalog answers."""

from typing import Any

from pydantic import Field

from rubato.domain.access import Scope
from rubato.interface.wire import Output


class ActionView(Output):
    """An action."""

    name: str = Field(description="Stable; the same in every format.")
    title: str = Field(description="For people.")
    description: str = Field(description="What it does, and when to choose it.")
    method: str = Field(description="HTTP method.")
    path: str = Field(description="Route under the stage; parameters in braces are fields of the input.")
    scope: Scope | None = Field(description="What a key needs; null for any valid key.")
    allowed: bool = Field(description="Whether this key may.")
    read_only: bool = Field(description="It changes nothing.")
    destructive: bool = Field(description="It ends or removes something.")
    idempotent: bool = Field(description="Done twice is done once.")
    input_schema: dict[str, Any] = Field(description="JSON Schema of what it takes, path parameters included.")
    output_schema: dict[str, Any] | None = Field(description="JSON Schema of what it gives; null for text or nothing.")


class CatalogView(Output):
    """The catalog; `actions` in the format rubato, `tools` in the others."""

    format: str = Field(description="The format that was asked for.")
    actions: list[ActionView] | None = Field(default=None, description="Every action.")
    tools: list[dict[str, Any]] | None = Field(default=None, description="The tools, to be passed on as they are.")

    def to_json(self) -> dict[str, Any]:
        """Without the list that is not there."""
        return {name: value for name, value in super().to_json().items() if value is not None}
