"""The outbound adapter where targets are hostile: rebinding, redirects, certificates."""

import ssl
from typing import Any

import pytest
import trustme

from rubato.adapters.http import PinnedOutbound
from rubato.domain.addresses import parse_cidrs
from rubato.domain.exchange import ErrorKind
from tests.unit.servers import LOCAL, Connection, answer, redirect, resolver, send, serving

SECRETS = (("Authorization", "Bearer s"), ("Cookie", "c=s"), ("X-Api-Key", "s"), ("Idempotency-Key", "run"))


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fe80::1%lo", "fd00:ec2::254", "0.0.0.0"],
)
def test_a_name_that_leads_inside_is_blocked(address: str) -> None:
    reply = send("http://inside.example/", PinnedOutbound((), resolver(inside_example=address)))

    assert reply.error_kind is ErrorKind.BLOCKED


def test_one_refused_address_among_good_ones_blocks_the_name() -> None:
    with serving(answer()) as server:
        outbound = PinnedOutbound(LOCAL, resolver(mixed_example="127.0.0.1 10.0.0.1"))
        reply = send(server.url(host="mixed.example"), outbound)

    assert reply.error_kind is ErrorKind.BLOCKED
    assert server.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "localhost", "[::ffff:127.0.0.1]"])
def test_a_literal_that_was_saved_when_ranges_were_open_is_blocked_at_the_call(host: str) -> None:
    assert send(f"http://{host}/", PinnedOutbound()).error_kind is ErrorKind.BLOCKED


def test_opened_ranges_never_reach_the_metadata_service() -> None:
    outbound = PinnedOutbound(parse_cidrs("0.0.0.0/0,::/0"), resolver(meta_example="169.254.169.254"))

    assert send("http://meta.example/latest", outbound).error_kind is ErrorKind.BLOCKED
    assert send("http://169.254.169.254/latest", outbound).error_kind is ErrorKind.BLOCKED


def test_a_name_that_changes_its_mind_is_called_at_the_checked_address_only() -> None:
    with serving(answer(b"pinned")) as server:
        outbound = PinnedOutbound(LOCAL, resolver(rebind_example=["127.0.0.1", "10.0.0.1"]))
        first = send(server.url(host="rebind.example"), outbound)
        second = send(server.url(host="rebind.example"), outbound)

    assert first.body == b"pinned"
    assert f"Host: rebind.example:{server.port}".encode() in server.requests[0]
    assert second.error_kind is ErrorKind.BLOCKED
    assert server.connections == 1


def test_every_hop_is_looked_up_and_checked_again() -> None:
    with serving(redirect("/second")) as server:
        outbound = PinnedOutbound(LOCAL, resolver(rebind_example=["127.0.0.1", "169.254.169.254"]))
        reply = send(server.url(host="rebind.example"), outbound)

    assert reply.error_kind is ErrorKind.BLOCKED
    assert server.connections == 1


@pytest.mark.parametrize(
    "location",
    [
        *(
            "http://169.254.169.254/latest/meta-data",
            "//169.254.169.254/",
            "http://[fd00:ec2::254]/",
            "http://0xa9fea9fe/",
        ),
        *(
            "http://10.0.0.1/",
            "file:///etc/passwd",
            "ftp://example.com/",
            "gopher://127.0.0.1/",
            "http://u:p@127.0.0.1/",
        ),
        *("http://[::1", "http://127.0.0.1:99999/", "http://inside.example/", "http:\\\\127.0.0.1/"),
    ],
)
def test_a_redirect_to_where_no_call_may_go_is_blocked(location: str) -> None:
    with serving(redirect(location), answer()) as server:
        reply = send(server.url(), PinnedOutbound(LOCAL, resolver(inside_example="10.0.0.1")))

    assert reply.error_kind is ErrorKind.BLOCKED
    assert reply.error_message
    assert server.connections == 1


@pytest.mark.parametrize(
    ("location", "path"),
    [("next?a=b", "/dir/next?a=b"), ("/abs#x", "/abs"), ("?q", "/dir/page?q"), ("/a b/ü", "/a%20b/%C3%BC")],
)
def test_a_relative_redirect_is_followed_without_waiting_for_its_body(location: str, path: str) -> None:
    with serving(redirect(location), answer(b"there")) as server:
        reply = send(server.url("/dir/page"))

    assert (reply.status_code, reply.body) == (200, b"there")
    assert server.requests[1].startswith(f"GET {path} HTTP/1.1\r\n".encode())


def test_redirects_are_answers_when_they_are_not_to_be_followed() -> None:
    with serving(answer(b"moved", "302 Found", "Location: /elsewhere")) as server:
        reply = send(server.url(), follow_redirects=False)

    assert (reply.status_code, reply.body) == (302, b"moved")
    assert server.connections == 1


@pytest.mark.parametrize("status", ["300 Multiple Choices", "304 Not Modified", "301 Moved Permanently"])
def test_a_redirect_that_leads_nowhere_is_an_answer(status: str) -> None:
    with serving(answer(b"", status)) as server:
        assert send(server.url()).status_code == int(status[:3])


def test_a_redirect_loop_ends_after_five_hops_with_the_last_status() -> None:
    with serving(answer(b"round", "302 Found", "Location: /again")) as server:
        reply = send(server.url())

    assert (reply.status_code, reply.body, reply.error_kind) == (302, b"round", None)
    assert server.connections == 6


def test_five_hops_are_followed() -> None:
    with serving(*[redirect("/again", 307)] * 5, answer(b"at last")) as server:
        assert send(server.url(), method="PUT", body=b"x").body == b"at last"

    assert [request[:4] for request in server.requests] == [b"PUT "] * 6
    assert {request[-1:] for request in server.requests} == {b"x"}


