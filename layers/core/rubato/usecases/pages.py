"""Reading a paged list to its end."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import TypeVar

from rubato.ports import Page

T = TypeVar("T")


def every(read: Callable[[str | None], Page[T]]) -> Iterator[T]:
    """All items of the list that `read` gives from a position on; a page is read only when its items are wanted."""
    return chain.from_iterable(each_page(read))


def each_page(read: Callable[[str | None], Page[T]]) -> Iterator[tuple[T, ...]]:
    """The same, page by page; the last one may be empty."""
    after: str | None = None
    while True:
        page = read(after)
        yield page.items
        if page.next is None:
            return
        after = page.next
