"""The outbound adapter against real sockets: what it sends, and what it makes of an answer."""

import gzip
import socket
import threading
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rubato.adapters.http import PinnedOutbound
from rubato.domain.exchange import ErrorKind, Reply
from tests.unit.servers import LOCAL, Connection, answer, resolver, send, serving


def test_a_target_receives_the_request_and_its_answer_comes_back() -> None:
    with serving(answer(b'{"ok":true}', "201 Created", "X-Thing: caf\xe9")) as server:
        reply = send(server.url("/a?b=c#d"), method="POST", headers=(("User-Agent", "Rubato/1"),), body=b"hello")

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /a?b=c HTTP/1.1"
    assert sorted(lines[1:]) == [
        "Accept-Encoding: gzip, deflate",
        "Accept: */*",
        "Connection: close",
        "Content-Length: 5",
        f"Host: 127.0.0.1:{server.port}",
        "User-Agent: Rubato/1",
    ]
    assert body == b"hello"
    assert (reply.status_code, reply.body, reply.truncated) == (201, b'{"ok":true}', False)
    assert ("x-thing", "caf\xe9") in reply.headers
    assert reply.error_kind is None


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified", "404 Not Found", "503 Service Unavailable"])
def test_every_status_is_an_answer_not_an_error(status: str) -> None:
    with serving(answer(b"", status)) as server:
        reply = send(server.url())

    assert (reply.status_code, reply.error_kind) == (int(status[:3]), None)


def test_head_has_no_body_whatever_its_content_length_says() -> None:
    with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n") as server:
        reply = send(server.url(), method="HEAD")

    assert (reply.status_code, reply.body) == (200, b"")


def test_a_post_without_a_body_says_so() -> None:
    with serving(answer()) as server:
        send(server.url(), method="POST")

    assert b"Content-Length: 0\r\n" in server.requests[0]


def test_user_headers_win_over_the_defaults() -> None:
    with serving(answer()) as server:
        send(server.url(), headers=(("accept", "text/plain"), ("Accept-Encoding", "identity")))

    assert server.requests[0].lower().count(b"\r\naccept:") == 1
    assert b"gzip" not in server.requests[0]


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3;x=y\r\ndef\r\n0\r\nT: 1\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer(b"abcdef"),
        b"HTTP/1.0 200 OK\r\n\r\nabcdef",
        b"HTTP/1.1 200\r\nConnection: close\r\n\r\nabcdef",
    ],
)
def test_every_framing_of_a_body_is_understood(raw: bytes) -> None:
    with serving(raw) as server:
        assert send(server.url()).body == b"abcdef"


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b"hello" * 100, mtime=0)),
        ("X-GZIP", gzip.compress(b"hello" * 100, mtime=0)),
        ("deflate", zlib.compress(b"hello" * 100)),
        ("deflate", zlib.compress(b"hello" * 100, wbits=-15)),
        ("identity", b"hello" * 100),
        ("br", b"hello" * 100),
    ],
)
def test_a_body_is_decoded_if_rubato_asked_for_its_coding(coding: str, body: bytes) -> None:
    with serving(answer(body, "200 OK", f"Content-Encoding: {coding}")) as server:
        assert send(server.url()).body == b"hello" * 100


@pytest.mark.parametrize(("size", "kept", "truncated"), [(99, 99, False), (100, 100, False), (101, 100, True)])
def test_a_body_is_cut_at_the_limit_and_says_so(size: int, kept: int, truncated: bool) -> None:
    with serving(answer(b"x" * size)) as server:
        reply = send(server.url(), max_response_bytes=100)

    assert (len(reply.body), reply.truncated, reply.status_code) == (kept, truncated, 200)


def test_an_endless_answer_is_left_once_the_limit_is_reached() -> None:
    def endless(connection: Connection) -> None:
        connection.read_request()
        connection.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000000\r\n\r\n")
        while not connection.stopped.is_set():
            connection.socket.sendall(b"x" * 65_536)

    with serving(endless) as server:
        reply = send(server.url(), max_response_bytes=1000)
        assert server.broken_off.wait(5)

    assert (reply.status_code, len(reply.body), reply.truncated) == (200, 1000, True)


