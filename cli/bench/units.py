"""What DynamoDB asks for a read or a write, in capacity units, by its published rules.

On demand and provisioned tables count alike. An emulator's ConsumedCapacity is not used: it guesses.
"""

from dataclasses import dataclass
from math import ceil

from cli.bench.sizes import Item, item_bytes

_WRITE_BLOCK = 1024
_READ_BLOCK = 4096
_EVENTUAL = 0.5


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index. `projected` are the attributes beyond the keys; None is all of them."""

    name: str
    key: tuple[str, ...]
    projected: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its key and its indexes."""

    name: str
    key: tuple[str, ...]
    indexes: tuple[Index, ...] = ()

    def key_of(self, item: Item) -> Item:
        """The part of an item that is its key."""
        return {name: item[name] for name in self.key}


def write_units(table: Table, before: Item | None, after: Item | None) -> int:
    """A write that took place: the larger of both images, and what each index has to change."""
    larger = max(item_bytes(before or {}), item_bytes(after or {}))
    return _blocks(larger) + sum(index_units(table, index, before, after) for index in table.indexes)


def refused_units(before: Item | None) -> int:
    """A write whose condition was lost: as much as the item that stands there."""
    return _blocks(item_bytes(before or {}))


def index_units(table: Table, index: Index, before: Item | None, after: Item | None) -> int:
    """What a write costs in one index: a changed key is a delete and a put, an unchanged entry nothing."""
    old, new = _entry(table, index, before), _entry(table, index, after)
    if old == new:
        return 0
    if old is not None and new is not None and all(old[name] == new[name] for name in index.key):
        return _blocks(max(item_bytes(old), item_bytes(new)))
    return sum(_blocks(item_bytes(entry)) for entry in (old, new) if entry is not None)


def read_units(size: int, *, consistent: bool) -> float:
    """A read of so many bytes; one that finds nothing costs as the smallest one."""
    return max(ceil(size / _READ_BLOCK), 1) * (1 if consistent else _EVENTUAL)


def _blocks(size: int) -> int:
    return max(ceil(size / _WRITE_BLOCK), 1)


def _entry(table: Table, index: Index, item: Item | None) -> Item | None:
    """What the index holds of an item; None when it lacks a key of the index."""
    if item is None or any(name not in item for name in index.key):
        return None
    if index.projected is None:
        return item
    kept = {*table.key, *index.key, *index.projected}
    return {name: value for name, value in item.items() if name in kept}
