"""The outbound port over real sockets: checked, pinned, bounded."""

import socket
import ssl
import threading
import time
from collections.abc import Callable

import h11

from rubato.adapters.http.body import BoundedBody
from rubato.adapters.http.deadline import Deadline
from rubato.adapters.http.exchange import Exchange, fault, header, headers
from rubato.adapters.http.hop import REDIRECTS, Hop
from rubato.adapters.http.names import Names, Resolve
from rubato.adapters.http.wire import Wire, connect
from rubato.domain.addresses import Networks
from rubato.domain.errors import Invalid
from rubato.domain.exchange import Call, ErrorKind, Reply
from rubato.domain.targets import Refused

MAX_REDIRECTS = 5
_MAX_MESSAGE = 300

# The first that fits counts. Whatever else fails is the target's or the network's doing: connect.
_KINDS: tuple[tuple[type[Exception], ErrorKind], ...] = (
    (Refused, ErrorKind.BLOCKED),
    (Invalid, ErrorKind.CONFIG),
    (h11.LocalProtocolError, ErrorKind.CONFIG),
    (UnicodeEncodeError, ErrorKind.CONFIG),
    (TimeoutError, ErrorKind.TIMEOUT),
)


class PinnedOutbound:
    """Calls targets; safe to share between threads, as every hop has a connection of its own.

    Each hop is checked by URL and by every address its name resolves to, and connects to one of those very addresses:
    a name that changes its mind in between changes nothing. No proxies, no environment, no cookies.
    `clock` gives monotonic seconds; `resolve` and `ssl_context` are seams for tests.
    """

    def __init__(
        self,
        allowed: Networks = (),
        resolve: Resolve = socket.getaddrinfo,
        clock: Callable[[], float] = time.monotonic,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = allowed
        self._names = Names(resolve, allowed)
        self._clock = clock
        self._context = ssl_context
        self._context_lock = threading.Lock()

    def send(self, call: Call) -> Reply:
        """One exchange, redirects included. Never raises for what the caller, the target or the network does.

        A sixth redirect is not followed; like any other answer it comes back with its status.
        """
        deadline = Deadline(self._clock, call.timeout_ms)
        try:
            return self._follow(call, deadline)
        except (OSError, ValueError, h11.LocalProtocolError) as error:
            return _failed(error, call, deadline)

    def _follow(self, call: Call, deadline: Deadline) -> Reply:
        hop = Hop.first(call, self._allowed)
        redirects_left = MAX_REDIRECTS if call.follow_redirects else 0
        while True:
            request = hop.request()
            with self._connect(hop, deadline) as wire:
                if hop.target.scheme == "https":
                    wire.secure(self._tls(), hop.target.host)
                exchange = Exchange(wire)
                head = exchange.ask(request, hop.body)
                location = header(head, b"location").decode(errors="replace")
                if not (redirects_left and location and head.status_code in REDIRECTS):
                    return _reply(head, exchange.read(head, call.max_response_bytes), deadline)
            hop = hop.redirected(head.status_code, location, self._allowed)
            redirects_left -= 1

    def _connect(self, hop: Hop, deadline: Deadline) -> Wire:
        return connect(self._names.addresses(hop.target, deadline), hop.target.port, deadline)

    def _tls(self) -> ssl.SSLContext:
        """One for all calls, made on the first: loading the authorities takes longer than a call."""
        with self._context_lock:
            if self._context is None:
                self._context = _public_authorities()
            return self._context


def _public_authorities() -> ssl.SSLContext:
    # Imported late: plain HTTP needs none of it. Its list travels with the layer, so that SSL_CERT_FILE and whatever
    # the runtime ships change nothing.
    import certifi

    context = ssl.create_default_context(cafile=certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


def _reply(head: h11.Response, body: BoundedBody, deadline: Deadline) -> Reply:
    return Reply(
        duration_ms=deadline.elapsed_ms(),
        status_code=head.status_code,
        headers=headers(head),
        body=body.content,
        truncated=body.truncated,
    )


def _failed(error: Exception, call: Call, deadline: Deadline) -> Reply:
    kind = next((kind for each, kind in _KINDS if isinstance(error, each)), ErrorKind.CONNECT)
    message = _told(error)
    if kind is ErrorKind.TIMEOUT:
        message = f"no complete answer within {call.timeout_ms} ms ({message})"
    return Reply(duration_ms=deadline.elapsed_ms(), error_kind=kind, error_message=message[:_MAX_MESSAGE])


def _told(error: Exception) -> str:
    if isinstance(error, Invalid):
        return "; ".join(each.message for each in error.errors)
    return fault(error) if isinstance(error, h11.ProtocolError) else str(error)