def test_a_gzip_bomb_costs_no_more_than_the_limit() -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, compresslevel=1)
    with serving(answer(bomb, "200 OK", "Content-Encoding: gzip")) as server:
        tracemalloc.start()
        reply = send(server.url(), max_response_bytes=65_536)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert (reply.status_code, len(reply.body), reply.truncated) == (200, 65_536, True)
    assert peak < 4_000_000


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"\x16\x03\x01\x02", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 2000 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nNo"),
        *(b"HTTP/2.0 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nbroken header\r\n\r\n", b"HTTP/1.1 200 OK\r\nA\x00: b\r\n\r\n"),
        *(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 5000,
        answer(b"not gzip", "200 OK", "Content-Encoding: gzip"),
        answer(b"\xffnot deflate", "200 OK", "Content-Encoding: deflate"),
    ],
)
def test_a_broken_answer_is_a_connect_error(raw: bytes) -> None:
    with serving(raw) as server:
        reply = send(server.url())

    assert (reply.status_code, reply.error_kind) == (None, ErrorKind.CONNECT)
    assert reply.error_message


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"HTTP/9 swordfish\xfc\r\n\r\n", "illegal status line"),
        (b"HTTP/1.1 200 OK\r\nswordfish\xfc\r\n\r\n", "illegal header line"),
        (b"HTTP/1.1 200 OK\r\nA: swordfish\x00\r\n\r\n", "illegal header line"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nswordfish\r\n", "illegal chunk header"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxswordfish\r\n", "malformed chunk footer"),
    ],
)
def test_the_error_of_a_broken_answer_says_what_is_wrong_and_repeats_nothing_of_it(raw: bytes, why: str) -> None:
    with serving(raw) as server:
        reply = send(server.url())

    assert reply.error_message == f"the answer is broken: {why}"


def test_a_flood_of_headers_is_cut_off() -> None:
    def flood(connection: Connection) -> None:
        connection.read_request()
        connection.socket.sendall(b"HTTP/1.1 200 OK\r\n")
        while not connection.stopped.is_set():
            connection.socket.sendall(b"X-Flood: " + b"x" * 1000 + b"\r\n")

    with serving(flood) as server:
        reply = send(server.url())
        assert server.broken_off.wait(5)

    assert reply.error_kind is ErrorKind.CONNECT


def test_an_answer_that_comes_before_the_whole_body_was_read_counts() -> None:
    def hasty(connection: Connection) -> None:
        connection.socket.recv(10)
        connection.socket.sendall(answer(b"too big", "413 Content Too Large"))  # and hang up on the rest

    with serving(hasty) as server:
        reply = send(server.url(), method="POST", body=b"x" * 20_000_000)

    assert (reply.status_code, reply.body) == (413, b"too big")


def test_a_refused_port_is_a_connect_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening
        reply = send(f"http://127.0.0.1:{taken.getsockname()[1]}/")

    assert reply.error_kind is ErrorKind.CONNECT


def test_an_unknown_name_is_a_connect_error() -> None:
    assert send("http://no.example/", PinnedOutbound(LOCAL, resolver())).error_kind is ErrorKind.CONNECT
    assert send("http://no.example/", PinnedOutbound(LOCAL, lambda *_, **__: [])).error_kind is ErrorKind.CONNECT


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ({"url": "http://exa mple.com/"}, ErrorKind.CONFIG),
        ({"url": "nonsense:"}, ErrorKind.BLOCKED),
        ({"method": "BREW"}, ErrorKind.CONFIG),
        ({"method": "GET /x HTTP/1.1\r\n"}, ErrorKind.CONFIG),
        ({"headers": (("X", "a\r\nY: b"),)}, ErrorKind.CONFIG),
        ({"headers": (("X Y", "a"),)}, ErrorKind.CONFIG),
        ({"headers": (("X", "€"),)}, ErrorKind.CONFIG),
        ({"headers": (("Host", "evil.example"),)}, ErrorKind.CONFIG),
        ({"headers": (("transfer-encoding", "chunked"),)}, ErrorKind.CONFIG),
    ],
)
def test_a_request_that_cannot_be_made_never_leaves(call: dict[str, Any], kind: ErrorKind) -> None:
    with serving(answer()) as server:
        reply = send(**{"url": server.url(), **call})

    assert reply.error_kind is kind
    assert server.connections == 0


def test_many_threads_share_one_outbound() -> None:
    outbound = PinnedOutbound(LOCAL, resolver(a_example="127.0.0.1"))
    replies: dict[int, Reply] = {}

    def echo(connection: Connection) -> None:
        path = connection.read_request().split(b" ")[1]
        connection.socket.sendall(answer(path))

    with serving(echo) as server:

        def one(number: int) -> None:
            replies[number] = send(server.url(f"/{number}", host="a.example"), outbound)

        threads = [threading.Thread(target=one, args=(number,)) for number in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert {number: reply.body for number, reply in replies.items()} == {n: b"/%d" % n for n in range(40)}


PIECES = (
    *(b"HTTP/1.1 ", b"200 OK", b"302 Go", b"\r\n", b": ", b"\x00", b"Content-Length: 5", b"Transfer-Encoding: chunked"),
    *(b"Location: ", b"http://[", b"//", b"5\r\nhello", b"0\r\n\r\n", b"Content-Encoding: gzip", b"\x1f\x8b"),
)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=12).map(b"".join))
def test_no_answer_whatever_makes_the_call_raise(raw: bytes) -> None:
    with serving(b"HTTP/1.1 302 Go\r\n" + raw, raw) as server:
        reply = send(server.url(), timeout_ms=2_000)

    assert (reply.status_code is None) != (reply.error_kind is None)
