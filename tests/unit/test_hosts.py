"""Which hosts a secret may be bound to, and which targets are among them."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubato.domain.errors import Invalid
from rubato.domain.hosts import ANYWHERE, MAX_HOSTS, permits, read_hosts, told
from rubato.domain.targets import read_url

READ = [
    ("api.example.com", "api.example.com"),
    ("API.Example.COM", "api.example.com"),
    ("HTTPS://Api.Example.com", "api.example.com"),
    ("api.example.com.", "api.example.com"),
    ("api.example.com:443", "api.example.com"),
    ("api.example.com:8443", "api.example.com:8443"),
    ("http://api.example.com", "http://api.example.com"),
    ("http://api.example.com:80", "http://api.example.com"),
    ("http://api.example.com:443", "http://api.example.com:443"),
    ("*.example.com", "*.example.com"),
    ("http://*.Example.com:8080", "http://*.example.com:8080"),
    ("*.shop.example.co.uk", "*.shop.example.co.uk"),
    ("münchen.example", "xn--mnchen-3ya.example"),
    ("MÜNCHEN.example:81", "xn--mnchen-3ya.example:81"),
    ("XN--MNCHEN-3YA.example", "xn--mnchen-3ya.example"),
    ("*.пример.рф", "*.xn--e1afmkfd.xn--p1ai"),
    ("8.8.8.8", "8.8.8.8"),
    ("0x08080808", "8.8.8.8"),
    ("[2001:DB8:0::1]:8443", "[2001:db8::1]:8443"),
    ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ("localhost", "localhost"),
]
UNREADABLE = [
    "", " ", "a b", "api.example.com/", "api.example.com/path", "api.example.com?x", "api.example.com#x",
    "user@api.example.com", "user:word@api.example.com", "api.example.com@evil.example", "ftp://api.example.com",
    "//api.example.com", "https://https://api.example.com", "api.example.com:", "api.example.com:0",
    "api.example.com:65536", "api.example.com:+80", "a..b", ".example.com", "exa*mple.com", "*example.com",
    "api.*.example.com", "*.*.example.com", "*.", "**", "*", "http://*", "*:443", "[::1", "2001:db8::1", "1.2.3.4.5",
    "api.example.com\n", "api.example.com\tevil", "api.example.com, evil.example", "api\\evil.example", "a\0b.example",
    "{{secret:HOST}}.example.com", "x" * 64 + ".example", "*.8.8.8.8", "*.[2001:db8::1]",
    # Names that come out as another name than was written.
    "faß.example", "\uff45xample.com", "example。com", "a\u200db.example", "ex\u00adample.com", "Ⅷ.example",
]  # fmt: skip
ANYBODYS = [
    "*.com", "*.dev", "*.localhost", "*.co.uk", "*.com.au", "*.or.jp", "*.CO.UK:8443", "http://*.com", "*.com.",
    "*.amazonaws.com", "*.execute-api.eu-central-1.amazonaws.com", "*.lambda-url.eu-central-1.on.aws", "*.workers.dev",
    "*.blob.core.windows.net", "*.a.run.app", "*.github.io", "*.ngrok-free.app",
    "*.blogspot.com", "*.storage.googleapis.com", "*.supabase.co", "*.azurecontainerapps.io", "*.ondigitalocean.app",
    "*.euw.devtunnels.ms", "*.app.github.dev", "*.duckdns.org", "*.me.uk", "*.ltd.uk", "*.plc.uk", "*.k12.ca.us",
    "*.xn--p1ai", "*.рф", "*.公司.cn", "*.herokuapp.com", "*.vercel.app", "*.web.app", "*.s3.amazonaws.com.cn", "*.ck",
]  # fmt: skip
OWNED = [
    "*.example.com",
    "*.example.co.uk",
    "*.shop.example.co.jp",
    "*.me.github.io",
    "*.www.ck",
    "*.example.unknowntld",
]


@pytest.mark.parametrize(("text", "kept"), READ)
def test_a_host_has_one_spelling_in_which_it_is_kept_and_read_again(text: str, kept: str) -> None:
    assert read_hosts([text]) == (kept,) == read_hosts([kept])


@pytest.mark.parametrize("text", [each for each in UNREADABLE if each != "*"] + ANYBODYS)
def test_what_is_no_host_or_would_let_anybody_in_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_hosts(["api.example.com", text])
    assert [each.path for each in refused.value.errors] == ["hosts.1"]


@pytest.mark.parametrize("text", OWNED)
def test_what_is_below_a_domain_of_one_owner_is_kept(text: str) -> None:
    assert read_hosts([text]) == (text,)


def test_the_list_of_suffixes_is_read_only_for_who_binds_to_a_whole_domain() -> None:
    program = (
        "import sys\n"
        "from rubato.domain.hosts import permits, read_hosts\n"
        "from rubato.domain.targets import read_url\n"
        "assert permits(('*.example.com',), read_url('https://a.example.com/')) and read_hosts(['api.example.com'])\n"
        "sys.exit('publicsuffixlist' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_any_host_stands_alone_and_a_list_has_bounds_and_each_host_once() -> None:
    assert read_hosts(["*"]) == ANYWHERE
    assert read_hosts(["b.example", "a.example", "B.example.", "https://a.example:443"]) == ("b.example", "a.example")
    for wrong in ([], ["*", "a.example"], ["*", "*"], [f"h{n}.example" for n in range(MAX_HOSTS + 1)]):
        with pytest.raises(Invalid):
            read_hosts(wrong)
    assert told([f"h{n}.example" for n in range(7)]).endswith("h4.example and 2 more")


EXACT, BELOW = "example.com", "*.example.com"
AMONG = [
    (EXACT, "https://example.com/", True),
    (EXACT, "https://EXAMPLE.com:443/x?y", True),
    (EXACT, "HTTPS://example.com./", True),
    (EXACT, "https://example.com", True),
    (EXACT, "http://example.com/", False),
    (EXACT, "https://example.com:8443/", False),
    (EXACT, "https://www.example.com/", False),
    (EXACT, "https://evil-example.com/", False),
    (EXACT, "https://evilexample.com/", False),
    (EXACT, "https://example.com.evil.com/", False),
    (EXACT, "https://example.com-evil.com/", False),
    (EXACT, "https://evil.com/example.com", False),
    (EXACT, "https://evil.com/?https://example.com/", False),
    (EXACT, "https://evil.com#@example.com/", False),
    (EXACT, "https://xn--exmple-cua.com/", False),
    (EXACT, "https://8.8.8.8/", False),
    (BELOW, "https://a.example.com/", True),
    (BELOW, "https://a.b.EXAMPLE.com./", True),
    (BELOW, "https://example.com/", False),
    (BELOW, "https://evil-example.com/", False),
    (BELOW, "https://a.example.com.evil.com/", False),
    (BELOW, "https://a.example.com:8443/", False),
    (BELOW, "http://a.example.com/", False),
    ("*.example.com:8443", "https://a.example.com:8443/", True),
    ("*.example.com:8443", "https://a.example.com/", False),
    ("example.com:8443", "https://example.com:8443/", True),
    ("example.com:8443", "https://example.com/", False),
    ("http://example.com", "http://example.com/", True),
    ("http://example.com", "https://example.com/", False),
    ("http://example.com:443", "https://example.com/", False),
    ("http://*.example.com", "http://a.example.com/", True),
    ("http://*.example.com", "https://a.example.com/", False),
    ("münchen.example", "https://xn--mnchen-3ya.example/", True),
    ("8.8.8.8", "https://8.8.8.8/", True),
    ("8.8.8.8", "https://0x8.0x8.0x8.010/", True),
    ("8.8.8.8", "https://8.8.8.9/", False),
    ("8.8.8.8", "https://[::ffff:8.8.8.8]/", False),
    ("[2001:db8::1]", "https://[2001:DB8:0:0::1]/", True),
    ("*", "http://anything.example:81/", True),
]


@pytest.mark.parametrize(("host", "url", "among"), AMONG)
def test_a_target_is_among_the_hosts_or_it_is_not(host: str, url: str, among: bool) -> None:
    assert permits(read_hosts([host]), read_url(url)) is among
    assert permits(("other.example", *read_hosts([host])), read_url(url)) is among


def test_among_no_hosts_is_nothing() -> None:
    assert not permits((), read_url("https://example.com/"))
    assert not permits(("*.8.8.8",), read_url("https://8.8.8.8/"))


@given(st.text(max_size=40) | st.text("*.:/@#?\\[]ab1xn-ß。", max_size=20))
def test_no_text_whatever_makes_reading_fail_otherwise_and_what_is_read_names_itself(text: str) -> None:
    try:
        (kept,) = read_hosts([text])
    except Invalid:
        return
    assert kept.isascii() and " " not in kept and "\n" not in kept and read_hosts([kept]) == (kept,)
    if "*" not in kept:
        assert permits((kept,), read_url(kept if kept.startswith("http://") else f"https://{kept}/"))
