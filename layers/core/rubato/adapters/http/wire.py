"""A connection to one checked address, on which nothing outlasts the deadline."""

import socket
import ssl
from collections.abc import Sequence
from types import TracebackType

from rubato.adapters.http.deadline import Deadline
from rubato.domain.addresses import Address

_CHUNK = 65_536


class Wire:
    """A connected socket, plain or TLS. Close it by leaving its `with` block; unread bytes are thrown away."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def secure(self, context: ssl.SSLContext, name: str) -> None:
        """Speak TLS from here on; SNI and the certificate are about `name`, whatever address we are connected to."""
        self._socket.settimeout(self._deadline.left())  # bounds the whole handshake, not each read of it
        self._socket = context.wrap_socket(self._socket, server_hostname=name)

    def send(self, data: bytes) -> None:
        """Send all of it. `sendall` would grant every TLS record the whole timeout anew."""
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(self._deadline.left())
            rest = rest[self._socket.send(rest[:_CHUNK]) :]

    def receive(self) -> bytes:
        """What has come, at most 64 KiB; empty at the end."""
        self._socket.settimeout(self._deadline.left())
        return self._socket.recv(_CHUNK)


def connect(addresses: Sequence[Address], port: int, deadline: Deadline) -> Wire:
    """Connect to the first address that answers; raises OSError of the last one, TimeoutError at the deadline.

    Each address but the last may use half of the time that is left, so that a dead one doesn't take it all.
    """
    *others, last = addresses
    for address in others:
        try:
            return Wire(_open(address, port, deadline.left() / 2), deadline)
        except OSError:
            deadline.left()
    return Wire(_open(last, port, deadline.left()), deadline)


def _open(address: Address, port: int, timeout_s: float) -> socket.socket:
    opened = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        opened.settimeout(timeout_s)
        opened.connect((str(address), port))
    except BaseException:
        opened.close()
        raise
    return opened
