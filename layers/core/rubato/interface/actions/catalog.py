"""What the service can do, told to programs and models."""

from typing import TYPE_CHECKING

from rubato.domain.access import Caller
from rubato.interface.action import Action, action
from rubato.interface.inputs.catalog import CatalogInput
from rubato.interface.outputs.catalog import ActionView, CatalogView
from rubato.interface.perform import allows
from rubato.ports import World

if TYPE_CHECKING:
    from rubato.interface.tools import Tool


def describe_catalog(_world: World, caller: Caller, given: CatalogInput) -> CatalogView:
    """describeServiceCatalog."""
    # NOTE: tools are drawn from the catalog, which this action is in.
    from rubato.interface import tools as drawing

    every = drawing.tools().values()
    if given.format == "rubato":
        return CatalogView(format=given.format, actions=[_view(tool, caller) for tool in every])
    drawn = {"mcp": drawing.as_mcp, "openai": drawing.as_openai, "anthropic": drawing.as_anthropic}[given.format]
    return CatalogView(format=given.format, tools=[drawn(each) for each in every if allows(caller, each.action)])


def _view(tool: "Tool", caller: Caller) -> ActionView:
    each = tool.action
    return ActionView(
        name=each.name,
        title=tool.title,
        description=tool.description,
        method=each.method,
        path=each.path,
        scope=each.scope,
        allowed=allows(caller, each),
        read_only=each.read_only,
        destructive=each.destructive,
        idempotent=each.idempotent,
        input_schema=tool.takes,
        output_schema=tool.gives,
    )


ACTIONS: tuple[Action, ...] = (
    action(
        "describeServiceCatalog",
        "GET /actions",
        None,
        "Describe every action: purpose, route, scope and schemas; or as tool definitions for models.",
        takes=CatalogInput,
        gives=CatalogView,
        run=describe_catalog,
        read_only=True,
        idempotent=True,
        when="Long. Use it to learn which scope an action needs that is not among your tools.",
    ),
)
