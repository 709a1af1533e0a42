"""Arguments of tool calls against the schema that the model was shown. Pure; the subset of JSON Schema that tools use.

One schema both tells the model and judges it, so the two can't drift apart.
"""

from typing import Any

from rubato.domain.errors import FieldError, Invalid
from rubato.domain.whole_text import is_whole

_TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "boolean": (bool,),
    "array": (list,),
    "null": (type(None),),
}


def checked(schema: dict[str, Any], given: dict[str, Any] | None) -> dict[str, Any]:
    """The arguments, if they are what the schema asks for; raises Invalid that names each that is not.

    A null for what may be left out, and may not be null, counts as left out: models like to send one.
    """
    if given is None:
        raise Invalid.field("", "the arguments are not a JSON object")
    known = schema["properties"]
    given = {name: value for name, value in given.items() if value is not None or not _may_go(schema, name)}
    errors = [FieldError(str(name)[:64], "unknown argument; remove it") for name in given if name not in known]
    errors += [FieldError(name, "is required") for name in schema.get("required", ()) if name not in given]
    for name, value in given.items():
        fault = _fault(known[name], value) if name in known else None
        if fault is not None:
            errors.append(FieldError(name, fault))
    if errors:
        raise Invalid(*errors[:10])
    return given


def _may_go(schema: dict[str, Any], name: str) -> bool:
    known = schema["properties"].get(name)
    return known is not None and name not in schema.get("required", ()) and "null" not in known["type"]


def _fault(schema: dict[str, Any], value: Any) -> str | None:
    wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(_is(value, kind) for kind in wanted):
        return f"must be {' or '.join(wanted)}"
    if "enum" in schema and value not in schema["enum"]:
        return f"must be one of {', '.join(map(str, schema['enum']))}"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number_fault(schema, value)
    if isinstance(value, str) and not is_whole(value):
        return "holds half a character; send whole ones"
    return _length_fault(schema, value) if isinstance(value, (str, list)) else None


def _is(value: Any, kind: str) -> bool:
    """JSON knows true and 1 apart, Python does not."""
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _number_fault(schema: dict[str, Any], value: float) -> str | None:
    low, high = schema.get("minimum"), schema.get("maximum")
    # NOTE: asked this way round, so that NaN lies outside.
    inside = (low is None or value >= low) and (high is None or value <= high)
    return None if inside else f"must lie from {low} to {high}"


def _length_fault(schema: dict[str, Any], value: str | list[Any]) -> str | None:
    suffix = "Length" if isinstance(value, str) else "Items"
    low, high = schema.get(f"min{suffix}", 0), schema.get(f"max{suffix}")
    if len(value) < low or (high is not None and len(value) > high):
        return f"has length {len(value)}; {low} to {high} are allowed"
    if isinstance(value, list) and any(_fault(schema["items"], each) for each in value):
        return "has an item that is not allowed"
    return None
