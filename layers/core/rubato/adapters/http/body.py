"""A response body of bounded size, decoded as it comes in."""

import zlib
from collections.abc import Callable

_GZIP, _ZLIB, _RAW_DEFLATE = 31, 15, -15


class BodyError(ValueError):
    """The body is not what its Content-Encoding says."""


class BoundedBody:
    """Collects up to `limit` decoded bytes; a gzip bomb costs no more memory than that and one chunk.

    Knows gzip and deflate, the only ones that Rubato asks for; a body in any other coding is kept as it came.
    """

    def __init__(self, limit: int, encoding: str) -> None:
        self._limit = limit
        self._kept = bytearray()
        self._inflate: Callable[[bytes, int], bytes] | None = _inflaters(encoding)

    def feed(self, data: bytes) -> bool:
        """Take the next bytes off the wire; True once there is more than the limit and reading can stop."""
        room = self._limit + 1 - len(self._kept)
        self._kept += self._inflate(data, room) if self._inflate else data[:room]
        return self.truncated

    @property
    def truncated(self) -> bool:
        """Whether there was more than the limit."""
        return len(self._kept) > self._limit

    @property
    def content(self) -> bytes:
        """At most `limit` bytes."""
        return bytes(self._kept[: self._limit])


def _inflaters(encoding: str) -> Callable[[bytes, int], bytes] | None:
    name = encoding.strip().lower()
    if name in ("gzip", "x-gzip"):
        return _inflater(_GZIP)
    if name == "deflate":
        return _deflate()
    return None


def _inflater(window_bits: int) -> Callable[[bytes, int], bytes]:
    stream = zlib.decompressobj(window_bits)

    def inflate(data: bytes, room: int) -> bytes:
        try:
            return stream.decompress(data, room)
        except zlib.error as error:
            raise BodyError(f"the body does not match its Content-Encoding: {error}") from error

    return inflate


def _deflate() -> Callable[[bytes, int], bytes]:
    """RFC 9110, section 8.4.1.2: deflate means zlib, but some servers send it without the zlib frame."""
    chosen: Callable[[bytes, int], bytes] | None = None

    def inflate(data: bytes, room: int) -> bytes:
        nonlocal chosen
        if chosen is not None:
            return chosen(data, room)
        framed = data[0] & 0x0F == 8 and data[0] >> 4 <= 7  # the first byte of every zlib frame, RFC 1950
        chosen = _inflater(_ZLIB if framed else _RAW_DEFLATE)
        return chosen(data, room)

    return inflate
