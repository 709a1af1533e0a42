"""A small HTTP server on this machine, for runs to call."""

import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, str]

_SLOW_S = 3.0
_FLAKY_ROUND = 8  # of so many calls ...
_FLAKY_FAILURES = range(3, 6)  # ... these fail, in a row, so that backoff shows


class Target:
    """Listens on 127.0.0.1 at a port of its own while used as a context; `calls` counts by path."""

    def __init__(self) -> None:
        self.calls: dict[str, int] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Its base, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Target":
        threading.Thread(target=self._server.serve_forever, name="target", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str) -> Answer:
        """Status and body for a call of the path."""
        with self._lock:
            count = self.calls[path] = self.calls.get(path, 0) + 1
        route = _ROUTES.get(path)
        return route(count) if route else (404, "no such path")


def _ok(_count: int) -> Answer:
    return 200, "ok"


def _slow(_count: int) -> Answer:
    time.sleep(_SLOW_S)
    return 200, "ok, after a while"


def _flaky(count: int) -> Answer:
    return (503, "not now") if count % _FLAKY_ROUND in _FLAKY_FAILURES else (200, "ok, this time")


_ROUTES: Mapping[str, Callable[[int], Answer]] = {"/ok": _ok, "/slow": _slow, "/flaky": _flaky}


def _handler(target: Target) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, text = target.answer(self.path)
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent: the runs tell."""

    return Handler
