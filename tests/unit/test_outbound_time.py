"""The one deadline of the outbound adapter: whatever hangs or drips, the call ends in time."""

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from time import monotonic
from typing import Any

import pytest

from rubato.adapters.http import PinnedOutbound
from rubato.domain.exchange import ErrorKind
from tests.unit.servers import LOCAL, Connection, answer, redirect, resolver, send, serving

UNUSED = 9  # nobody answers on the discard port


@pytest.fixture
def hanging() -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """A name server that never answers, until the test is over."""
    over = threading.Event()

    def resolve(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        over.wait(30)
        return []

    yield resolve
    over.set()


def dripping_head(connection: Connection) -> None:
    connection.read_request()
    connection.drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 5000)


def dripping_body(connection: Connection) -> None:
    connection.read_request()
    connection.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    connection.drip(b"x" * 5000)


def dripping_hints(connection: Connection) -> None:
    connection.read_request()
    connection.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def dripping_gzip(connection: Connection) -> None:
    connection.read_request()
    connection.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
    connection.drip(gzip.compress(b"x")[:10] + b"\x00\x00\x00\xff\xff" * 1000)


def silent(connection: Connection) -> None:
    connection.stopped.wait(10)


@pytest.mark.parametrize("script", [silent, dripping_head, dripping_body, dripping_hints, dripping_gzip])
def test_an_answer_does_not_outlast_the_deadline(script: Callable[[Connection], None]) -> None:
    with serving(script) as server:
        started = monotonic()
        reply = send(server.url(), timeout_ms=300)
        took = monotonic() - started

    assert reply.error_kind is ErrorKind.TIMEOUT
    assert 0.29 <= took < 1.5
    assert 290 <= reply.duration_ms < 1500


def test_a_target_that_reads_nothing_ends_at_the_deadline() -> None:
    with serving(silent) as server:
        started = monotonic()
        reply = send(server.url(), method="POST", body=b"x" * 20_000_000, timeout_ms=300)

    assert reply.error_kind is ErrorKind.TIMEOUT
    assert monotonic() - started < 1.5


def test_a_tls_handshake_that_drips_ends_at_the_deadline() -> None:
    with serving(lambda connection: connection.drip(b"\x16\x03\x03\x40\x00" + b"\0" * 16_384)) as server:
        started = monotonic()
        reply = send(server.url(scheme="https"), timeout_ms=300)

    assert reply.error_kind is ErrorKind.TIMEOUT
    assert monotonic() - started < 2


def test_all_hops_share_one_deadline() -> None:
    def slow(connection: Connection) -> None:
        connection.read_request()
        connection.stopped.wait(0.15)
        connection.socket.sendall(redirect("/again"))

    with serving(slow) as server:
        started = monotonic()
        reply = send(server.url(), timeout_ms=400)

    assert reply.error_kind is ErrorKind.TIMEOUT
    assert monotonic() - started < 1.5


def test_a_name_server_that_hangs_ends_at_the_deadline(hanging: Callable[..., list[tuple[Any, ...]]]) -> None:
    started = monotonic()
    reply = send("http://hanging.example/", PinnedOutbound(LOCAL, hanging), timeout_ms=200)

    assert reply.error_kind is ErrorKind.TIMEOUT
    assert monotonic() - started < 1.5


def test_hanging_look_ups_are_bounded_in_number(hanging: Callable[..., list[tuple[Any, ...]]]) -> None:
    outbound = PinnedOutbound(LOCAL, hanging)
    before = threading.active_count()
    replies = [send("http://hanging.example/", outbound, timeout_ms=1) for _ in range(100)]

    assert {reply.error_kind for reply in replies} == {ErrorKind.TIMEOUT}
    assert threading.active_count() - before <= 64


def test_look_ups_that_end_make_room_for_others() -> None:
    outbound = PinnedOutbound(LOCAL, resolver())

    for _ in range(100):
        assert send("http://no.example/", outbound, timeout_ms=2_000).error_kind is ErrorKind.CONNECT


@pytest.mark.parametrize("timeout_ms", [0, -5])
def test_no_time_at_all_is_a_timeout(timeout_ms: int) -> None:
    assert send(f"http://127.0.0.1:{UNUSED}/", timeout_ms=timeout_ms).error_kind is ErrorKind.TIMEOUT


def test_an_address_that_swallows_connections_leaves_time_for_the_next_one() -> None:
    with serving(answer(b"alive")) as server, socket.socket() as swallowing, ExitStack() as queued:
        swallowing.bind(("127.0.0.77", server.port))
        swallowing.listen(0)
        for _ in range(2):  # once the backlog is full, Linux answers no further SYN
            filler = queued.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.77", server.port))
        outbound = PinnedOutbound(LOCAL, resolver(two_example="127.0.0.77 127.0.0.1"))
        reply = send(server.url(host="two.example"), outbound, timeout_ms=800)

    assert reply.body == b"alive"
    assert reply.duration_ms >= 390
