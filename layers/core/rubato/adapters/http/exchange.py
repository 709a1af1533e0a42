"""One request and its answer on one connection, in HTTP/1.1."""

import re
from collections.abc import Iterator
from contextlib import suppress

import h11

from rubato.adapters.http.body import BoundedBody
from rubato.adapters.http.wire import Wire
from rubato.domain.exchange import Headers

# Status line and headers together. Browsers and most servers stop at 8 to 64 KiB.
_MAX_HEAD_BYTES = 65_536
# Where h11 goes over from saying what is wrong to showing it.
_QUOTED = re.compile(r":| \(| b['\"]| bytearray\(")


class AnswerError(ConnectionError):
    """What came back is no HTTP, or stopped before its end."""


class Exchange:
    """Ask once, then read the body or leave it. HTTP/1.1 without reuse: who is done closes the wire."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD_BYTES)

    def ask(self, request: h11.Request, body: bytes | None) -> h11.Response:
        """Send the request and wait for the head of the final answer; h11.LocalProtocolError if it can't be sent."""
        pieces = [self._http.send(request)]
        if body:
            pieces.append(self._http.send(h11.Data(data=body)))
        pieces.append(self._http.send(h11.EndOfMessage()))
        # A server may answer and hang up before it has read everything; then the answer counts.
        with suppress(ConnectionError):
            self._wire.send(b"".join(piece for piece in pieces if piece))
        return next(event for event in self._events() if isinstance(event, h11.Response))

    def read(self, head: h11.Response, limit: int) -> BoundedBody:
        """The body, up to `limit` bytes; what is beyond stays unread."""
        body = BoundedBody(limit, header(head, b"content-encoding").decode("latin-1"))
        for event in self._events():
            if isinstance(event, h11.EndOfMessage) or (isinstance(event, h11.Data) and body.feed(bytes(event.data))):
                break
        return body

    def _events(self) -> Iterator[h11.Event]:
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                raise AnswerError(f"the answer is broken: {fault(error)}") from error
            if event is h11.NEED_DATA:
                self._http.receive_data(self._wire.receive())
            elif isinstance(event, h11.Event):
                yield event
            else:
                raise AnswerError("the target left HTTP/1.1")


def fault(error: h11.ProtocolError) -> str:
    """What HTTP does not allow, in a few words, without the bytes that h11 quotes: they may be anything."""
    return _QUOTED.split(str(error), maxsplit=1)[0]


def header(head: h11.Response, name: bytes) -> bytes:
    """The value of a header of the answer, the first if there are more, empty if there is none."""
    return next((value for each, value in head.headers if each == name), b"")


def headers(head: h11.Response) -> Headers:
    """All headers of the answer, names in lower case."""
    return tuple((name.decode("ascii"), value.decode("latin-1")) for name, value in head.headers)
