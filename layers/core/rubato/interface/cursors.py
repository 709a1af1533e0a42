"""Opaque cursors: a position bound to the list it was given for."""

import base64
import binascii
import hashlib
import json
from typing import Any

from rubato.domain.errors import Malformed
from rubato.domain.whole_text import is_whole

_MAX_KEY_BYTES = 1024  # of a sort key in DynamoDB


def encode_cursor(position: str | None, listed: dict[str, Any]) -> str | None:
    """A cursor for `position` in the list that the parameters `listed` describe."""
    if position is None:
        return None
    # NOTE: as UTF-8, not escaped: a name of 255 letters must fit into what PageInput takes.
    plain = json.dumps([_fingerprint(listed), position], ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


def decode_cursor(cursor: str | None, listed: dict[str, Any]) -> str | None:
    """The position; raises Malformed for a cursor that was not given for this list."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        fingerprint, position = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise Malformed("cursor: not a cursor of this service; leave it out to start over") from None
    if fingerprint != _fingerprint(listed) or not isinstance(position, str) or not _could_be_a_key(position):
        raise Malformed("cursor: given for another list; leave it out to start over")
    return position


def _could_be_a_key(position: str) -> bool:
    """The store fails at any other: a cursor is not signed, and whoever has one can write another."""
    return is_whole(position) and 0 < len(position.encode()) <= _MAX_KEY_BYTES


def _fingerprint(listed: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(listed, sort_keys=True, default=str).encode()).hexdigest()[:12]
