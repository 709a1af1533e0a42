"""Rules across fields, as JSON Schema says them; the models enforce them."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ConfigDict

_NULL = {"type": "null"}


def exactly_one(*names: str, along: Mapping[str, str] | None = None) -> ConfigDict:
    """Of these fields exactly one is given, the others are absent or null; `along` names what goes with one only."""
    beside = along or {}

    def only(chosen: str, field: dict[str, Any]) -> dict[str, Any]:
        absent = [name for name in names if name != chosen]
        absent += [name for name, partner in beside.items() if partner != chosen]
        given = {"type": _type_beside_null(field)}
        return {"required": [chosen], "properties": {chosen: given, **dict.fromkeys(absent, _NULL)}}

    def add(schema: dict[str, Any]) -> None:
        schema["oneOf"] = [only(name, schema["properties"][name]) for name in names]

    return ConfigDict(json_schema_extra=add)


def bodiless(*methods: str) -> Callable[[dict[str, Any]], None]:
    """With one of these methods, or none given, there is no body."""

    def add(schema: dict[str, Any]) -> None:
        others = [method for method in schema["properties"]["method"]["enum"] if method not in methods]
        with_body = {"required": ["method"], "properties": {"method": {"enum": others}}}
        schema["anyOf"] = [{"properties": {"body": _NULL}}, with_body]

    return add


def _type_beside_null(field: dict[str, Any]) -> Any:
    return next(each["type"] for each in field.get("anyOf", [field]) if each != _NULL)
