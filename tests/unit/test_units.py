"""What DynamoDB asks for, against the rules and the examples of its developer guide."""

from typing import Any

import pytest

from cli.bench.prices import MILLION, dollars
from cli.bench.sizes import item_bytes, number_bytes, value_bytes
from cli.bench.units import Index, Table, index_units, read_units, refused_units, write_units

KB = 1024
BY_NAME = Index("byName", ("name",), frozenset({"status"}))
THINGS = Table("things", ("id",), (BY_NAME,))
PLAIN = Table("plain", ("id",))


def thing(size: int = 0, **attributes: str) -> dict[str, Any]:
    """An item of `size` bytes (at least what its attributes take)."""
    item = {"id": {"S": "1"}, **{name: {"S": value} for name, value in attributes.items()}}
    missing = size - item_bytes(item) - len("pad")
    return {**item, "pad": {"S": "x" * missing}} if size else item


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": ""}, 0),
        ({"S": "abc"}, 3),
        ({"S": "\u00fc\u20ac"}, 5),
        ({"B": b"\x00\x01\x02"}, 3),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"L": []}, 3),
        ({"M": {}}, 3),
        ({"L": [{"S": "ab"}, {"BOOL": False}]}, 3 + (1 + 2) + (1 + 1)),
        ({"M": {"ab": {"S": "cd"}}}, 3 + 1 + 2 + 2),
        ({"SS": ["a", "bc"]}, 3),
        ({"NS": ["1", "22"]}, 4),
    ],
)
def test_a_value_is_as_large_as_the_guide_says(value: dict[str, Any], size: int) -> None:
    assert value_bytes(value) == size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 2),
        ("1", 2),
        ("12", 2),
        ("123", 3),
        ("100", 2),
        ("0.0012", 2),
        ("-1", 3),
        ("1735689600000", 5),
        ("1735689600123", 8),
        ("1e5", 2),
    ],
)
def test_a_number_takes_a_byte_for_two_significant_digits_and_one_more(text: str, size: int) -> None:
    assert number_bytes(text) == size


def test_names_of_attributes_count() -> None:
    assert item_bytes({"Name": {"S": "Fluffy"}, "Age": {"N": "3"}}) == 4 + 6 + 3 + 2


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        (None, thing(100), 1),
        (None, thing(KB), 1),
        (None, thing(KB + 1), 2),
        (thing(10 * KB), thing(100), 10),  # the larger of both images
        (thing(3 * KB), None, 3),
        (None, None, 1),  # a delete of nothing
    ],
)
def test_a_write_costs_a_unit_for_each_kilobyte(before: Any, after: Any, units: int) -> None:
    assert write_units(PLAIN, before, after) == units


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        (None, thing(), 0),  # without the key of the index: sparse
        (None, thing(name="a"), 1),
        (thing(name="a"), None, 1),
        (thing(name="a"), thing(name="a"), 0),
        (thing(name="a"), thing(name="a", other="new"), 0),  # not projected
        (thing(name="a", status="x"), thing(name="a", status="y"), 1),
        (thing(name="a"), thing(name="b"), 2),  # out of its old place, into the new one
        (thing(name="a"), thing(), 1),
        (thing(name="a", status="x" * KB), thing(name="b", status="x"), 3),
    ],
)
def test_an_index_costs_what_changes_in_it(before: Any, after: Any, units: int) -> None:
    assert index_units(THINGS, BY_NAME, before, after) == units
    assert write_units(THINGS, before, after) == units + write_units(PLAIN, before, after)


def test_an_index_of_everything_copies_everything() -> None:
    everything = Index("all", ("name",))
    assert index_units(THINGS, everything, thing(name="a"), thing(name="a", other="new")) == 1


def test_a_lost_condition_costs_what_stands_there() -> None:
    assert (refused_units(None), refused_units(thing(100)), refused_units(thing(2 * KB + 1))) == (1, 1, 3)


@pytest.mark.parametrize(
    ("size", "consistent", "units"),
    [(0, True, 1), (0, False, 0.5), (4 * KB, True, 1), (4 * KB + 1, True, 2), (9 * KB, False, 1.5)],
)
def test_a_read_costs_half_a_unit_or_a_whole_one_for_four_kilobytes(size: int, consistent: bool, units: float) -> None:
    assert read_units(size, consistent=consistent) == units


def test_every_amount_has_its_price() -> None:
    assert dollars({"writeUnits": 5, "sqsRequests": 3}, MILLION) == {
        "writeUnits": 3.125,
        "sqsRequests": 1.2,
        "sum": 4.325,
    }
    with pytest.raises(KeyError, match="favours"):
        dollars({"favours": 1})
