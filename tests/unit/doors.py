"""The API of a memory world on a socket, and the command line as a person uses it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from typer.testing import CliRunner

from cli.api import Api
from cli.main import app
from cli.trouble import Trouble
from tests.worlds import MemoryWorld
from tests.wsgi import Wsgi


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


class Door:
    """Commands that reach the world by HTTP. `requests` are those so far, as (method, path); `dies_at` cuts them off."""

    def __init__(self, world: MemoryWorld) -> None:
        self.world, self.wsgi = world, Wsgi(world)
        self.requests: list[tuple[str, str]] = []
        self.dies_after: int | None = None
        self.url = ""

    def rubato(self, *words: str, stdin: str | None = None) -> str:
        """What the command prints; raises Trouble as main would show it."""
        environment = {"RUBATO_URL": self.url, "RUBATO_API_KEY": Wsgi.key}
        done = CliRunner().invoke(app, list(words), env=environment, input=stdin)
        if isinstance(done.exception, Trouble):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.stdout

    def jobs(self) -> list[dict[str, Any]]:
        """What the API lists."""
        with Api(self.url, Wsgi.key) as api:
            return [api.call("GET", f"/jobs/{job['jobId']}") for job in api.every("/jobs")]

    @property
    def writes(self) -> list[tuple[str, str]]:
        """The requests that were no reading."""
        return [each for each in self.requests if each[0] != "GET"]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """WSGI; answers 503 once it is to die."""
        request = (environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix("/v1"))
        if self.dies_after is not None and request[0] != "GET":
            if self.dies_after <= 0:
                start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
                return [b"down"]
            self.dies_after -= 1
        self.requests.append(request)
        return self.wsgi(environ, start_response)


@contextmanager
def opened(world: MemoryWorld) -> Iterator[Door]:
    """Listens on 127.0.0.1 at a port of its own."""
    door = Door(world)
    with make_server("127.0.0.1", 0, door, handler_class=_Quiet) as server:
        door.url = f"http://127.0.0.1:{server.server_port}/v1"
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        serving.start()
        try:
            yield door
        finally:
            server.shutdown()
            serving.join()
