"""Reading a paged list to its end."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from rubato.ports import Page

T = TypeVar("T")


def every(read: Callable[[str | None], Page[T]]) -> Iterator[T]:
    """All items of the list that `read` gives from a position on; a page is read only when its items are wanted."""
    after: str | None = None
    while True:
        page = read(after)
        yield from page.items
        if page.next is None:
            return
        after = page.next
