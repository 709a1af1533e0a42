"""Small real servers on 127.0.0.1 that answer, misbehave or hang exactly as a test says, and how to call them."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, repeat
from typing import Any

from rubato.adapters.http import PinnedOutbound
from rubato.domain.addresses import parse_cidrs
from rubato.domain.exchange import Call, Reply

LOCAL = parse_cidrs("127.0.0.0/8")

Script = Callable[["Connection"], None]


class Connection:
    """One accepted connection, as a script sees it."""

    def __init__(self, accepted: socket.socket, stopped: threading.Event) -> None:
        self.socket = accepted
        self.stopped = stopped

    def read_request(self) -> bytes:
        """Head and body of one request."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (piece := self.socket.recv(65_536)):
                return data
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        while lengths and len(body) < int(lengths[0]):
            body += self.socket.recv(65_536)
        return head + b"\r\n\r\n" + body

    def drip(self, data: bytes) -> None:
        """One byte at a time, until the server is stopped."""
        for byte in data:
            self.socket.sendall(bytes([byte]))
            if self.stopped.wait(0.02):
                return


class Server:
    """What a test looks at: where it listens and which requests have come."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests: list[bytes] = []
        self.connections = 0
        self.broken_off = threading.Event()

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        """A URL that leads here."""
        return f"{scheme}://{host}:{self.port}{path}"


@contextmanager
def serving(*scripts: Script | bytes, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Server]:
    """Serve the n-th connection by the n-th script, the last one for all that follow; bytes are a plain answer."""
    stopped = threading.Event()
    with socket.create_server((host, 0)) as listener:
        server = Server(listener.getsockname()[1])
        accepting = threading.Thread(target=_accept, args=(listener, server, scripts, tls, stopped))
        accepting.start()
        try:
            yield server
        finally:
            stopped.set()
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()


def _accept(
    listener: socket.socket,
    server: Server,
    scripts: tuple[Script | bytes, ...],
    tls: ssl.SSLContext | None,
    stopped: threading.Event,
) -> None:
    workers = []
    with suppress(OSError):
        for script in chain(scripts, repeat(scripts[-1])):
            accepted, _ = listener.accept()
            server.connections += 1
            workers.append(threading.Thread(target=_serve, args=(accepted, server, script, tls, stopped)))
            workers[-1].start()
    for worker in workers:
        worker.join()


def _serve(
    accepted: socket.socket,
    server: Server,
    script: Script | bytes,
    tls: ssl.SSLContext | None,
    stopped: threading.Event,
) -> None:
    with suppress(OSError), accepted:
        accepted.settimeout(10)
        with tls.wrap_socket(accepted, server_side=True) if tls else accepted as secured:
            connection = Connection(secured, stopped)
            try:
                _play(connection, server, script)
            except OSError:
                server.broken_off.set()


def _play(connection: Connection, server: Server, script: Script | bytes) -> None:
    if isinstance(script, bytes):
        server.requests.append(connection.read_request())
        connection.socket.sendall(script)
    else:
        script(connection)


def answer(body: bytes = b"", status: str = "200 OK", *headers: str) -> bytes:
    """A whole answer, framed by its length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def redirect(location: str, status: int = 302) -> bytes:
    """A redirect with a body that nobody should wait for."""
    return f"HTTP/1.1 {status} Go\r\nLocation: {location}\r\nContent-Length: 1000000\r\n\r\nmoved".encode()


def resolver(**answers: str | list[str]) -> Callable[..., list[tuple[Any, ...]]]:
    """A getaddrinfo that knows only these names (`_` for `.`); a list is the answers of one look-up after another."""
    later = {name.replace("_", "."): iter(each) for name, each in answers.items() if isinstance(each, list)}
    fixed = {name.replace("_", "."): each for name, each in answers.items() if isinstance(each, str)}

    def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        text = next(later[host]) if host in later else fixed.get(host)
        if text is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in text.split()]

    return resolve


def send(url: str, outbound: PinnedOutbound | None = None, **call: Any) -> Reply:
    """One call, to local addresses only unless the test brings an outbound of its own."""
    outbound = outbound or PinnedOutbound(LOCAL)
    return outbound.send(Call(**{"method": "GET", "url": url, "timeout_ms": 5_000, **call}))
