"""Waiting for things to become true, and a target with the routes that the tests need."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from cli.target import Answer, Call, Target

T = TypeVar("T")
_POLL_S = 0.05
_METADATA = "http://169.254.169.254/latest/meta-data/"


@contextmanager
def listening() -> Iterator[Target]:
    """/hang keeps its first attempt waiting, /to-metadata redirects to where no run may go, the rest is ok."""
    released = threading.Event()

    def hang(call: Call) -> Answer:
        if call.attempt == 1:
            released.wait(60)
        return Answer()

    with Target({"/hang": hang, "/to-metadata": lambda _: Answer(302, headers=(("Location", _METADATA),))}) as target:
        yield target
        released.set()


def until(look: Callable[[], T | None], within_s: float, what: str) -> T:
    """Poll until `look` gives something true; fails the test after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(_POLL_S)
    raise AssertionError(f"not within {within_s:g} s: {what}")