def test_a_redirect_that_turns_a_post_into_a_get_drops_the_body() -> None:
    with serving(redirect("/see", 303), answer()) as server:
        send(server.url(), method="POST", body=b"{}", headers=(("Content-Type", "application/json"), ("X-A", "1")))

    request = server.requests[1]
    assert request.startswith(b"GET /see ")
    assert b"X-A: 1" in request
    assert b"content-" not in request.lower()
    assert request.endswith(b"\r\n\r\n")


def test_a_body_with_a_secret_that_was_left_behind_holds_up_no_later_redirect() -> None:
    with serving(answer(b"there")) as other, serving(redirect("/next", 303), redirect(other.url(), 307)) as first:
        confidential: dict[str, Any] = {"body": b"secret", "confidential_body": True}
        reply = send(first.url(), method="POST", **confidential)
        blocked = send(first.url(), method="POST", **confidential)

    assert (reply.status_code, reply.body) == (200, b"there")
    assert blocked.error_kind is ErrorKind.BLOCKED
    assert other.requests[0].startswith(b"GET") and b"secret" not in other.requests[0]


@pytest.mark.parametrize("location", ["http://hunter2.internal/", "//10.0.0.1/hunter2", "http://[hunter2]/", "//a:0/"])
def test_a_call_with_a_bound_secret_is_not_told_where_else_a_target_would_have_it_go(location: str) -> None:
    with serving(redirect(location)) as server:
        reply = send(server.url(), bound=((f"http://127.0.0.1:{server.port}",),))

    assert reply.error_kind is ErrorKind.BLOCKED
    assert reply.error_message in (
        "the target redirects to where a secret of the call may not go",
        "the target redirects to what is no URL",
    )


def test_credentials_stay_within_their_origin_and_do_not_come_back() -> None:
    with serving(answer()) as home, serving(redirect(home.url("/back", host="a.example"))) as elsewhere:
        to_elsewhere = redirect(elsewhere.url(host="b.example"))
        with serving(redirect("/same"), to_elsewhere) as start:
            outbound = PinnedOutbound(LOCAL, resolver(a_example="127.0.0.1", b_example="127.0.0.1"))
            send(start.url(host="a.example"), outbound, headers=SECRETS)

    for request in start.requests:
        assert b"Bearer s" in request and b"c=s" in request and b"X-Api-Key: s" in request
    for request in (*elsewhere.requests, *home.requests):
        assert not any(name in request for name in (b"Authorization", b"Cookie", b"X-Api-Key"))
        assert b"Idempotency-Key: run" in request


def test_cookies_that_a_target_sets_are_not_sent_to_the_next_hop() -> None:
    first = b"HTTP/1.1 302 Go\r\nLocation: /next\r\nSet-Cookie: a=b\r\n\r\n"
    with serving(first, answer()) as server:
        send(server.url())

    assert b"cookie" not in server.requests[1].lower()


def test_proxies_in_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving(answer(b"direct")) as server:
        assert send(server.url()).body == b"direct"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def contexts(authority: trustme.CA, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert(*names).configure_cert(server)
    authority.configure_trust(client)
    return server, client


def test_tls_is_about_the_name_while_the_connection_goes_to_the_checked_address(authority: trustme.CA) -> None:
    tls, trust = contexts(authority, "secure.example")
    asked: list[Any] = []
    tls.sni_callback = lambda _, name, __: asked.append(name)
    with serving(answer(b"secret"), tls=tls) as server:
        outbound = PinnedOutbound(LOCAL, resolver(secure_example="127.0.0.1"), ssl_context=trust)
        reply = send(server.url(host="secure.example", scheme="https"), outbound)

    assert (reply.status_code, reply.body) == (200, b"secret")
    assert asked == ["secure.example"]
    assert f"Host: secure.example:{server.port}".encode() in server.requests[0]


def test_tls_to_a_literal_address_is_about_that_address(authority: trustme.CA) -> None:
    tls, trust = contexts(authority, "127.0.0.1")
    with serving(answer(b"secret"), tls=tls) as server:
        outbound = PinnedOutbound(LOCAL, ssl_context=trust)
        assert send(server.url(scheme="https"), outbound).body == b"secret"


@pytest.mark.parametrize("name", ["other.example", "127.0.0.1"])
def test_a_certificate_for_another_name_is_a_connect_error(authority: trustme.CA, name: str) -> None:
    tls, trust = contexts(authority, name)
    with serving(answer(b"secret"), tls=tls) as server:
        outbound = PinnedOutbound(LOCAL, resolver(secure_example="127.0.0.1"), ssl_context=trust)
        reply = send(server.url(host="secure.example", scheme="https"), outbound)

    assert reply.error_kind is ErrorKind.CONNECT
    assert reply.error_message and "certificate" in reply.error_message
    assert not server.requests


def test_an_unknown_authority_is_a_connect_error(authority: trustme.CA) -> None:
    tls, _ = contexts(authority, "127.0.0.1")
    with serving(answer(b"secret"), tls=tls) as server:
        reply = send(server.url(scheme="https"))

    assert reply.error_kind is ErrorKind.CONNECT
    assert not server.requests


def test_tls_to_a_server_that_speaks_plain_http_is_a_connect_error() -> None:
    def plain(connection: Connection) -> None:
        connection.socket.sendall(answer(b"", "400 Bad Request"))
        connection.socket.recv(65_536)

    with serving(plain) as server:
        assert send(server.url(scheme="https")).error_kind is ErrorKind.CONNECT
