"""The URL and header policy; addresses have a file of their own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubato.domain.errors import Invalid
from rubato.domain.targets import (
    Refused,
    check_headers,
    check_url,
    mask_headers,
    parse_cidrs,
    redirect_headers,
    redirect_method,
)

EVERYTHING = parse_cidrs("0.0.0.0/0, ::/0")
LOCAL = parse_cidrs("127.0.0.0/8")


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://example.com", "example.com", 443, "/"),
        ("HTTP://Example.COM/A?b=c#fragment", "example.com", 80, "/A?b=c"),
        ("http://example.com.:8080/", "example.com", 8080, "/"),
        ("https://example.com:65535/a%20b?x=%2F&y=@", "example.com", 65535, "/a%20b?x=%2F&y=@"),
        ("https://my_host.example.com?q", "my_host.example.com", 443, "/?q"),
        ("https://xn--bcher-kva.example/ü?ö", "xn--bcher-kva.example", 443, "/%C3%BC?%C3%B6"),
        ("https://8.8.8.8/", "8.8.8.8", 443, "/"),
        ("https://0x08080808/", "8.8.8.8", 443, "/"),
        ("https://[2606:4700:4700:0::1111]:81/{x}", "2606:4700:4700::1111", 81, "/%7Bx%7D"),
        ("https://127.0.0.1.example.com/", "127.0.0.1.example.com", 443, "/"),
        ("https://localhost.example.com/", "localhost.example.com", 443, "/"),
    ],
)
def test_an_ordinary_url_is_taken_apart(url: str, host: str, port: int, path: str) -> None:
    target = check_url(url)

    assert (target.host, target.port, target.path) == (host, port, path)
    assert check_url(target.url) == target


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("http://a.example:80/", "a.example"),
        ("https://a.example:80/", "a.example:80"),
        ("https://[2606:4700::1]:8443/", "[2606:4700::1]:8443"),
    ],
)
def test_the_host_header_leaves_the_default_port_out(url: str, authority: str) -> None:
    assert check_url(url).authority == authority


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.com", "//example.com/", "ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)"),
        *("gopher://127.0.0.1:6379/_", "https:", "https://", "https:///path", "https:/example.com", "http:example.com"),
        *("https://user@example.com/", "https://user:pass@example.com/", "https://@example.com/"),
        *("https://example.com@127.0.0.1/", "https://127.0.0.1#@example.com/", "https://127.0.0.1\\@example.com/"),
        *("https://example.com\\.evil.example/", "https:\\\\127.0.0.1/"),
        *("https://example.com:0/", "https://example.com:65536/", "https://example.com:-1/", "https://example.com:/"),
        *("https://example.com:99999999/", "https://example.com:8o/", "https://example.com:80:80/"),
        *(" https://example.com/", "https://example.com/ ", "https://example.com/a b", "https://exa mple.com/"),
        *("https://example.com/\n", "ht\ntps://example.com/", "https://exa\tmple.com/", "https://example.com/\x00"),
        *("https://example.com/\x7f", "https://example.com/\u2028", "https://example.com/\u200b", "\ud800"),
        "https://example.com/\ud800",
        *("https://%31%32%37.0.0.1/", "https://127.0.0.1%00.example.com/", "https://exa%6dple.com/"),
        *("https://١٢٧.0.0.1/", "https://127。0。0。1/", "https://ⓛocalhost/"),
        *("https://\uff11\uff12\uff17.0.0.1/", "https://bücher.example/"),
        *("https://[::1", "https://::1/", "https://[]/", "https://[::1]x/", "https://[fe80::1%25eth0]/"),
        "https://[v1.x]/",
        *("https://[1.2.3.4]/", "https://[::ffff:127.0.0.1]/", "https://[::]/", "https://[0:0:0:0:0:0:0:1]/"),
        *("https://256.1.1.1/", "https://1.2.3.4.5/", "https://4294967296/", "https://08.0.0.1/", "https://foo.1/"),
        *("https://1.2.3.256/", "https://0x/", "https://1_0.0.0.1/", "https://-1.1/", "https://+127.0.0.1/"),
        *("https://127.0.0.1../", "https://a..example/", "https://./", "https://.example.com/", "https://a,b.example/"),
        *(f"https://{'a' * 64}.example/", f"https://{'a.' * 127}example/", "https://example.com/" + "a" * 2029),
        *("http://0/", "http://127.1/", "http://127.0.1/", "http://017700000001/", "http://2130706433/"),
        "http://0X7F.1/",
        *("http://localhost/", "http://LOCALHOST./", "http://foo.localhost/", "http://localhost.localdomain/"),
        *("http://printer.local/", "http://db.internal/", "http://metadata.google.internal/", "http://nas.home.arpa/"),
    ],
)
def test_an_unusable_url_is_refused_with_its_field_and_a_remedy(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_url(url)

    (error,) = caught.value.errors
    assert error.path == "request.url"
    assert error.message


@given(st.text(max_size=80).map("http://".__add__) | st.text(max_size=80))
def test_no_text_whatever_makes_the_check_fail_otherwise(text: str) -> None:
    try:
        target = check_url(text, EVERYTHING)
    except Invalid:
        return
    assert check_url(target.url, EVERYTHING) == target


@pytest.mark.parametrize("host", ["localhost", "api.localhost", "127.0.0.1", "127.1", "0x7f000001", "2130706433"])
def test_an_opened_loopback_range_opens_localhost_names_and_literals(host: str) -> None:
    assert check_url(f"http://{host}:8080/", LOCAL).port == 8080


def test_an_opened_range_elsewhere_leaves_localhost_refused() -> None:
    with pytest.raises(Refused):
        check_url("http://localhost/", parse_cidrs("10.0.0.0/8"))


def test_names_inside_a_network_can_be_saved_once_a_range_is_opened_but_never_the_metadata_name() -> None:
    assert check_url("http://db.internal/", parse_cidrs("10.0.0.0/8")).host == "db.internal"
    with pytest.raises(Refused):
        check_url("http://metadata.google.internal./", EVERYTHING)


@pytest.mark.parametrize(
    "name",
    [
        *("Idempotency-Key", "RUBATO-RUN-ID", "Rubato-Attempt", "rubato-slot", "Host", "content-length"),
        *("Transfer-Encoding", "Connection", "TE", "Upgrade", "Trailer", "Keep-Alive", "Proxy-Connection", "Expect"),
        *("", "a b", "a:b", "ä", "a\r\nb", "a\x00"),
    ],
)
def test_a_header_that_is_not_the_users_to_set_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_headers(((name, "x"),))

    assert caught.value.errors[0].path == f"request.headers.{name}"


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\x00b", "\x7f", "a\x1bb", " a", "a\t", "€", "\ud800", "\x85"])
def test_a_header_value_that_http_cannot_carry_is_refused(value: str) -> None:
    with pytest.raises(Invalid, match=r"request\.headers\.X-Note"):
        check_headers((("X-Note", value),))


def test_ordinary_headers_pass() -> None:
    check_headers(
        (
            ("User-Agent", "mine/1"),
            ("Authorization", "Bearer abc"),
            ("X-Empty", ""),
            ("X-Note", "tab\tand caf\xe9"),
            ("X-Stars", "***"),
        )
    )


def test_every_broken_header_is_named_duplicates_and_returned_masks_included() -> None:
    with pytest.raises(Invalid) as caught:
        check_headers((("X-A", "1"), ("x-a", "2"), ("X-Api-Key", "***"), ("Host", "h"), ("Accept", "*/*")))

    assert [error.path.removeprefix("request.headers.") for error in caught.value.errors] == [
        "x-a",
        "X-Api-Key",
        "Host",
    ]


def test_secret_headers_are_masked_whatever_their_case() -> None:
    secret = ("Authorization", "COOKIE", "Set-Cookie", "x-api-key", "X-Auth-Token", "client_SECRET", "Idempotency-Key")

    assert mask_headers(tuple((name, "s3cret") for name in secret)) == tuple((name, "***") for name in secret)
    assert mask_headers((("Accept", "*/*"), ("X-Cookies", "1"))) == (("Accept", "*/*"), ("X-Cookies", "1"))


@pytest.mark.parametrize(
    ("origin", "elsewhere"),
    [
        ("https://a.example/1", "https://b.example/1"),
        ("https://a.example/1", "http://a.example/1"),
        ("https://a.example/1", "https://a.example:444/1"),
        ("https://a.example/1", "https://sub.a.example/1"),
    ],
)
def test_another_origin_gets_no_credentials_but_learns_the_run(origin: str, elsewhere: str) -> None:
    headers = (
        ("authorization", "a"),
        ("Cookie", "b"),
        ("X-API-Key", "c"),
        ("X-Session-Token", "d"),
        ("Proxy-Authorization", "e"),
        ("Idempotency-Key", "run"),
        ("Accept", "*/*"),
    )

    assert redirect_headers(headers, origin, elsewhere) == (("Idempotency-Key", "run"), ("Accept", "*/*"))


def test_the_same_origin_keeps_its_credentials_however_it_is_written() -> None:
    headers = (("Authorization", "a"),)

    assert redirect_headers(headers, "https://a.example/1", "https://A.example:443/2") == headers


@pytest.mark.parametrize(
    ("method", "status", "then"),
    [
        *(("POST", status, "GET") for status in (301, 302, 303)),
        *(("POST", status, "POST") for status in (307, 308)),
        *((method, 303, "GET") for method in ("GET", "PUT", "PATCH", "DELETE")),
        *((method, 302, method) for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE")),
        ("HEAD", 303, "HEAD"),
    ],
)
def test_a_redirect_changes_the_method_as_rfc_9110_says(method: str, status: int, then: str) -> None:
    assert redirect_method(method, status) == then
