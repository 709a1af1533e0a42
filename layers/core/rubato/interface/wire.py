"""The shape that all inputs and outputs share: camelCase JSON, unknown fields refused, times as ISO 8601 in UTC."""

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, ValidationError, WithJsonSchema
from pydantic.alias_generators import to_camel

from rubato.domain.errors import FieldError, Invalid
from rubato.domain.instant import to_iso

T = TypeVar("T")

TIME_SCHEMA = {"type": "string", "format": "date-time"}
PAUSE_SCHEMA = {"anyOf": [TIME_SCHEMA, {"const": "indefinite"}, {"type": "null"}]}

Time = Annotated[int, PlainSerializer(to_iso, return_type=str), WithJsonSchema(TIME_SCHEMA, mode="serialization")]
"""Milliseconds inside, ISO 8601 with `Z` outside."""

_MAX_UNKNOWN = 100  # characters of a name that nobody knows
# Shown within an object that people write back as they read it.
_READ_ONLY = {"planner.status"}


class Wire(BaseModel):
    """Base of every model. Its validator is built when it is first used: a request needs two or three of them all.

    `hides_unknown`: names of fields that it does not know are not repeated, since a value may have got in there.
    """

    hides_unknown: ClassVar[bool] = False
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", defer_build=True)


class Output(Wire):
    """Base of every answer.

    `told_once` names fields, in the public spelling, that are null when it is repeated; `cut_for_models` texts within
    parts of it, as (part, text), that a model is given in short: what a target said, never what could be written back.
    """

    told_once: ClassVar[frozenset[str]] = frozenset()
    cut_for_models: ClassVar[tuple[tuple[str, str], ...]] = ()

    def to_json(self) -> dict[str, Any]:
        """A plain dict in the public spelling."""
        return self.model_dump(mode="json", by_alias=True)


class Listing(Output, Generic[T]):
    """A page of a list."""

    items: list[T] = Field(description="The items of this page.")
    next_cursor: str | None = Field(description="Pass it as cursor for the next page; null at the end.")


def read_json(model: type[T], text: str) -> T:
    """Validate a JSON document strictly (no guessing between types); raises Invalid naming each field."""
    assert issubclass(model, BaseModel)
    try:
        return model.model_validate_json(text, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        raise _invalid(error, model) from None


def read_text(model: type[T], values: dict[str, Any]) -> T:
    """Validate values that came as text (query and path parameters); raises Invalid naming each field."""
    assert issubclass(model, BaseModel)
    try:
        return model.model_validate(values, by_alias=True, by_name=False)
    except ValidationError as error:
        raise _invalid(error, model) from None


def unknown(names: Iterable[str], model: type[Wire], message: str) -> Invalid:
    """The refusal of names that the model does not have."""
    return Invalid(*(FieldError(_named(name, model), message) for name in sorted(names)))


def _invalid(error: ValidationError, model: type[BaseModel]) -> Invalid:
    found = error.errors(include_url=False, include_input=False)
    return Invalid(*dict.fromkeys(_field_error(each, model) for each in found))


def _field_error(each: Any, model: type[BaseModel]) -> FieldError:
    path = ".".join(str(part) for part in each["loc"])
    if each["type"] == "extra_forbidden":
        path = _named(path, model)
        return FieldError(path, "read-only; remove it" if path in _READ_ONLY else "unknown field; remove it")
    if each["type"] == "missing":
        return FieldError(path, "is required")
    return FieldError(path, str(each["msg"]).removeprefix("Value error, "))


def _named(unknown_path: str, model: type[BaseModel]) -> str:
    if issubclass(model, Wire) and model.hides_unknown:
        return ""
    return unknown_path if len(unknown_path) <= _MAX_UNKNOWN else f"{unknown_path[:_MAX_UNKNOWN]}..."
