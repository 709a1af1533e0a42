"""`${name}` in the texts of a blueprint."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from cli.trouble import Trouble

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
# `$${` is how a text says `${` itself.
_PLACE = re.compile(rf"\$(?P<escape>\$)?\{{(?P<name>{_NAME})\}}")
_GIVEN = re.compile(rf"({_NAME})=(.*)", re.DOTALL)


def read_settings(given: Iterable[str]) -> dict[str, str]:
    """From `name=value` texts. Raises Trouble for what is none, or named twice."""
    values: dict[str, str] = {}
    for each in given:
        found = _GIVEN.fullmatch(each)
        if found is None:
            raise Trouble(f"--set {_without_value(each)}, such as --set shop=https://shop.example.com")
        if found[1] in values:
            raise Trouble(f"--set {found[1]} is given twice; leave one out")
        values[found[1]] = found[2]
    return values


def _without_value(given: str) -> str:
    """What is wrong with it; the value is often a secret, and terminals are logged."""
    name, is_setting, _ = given.partition("=")
    if not is_setting:
        return "without a =: write it as name=value"
    return f"{name}=...: a name has letters A-Z and a-z, digits and _, and begins with no digit; write it as name=value"


def fill(value: Any, values: Mapping[str, str]) -> Any:
    """The same JSON value with every place filled in; raises KeyError for a name without a value."""
    if isinstance(value, str):
        return _PLACE.sub(lambda found: found[0][1:] if found["escape"] else values[found["name"]], value)
    if isinstance(value, dict):
        return {key: fill(each, values) for key, each in value.items()}
    if isinstance(value, list):
        return [fill(each, values) for each in value]
    return value


def names_in(value: Any) -> set[str]:
    """The names of all places."""
    if isinstance(value, str):
        return {found["name"] for found in _PLACE.finditer(value) if not found["escape"]}
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return set[str]().union(*map(names_in, inner))


def escape(value: Any) -> Any:
    """The same JSON value so that `fill` gives it back."""
    if isinstance(value, str):
        return _PLACE.sub(lambda found: f"${found[0]}", value)
    if isinstance(value, dict):
        return {key: escape(each) for key, each in value.items()}
    return [escape(each) for each in value] if isinstance(value, list) else value
