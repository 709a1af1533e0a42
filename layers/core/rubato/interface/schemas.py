"""JSON Schemas of what the actions take and give."""

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from rubato.interface.action import Action
from rubato.interface.document import Document

Json = dict[str, Any]
_PREFIX = "#/components/schemas/"
_NULL = {"type": "null"}


class _Plain(GenerateJsonSchema):
    """Without titles that only repeat names; a list of `JobView` is a `JobPage`."""

    def normalize_name(self, name: str) -> str:
        return super().normalize_name(re.sub(r"^Listing\[(\w+?)(View)?\]$", r"\1Page", name))

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        return False


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Schemas of all actions; what a path says is no longer in the schema of the body."""

    components: dict[str, Json]
    names: dict[tuple[type, JsonSchemaMode], Json]
    whole: dict[str, Json]

    def taken(self, action: Action) -> Json:
        """A reference to the schema of the body."""
        return self.names[action.takes, "validation"]

    def given(self, action: Action) -> Json:
        """A reference to the schema of the answer."""
        assert action.gives is not None
        return self.names[action.gives, "serialization"]

    def has_body(self, action: Action) -> bool:
        """Whether anything is left for a body."""
        return bool(self.components[_name(self.taken(action))].get("properties"))

    def needs_choice(self, action: Action) -> bool:
        """Whether one of several fields must be there, so that an empty body can't be valid."""
        return "oneOf" in self.components[_name(self.taken(action))]

    def fields(self, action: Action) -> Iterator[tuple[str, Json, bool]]:
        """Each field of the input as a parameter: name, schema without null, whether it is required."""
        schema = self.whole[_name(self.taken(action))]
        for name, field in schema.get("properties", {}).items():
            yield name, _as_parameter(field), name in schema.get("required", ())


def draw(actions: Sequence[Action]) -> Drawn:
    """The schemas of these actions."""
    wanted: list[tuple[Any, JsonSchemaMode]] = [(action.takes, "validation") for action in actions]
    wanted += [(action.gives, "serialization") for action in actions if action.gives and not _is_text(action)]
    names, definitions = models_json_schema(
        wanted, by_alias=True, ref_template=_PREFIX + "{model}", schema_generator=_Plain
    )
    whole: dict[str, Json] = {name: _tidied(schema) for name, schema in definitions["$defs"].items()}
    components = deepcopy(whole)
    for action in actions:
        _take_out(components[_name(names[action.takes, "validation"])], set(action.pattern.groupindex))
    return Drawn(components=components, names=names, whole=whole)


def reachable(components: dict[str, Json], root: Any) -> dict[str, Json]:
    """The components that `root` refers to, directly or not, by name."""
    found: dict[str, Json] = {}
    pending = list(_references(root))
    while pending:
        name = pending.pop()
        if name in components and name not in found:
            found[name] = components[name]
            pending += _references(components[name])
    return dict(sorted(found.items()))


def _is_text(action: Action) -> bool:
    return action.gives is not None and issubclass(action.gives, Document)


def _name(reference: Json) -> str:
    return str(reference["$ref"]).removeprefix(_PREFIX)


def _take_out(schema: Json, names: set[str]) -> None:
    schema["properties"] = {key: value for key, value in schema.get("properties", {}).items() if key not in names}
    required = [name for name in schema.pop("required", []) if name not in names]
    if required:
        schema["required"] = required


def _as_parameter(field: Json) -> Json:
    """A query has no null: leaving the parameter out is the same."""
    rest = [each for each in field.get("anyOf", ()) if each != _NULL]
    if len(rest) != 1:
        return field
    return {**{key: value for key, value in field.items() if key != "anyOf"}, **rest[0]}


def _tidied(schema: Any) -> Any:
    """Without defaults of null and titles, which say nothing, and with the white space of docstrings as blanks."""
    if isinstance(schema, list):
        return [_tidied(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _tidied(value) for key, value in schema.items() if (key, value) != ("default", None)}
    if kept.get("type") == "object" and isinstance(kept.get("title"), str):
        del kept["title"]
    if isinstance(kept.get("description"), str):
        kept["description"] = re.sub(r"\s+", " ", kept["description"])
    return kept


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield _name(node)
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _references(each)
