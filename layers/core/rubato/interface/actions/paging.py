"""Cursors of lists, and patches without what stands beside them."""

from typing import Any

from rubato.interface.cursors import decode_cursor, encode_cursor
from rubato.interface.inputs.fields import PageInput
from rubato.interface.wire import Wire


def patch_of(given: Wire, *beside: str) -> dict[str, Any]:
    """What the caller set, in the public spelling, without the fields `beside` the patch."""
    return given.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=set(beside))


def _listed(given: PageInput) -> dict[str, Any]:
    kind = type(given).__name__
    return {"list": kind, **given.model_dump(mode="json", exclude={"cursor", "limit"}, exclude_none=True)}


def position(given: PageInput) -> str | None:
    """Where the page begins; raises Malformed for a cursor of another list."""
    return decode_cursor(given.cursor, _listed(given))


def next_cursor(given: PageInput, position: str | None) -> str | None:
    """The cursor of the following page."""
    return encode_cursor(position, _listed(given))
