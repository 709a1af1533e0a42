"""The actions as a language model's tools: names, texts and schemas, drawn from the catalog.

A model needs less than a program: the service checks each call anyway. So nothing is referred to, patterns and formats
that no model reads are left out, what may be null only because it may be absent is not null, and answers have names and
types but no words. Large providers refuse oneOf, anyOf and allOf at the top of an input: rules across fields stand in
the descriptions.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rubato.interface import schemas
from rubato.interface.action import Action
from rubato.interface.catalog import CATALOG
from rubato.interface.document import Document

Json = dict[str, Any]

# What only the Model Context Protocol has as an argument: over HTTP these are headers.
IF_VERSION = "ifVersion"
IDEMPOTENCY_KEY = "idempotencyKey"
_NULL = {"type": "null"}
_RULES = ("oneOf", "anyOf")
_UNREAD = ("pattern", "propertyNames", "examples", "title")
_UNREAD_IN_ANSWERS = ("description", "default", "additionalProperties", "minimum", "maximum", "minLength", "maxLength")
_VALUES = ("default", "enum", "const", "required")  # no schemas
_NOT_NULL = ("enum", "const", *_RULES)  # would refuse null beside a list of types
_BESIDE: dict[str, Json] = {
    IF_VERSION: {"type": "integer", "description": "The version that was read: change only that one, or fail."},
    IDEMPOTENCY_KEY: {
        "type": "string",
        "minLength": 1,
        "maxLength": 255,
        "description": "Any text of your own. To repeat a call whose answer was lost, send the same: it creates once.",
    },
}


@dataclass(frozen=True, kw_only=True)
class Tool:
    """An action as a model sees it. `gives` is None where the answer is text, or nothing."""

    action: Action
    title: str
    description: str
    takes: Json
    gives: Json | None


# NOTE: drawing the schemas takes longer than most calls do; only what lists tools waits for it, once per process.
@lru_cache(maxsize=1)
def tools() -> dict[str, Tool]:
    """Every action as a tool, by name, in the catalog's order."""
    drawn = schemas.draw(CATALOG)
    return {action.name: _tool(action, drawn) for action in CATALOG}


def beside(action: Action) -> tuple[str, ...]:
    """The arguments that stand for the headers of HTTP."""
    versioned = (IF_VERSION,) if action.versioned and not action.read_only else ()
    return (*versioned, *((IDEMPOTENCY_KEY,) if action.creates else ()))


def as_mcp(tool: Tool) -> Json:
    """As tools/list of the Model Context Protocol gives it."""
    action = tool.action
    more = {name: _BESIDE[name] for name in beside(action)}
    shown: Json = {
        "name": action.name,
        "title": tool.title,
        "description": tool.description,
        "inputSchema": {**tool.takes, "properties": {**tool.takes["properties"], **more}},
        "annotations": {
            "readOnlyHint": action.read_only,
            "destructiveHint": action.destructive,
            "idempotentHint": action.idempotent,
            "openWorldHint": action.open_world,
        },
    }
    return {**shown, "outputSchema": tool.gives} if tool.gives else shown


def as_openai(tool: Tool) -> Json:
    """As the list `tools` of a chat completion takes it."""
    # NOTE: a strict schema must require every field, and know no free maps: in a PATCH to name a field is to change it.
    function = {"name": tool.action.name, "description": tool.description, "parameters": tool.takes, "strict": False}
    return {"type": "function", "function": function}


def as_anthropic(tool: Tool) -> Json:
    """As the list `tools` of the Messages API takes it."""
    return {"name": tool.action.name, "description": tool.description, "input_schema": tool.takes}


def _tool(action: Action, drawn: schemas.Drawn) -> Tool:
    takes = _inlined(drawn.taken(action), drawn.whole, _UNREAD)
    is_json = action.gives is not None and not issubclass(action.gives, Document)
    return Tool(
        action=action,
        title=_title(action.name),
        description=f"{action.summary} {action.when}".strip(),
        takes=_input(_patch(takes) if action.method == "PATCH" else _without_null(takes)),
        gives=_inlined(drawn.given(action), drawn.whole, (*_UNREAD, *_UNREAD_IN_ANSWERS)) if is_json else None,
    )


def _input(schema: Json) -> Json:
    return {"type": "object", "properties": {}, **{key: each for key, each in schema.items() if key != "description"}}


def _title(name: str) -> str:
    words = re.sub(r"([A-Z])", r" \1", name).lower().replace(" api ", " API ")
    return words[0].upper() + words[1:]


def _inlined(node: Any, known: dict[str, Json], unread: tuple[str, ...]) -> Any:
    """The schema without references and without these keywords."""
    if isinstance(node, list):
        return [_inlined(each, known, unread) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        own = {key: value for key, value in node.items() if key != "$ref"}
        return _inlined(_merged(_referred(node["$ref"], known), own), known, unread)
    plain: Json = {}
    for key, value in node.items():
        if key == "properties":
            plain[key] = {name: _inlined(_worded(field, known), known, unread) for name, field in value.items()}
        elif key not in unread and (key != "format" or value == "date-time"):
            plain[key] = value if key in _VALUES else _inlined(value, known, unread)
    return _short_null(plain)


def _worded(field: Json, known: dict[str, Json]) -> Json:
    """A field without words of its own says the same as what it refers to."""
    if "$ref" not in field or "description" in field:
        return field
    return {**field, "description": known[field["$ref"].rpartition("/")[2]].get("description", "")}


def _referred(reference: str, known: dict[str, Json]) -> Json:
    """A schema without its rules across fields. Its words count only where it has one; else they repeat the field's."""
    target = known[reference.rpartition("/")[2]]
    ruled = "properties" in target and not target.keys().isdisjoint(_RULES)
    left_out = _RULES if ruled else ("description",)
    return {key: value for key, value in target.items() if key not in left_out}


def _merged(target: Json, own: Json) -> Json:
    """What stands beside it wins, but for the descriptions: one follows the other."""
    words = [each["description"] for each in (own, target) if "description" in each]
    return {**target, **own, **({"description": " ".join(words)} if words else {})}


def _short_null(node: Json) -> Json:
    """One alternative to null, as a list of two types where that says the same."""
    other = _beside_null(node)
    if other is None or not isinstance(other.get("type"), str) or not other.keys().isdisjoint(_NOT_NULL):
        return node
    return {**other, "type": [other["type"], "null"]}


def _beside_null(node: Json) -> Json | None:
    """What a field is when it is not null; None for a field that is never null, or may be several things."""
    if isinstance(node.get("type"), list):
        return {**node, "type": node["type"][0]}
    rest = [each for each in node.get("anyOf", ()) if each != _NULL]
    if len(rest) != 1 or len(node["anyOf"]) != 2:
        return None
    return _merged(rest[0], {key: value for key, value in node.items() if key != "anyOf"})


def _patch(node: Any) -> Any:
    """In a merge patch null clears a field; but lists are replaced whole, so within them it means nothing."""
    if isinstance(node, list):
        return [_patch(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {key: _without_null(value) if key == "items" else _patch(value) for key, value in node.items()}


def _without_null(node: Any) -> Any:
    """Fields that may be left out need no null."""
    if isinstance(node, list):
        return [_without_null(each) for each in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _without_null(value) for key, value in node.items()}
    optional = plain.get("properties", {}).keys() - plain.get("required", ())
    for name in optional:
        field = plain["properties"][name]
        plain["properties"][name] = _beside_null(field) or field
    return plain
