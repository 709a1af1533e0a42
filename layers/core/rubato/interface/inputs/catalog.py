"""What describeServiceCatalog takes."""

from typing import Literal

from pydantic import Field

from rubato.interface.wire import Wire


class CatalogInput(Wire):
    """Input of describeServiceCatalog."""

    format: Literal["rubato", "mcp", "openai", "anthropic"] = Field(
        default="rubato",
        description="rubato: every action with its route and scope. The others: the tools that this key may use, as the"
        " Model Context Protocol, chat completions and the Messages API take them.",
    )
