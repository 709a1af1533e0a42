"""How large DynamoDB takes an item to be, in bytes.

The rules are those of the developer guide, "DynamoDB item sizes and formats". Values are as the wire has them:
`{"S": "text"}`, with bytes under B.
"""

from collections.abc import Mapping
from decimal import Decimal
from math import ceil
from typing import Any

Item = Mapping[str, Mapping[str, Any]]

_CONTAINER = 3
_ELEMENT = 1


def item_bytes(item: Item) -> int:
    """Names and values of all attributes."""
    return sum(_text_bytes(name) + value_bytes(value) for name, value in item.items())


def value_bytes(value: Mapping[str, Any]) -> int:
    """One value, without its name. Raises KeyError for a type that DynamoDB does not know."""
    kind, content = next(iter(value.items()))
    return int(_RULES[kind](content))


def number_bytes(text: str) -> int:
    """A byte for two significant digits, one more for the exponent, one for a minus."""
    sign, digits, _ = Decimal(text).normalize().as_tuple()
    return ceil(len(digits) / 2) + 1 + sign


def _text_bytes(text: str) -> int:
    return len(text.encode())


def _map_bytes(content: Item) -> int:
    return _CONTAINER + item_bytes(content) + _ELEMENT * len(content)


def _list_bytes(content: list[Mapping[str, Any]]) -> int:
    return _CONTAINER + sum(_ELEMENT + value_bytes(each) for each in content)


_RULES: dict[str, Any] = {
    "S": _text_bytes,
    "N": number_bytes,
    "B": len,
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
    "M": _map_bytes,
    "L": _list_bytes,
    "SS": lambda each: sum(map(_text_bytes, each)),
    "NS": lambda each: sum(map(number_bytes, each)),
    "BS": lambda each: sum(map(len, each)),
}
