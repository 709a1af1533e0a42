"""Arguments of tools against their schemas: a table of what is given, and what is said of it."""

from typing import Any

import pytest

from rubato.domain.arguments import checked
from rubato.domain.errors import Invalid
from rubato.domain.planner_tools import TOOLS

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["count", "until"],
    "properties": {
        "count": {"type": "integer", "minimum": 1, "maximum": 10},
        "share": {"type": "number", "minimum": 0, "maximum": 1},
        "name": {"type": "string", "minLength": 1, "maxLength": 5},
        "until": {"type": ["string", "null"], "maxLength": 5},
        "mode": {"type": "string", "enum": ["a", "b"]},
        "deep": {"type": "boolean"},
        "names": {"type": "array", "items": {"type": "string", "maxLength": 5}, "minItems": 1, "maxItems": 2},
    },
}
FINE = {"count": 1, "until": None}


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({}, None),
        ({"share": 0, "name": "x", "mode": "a", "deep": False, "names": ["a", "b"], "until": "x"}, None),
        ({"share": None, "name": None}, None),
        ({"count": None}, "count: must be integer"),
        ({"count": True}, "count: must be integer"),
        ({"count": 1.0}, "count: must be integer"),
        ({"count": 0}, "count: must lie from 1 to 10"),
        ({"count": 11}, "count: must lie from 1 to 10"),
        ({"share": float("nan")}, "share: must lie from 0 to 1"),
        ({"share": "1"}, "share: must be number"),
        ({"until": 5}, "until: must be string or null"),
        ({"name": ""}, "name: has length 0; 1 to 5 are allowed"),
        ({"name": "toolong"}, "name: has length 7; 1 to 5 are allowed"),
        ({"name": "\udfff"}, "name: holds half a character; send whole ones"),
        ({"mode": "c"}, "mode: must be one of a, b"),
        ({"deep": 1}, "deep: must be boolean"),
        ({"names": []}, "names: has length 0; 1 to 2 are allowed"),
        ({"names": ["a", 7]}, "names: has an item that is not allowed"),
        ({"names": "ab"}, "names: must be array"),
        ({"extra": 1}, "extra: unknown argument; remove it"),
    ],
)
def test_each_argument_is_judged_by_the_schema(more: dict[str, Any], complaint: str | None) -> None:
    given = {**FINE, **more}
    if complaint is None:
        kept = {name: value for name, value in given.items() if value is not None or name == "until"}
        assert checked(SCHEMA, given) == kept
        return
    with pytest.raises(Invalid) as refused:
        checked(SCHEMA, given)
    assert str(refused.value) == complaint


def test_everything_that_is_wrong_is_told_at_once_and_no_arguments_are_none() -> None:
    with pytest.raises(Invalid, match="count: is required; until: is required; share: must be number"):
        checked(SCHEMA, {"share": []})
    with pytest.raises(Invalid, match="not a JSON object"):
        checked(SCHEMA, None)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_the_schemas_that_models_see_are_sound_and_closed(tool: Any) -> None:
    import jsonschema_rs

    jsonschema_rs.meta.validate(tool.schema)
    assert tool.schema["additionalProperties"] is False and set(tool.schema["required"]) <= set(
        tool.schema["properties"]
    )
    for field in tool.schema["properties"].values():
        kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
        assert "maxLength" in field or "maxItems" in field or {"integer", "number", "boolean"} & set(kinds)
