"""A small HTTP server on this machine, for runs to call; it remembers every call to the millisecond."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

_SLOW_S = 3.0
_FLAKY_ROUND = 8  # of so many calls ...
_FLAKY_FAILURES = range(3, 6)  # ... these fail, in a row, so that backoff shows


@dataclass(frozen=True, slots=True)
class Call:
    """One call: when it came (ms since the epoch), and how Rubato identified it. `count` is from 1 for each path."""

    at: float
    path: str
    slot: int
    run_id: str
    attempt: int
    count: int

    @property
    def lateness_ms(self) -> float:
        """Against the slot, by the clock of the target."""
        return self.at - self.slot


@dataclass(frozen=True, slots=True)
class Answer:
    """What the target says."""

    status: int = 200
    text: str = "ok"
    headers: tuple[tuple[str, str], ...] = ()


Route = Callable[[Call], Answer]


class Target:
    """Listens on 127.0.0.1 at a port of its own while used as a context. Paths without a route of their own are ok."""

    def __init__(self, routes: Mapping[str, Route] | None = None) -> None:
        self.seen: list[Call] = []
        self._routes = _ROUTES if routes is None else routes
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))

    @property
    def url(self) -> str:
        """Its base, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def calls(self, path: str) -> list[Call]:
        """The calls of one path, in the order in which they came."""
        return [call for call in self.seen if call.path == path]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="target", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, headers: Mapping[str, str], method: str = "GET", body: bytes = b"") -> Answer:  # noqa: ARG002 - for targets that look at them
        """Remember the call and answer it."""
        at = time.time() * 1000
        with self._lock:
            count = self._counts[path] = self._counts.get(path, 0) + 1
        slot = datetime.fromisoformat(headers.get("Rubato-Slot") or "1970-01-01T00:00:00Z")
        call = Call(
            at=at,
            path=path,
            slot=round(slot.timestamp() * 1000),
            run_id=headers.get("Rubato-Run-Id") or "",
            attempt=int(headers.get("Rubato-Attempt") or 0),
            count=count,
        )
        self.seen.append(call)
        route = self._routes.get(path)
        return route(call) if route else Answer()


def _slow(_call: Call) -> Answer:
    time.sleep(_SLOW_S)
    return Answer(text="ok, after a while")


def _flaky(call: Call) -> Answer:
    if call.count % _FLAKY_ROUND in _FLAKY_FAILURES:
        return Answer(503, "not now")
    return Answer(text="ok, this time")


_ROUTES: Mapping[str, Route] = {"/slow": _slow, "/flaky": _flaky}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512  # a herd of runs connects within one second


def _handler(target: Target) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = target.answer(self.path, dict(self.headers), self.command, given)
            body = answer.text.encode()
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name that the server looks for

        def log_message(self, format: str, *args: object) -> None:
            """Silent: the runs tell."""

    return Handler
