"""What may be called: the URL policy, the header policy, and what a redirect carries along. Resolves no names."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import SplitResult, quote, urlsplit

from rubato.domain.addresses import Address, Networks, check_address, opens_loopback, parse_cidrs
from rubato.domain.errors import FieldError, Invalid
from rubato.domain.exchange import Headers

__all__ = [
    "FRAMING_HEADERS",
    "MAX_URL_LENGTH",
    "Refused",
    "Target",
    "check_address",
    "check_headers",
    "check_url",
    "is_header_value",
    "mask_headers",
    "parse_cidrs",
    "read_url",
    "redirect_headers",
    "redirect_method",
    "same_origin",
    "without_body_headers",
]

MAX_URL_LENGTH = 2048
MASK = "***"

# Rubato sends these itself with every attempt.
_OWN_HEADERS = frozenset({"idempotency-key", "rubato-run-id", "rubato-attempt", "rubato-slot"})
# Signing sets these; they speak of one body to one origin.
SIGNATURE_HEADERS = frozenset({"webhook-id", "webhook-timestamp", "webhook-signature"})
# These say where a message goes and where it ends; the hop-by-hop ones have no meaning on a connection of one request.
FRAMING_HEADERS = frozenset(
    [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "proxy-connection",
    ]
)
_BODY_HEADERS = frozenset({"content-type", "content-encoding", "content-language", "content-location"})
_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "webhook-signature"})
_SECRET_WORDS = ("key", "token", "secret")

_URL_CHARACTERS = "!$%&'()*+,/:;=?@[]"  # RFC 3986 beside the unreserved ones; everything else is percent-encoded
_PORTS = {"http": 80, "https": 443}
_AUTHORITY = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}")
_NUMERIC = re.compile(r"0x[0-9a-f]*|[0-9]+")
_NUMBER = re.compile(r"0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*")
# Names that mean something only inside a network; they may be saved once the deployment opens any range of its own.
_INSIDE_SUFFIXES = (".local", ".internal", ".localdomain", ".home.arpa")
_LOCALHOST = frozenset({"localhost", "localhost6", "ip6-localhost", "ip6-loopback"})
_METADATA_NAMES = frozenset({"metadata.google.internal", "instance-data.ec2.internal"})

_TOKEN = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")  # RFC 9110, section 5.6.2
_VALUE = re.compile(r"(?:[\x21-\x7e\xa0-\xff](?:[\t\x20-\x7e\xa0-\xff]*[\x21-\x7e\xa0-\xff])?)?")  # section 5.5


class Refused(Invalid):
    """The URL is well formed, but policy forbids calling it; at run time this is errorKind blocked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL taken apart once, so that what was checked is what is called. `address` is set for literal hosts.

    `host` is in lower case, without brackets or a trailing dot; `path` is the request target, query included.
    """

    scheme: str
    host: str
    port: int
    path: str
    address: Address | None = None

    @property
    def origin(self) -> tuple[str, str, int]:
        """RFC 6454: what credentials are bound to."""
        return (self.scheme, self.host, self.port)

    @property
    def authority(self) -> str:
        """The value of the Host header (RFC 9110, section 7.2)."""
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """Normalised, without a fragment: the base that a relative redirect is resolved against."""
        return f"{self.scheme}://{self.authority}{self.path}"


def check_url(url: str, allowed: Networks = ()) -> Target:
    """The target of this URL; raises Invalid, or Refused where policy forbids it, with the path `request.url`.

    Literal addresses are judged here in every spelling that a resolver would accept; what a name resolves to is
    judged at every call.
    """
    target = read_url(url)
    _judge(target.host, target.address, allowed)
    return target


def read_url(url: str) -> Target:
    """The same, whether or not an address may be called.

    A fragment is dropped: it never leaves the client (RFC 9110, section 4.2.5).
    """
    parts = _split(url)
    if parts.scheme not in _PORTS:
        raise _refused("only http and https can be called; start the URL with https://")
    if "@" in parts.netloc:
        raise _refused("credentials do not belong into a URL; remove user and password, send an Authorization header")
    match = _AUTHORITY.fullmatch(parts.netloc)
    if match is None:
        raise _invalid("write the host as a plain name (xn-- form if international) or address, the port as a number")
    port = int(match["port"]) if match["port"] else _PORTS[parts.scheme]
    if not 1 <= port <= 65535:
        raise _invalid(f"port {port} does not exist; use 1 to 65535")
    path = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_URL_CHARACTERS)
    host, address = _literal(match["v6"]) if match["v6"] else _host(match["name"])
    return Target(scheme=parts.scheme, host=host, port=port, path=path, address=address)


def check_headers(headers: Headers) -> None:
    """Raise Invalid for each header that can't be sent or isn't the user's to set; paths `request.headers.<name>`."""
    broken: list[FieldError] = []
    seen: set[str] = set()
    for name, value in headers:
        message = _header_fault(name, value, seen)
        if message:
            broken.append(FieldError(f"request.headers.{name}", message))
        seen.add(name.lower())
    if broken:
        raise Invalid(*broken)


def is_header_value(text: str) -> bool:
    """Whether HTTP can carry it in a header: no line breaks, no outer space, Latin-1 only."""
    return _VALUE.fullmatch(text) is not None


def mask_headers(headers: Headers) -> Headers:
    """The same headers with the values of secret ones as `***`: for answers, events and logs."""
    return tuple((name, MASK if _is_secret(name) else value) for name, value in headers)


def redirect_headers(
    headers: Headers, from_url: str, to_url: str, confidential: frozenset[str] = frozenset()
) -> Headers:
    """What of the headers goes along: everything within an origin, no credentials to another one.

    Every masked header counts as a credential, and so do signatures and the `confidential` ones (names in lower case);
    not those of Rubato: the run id must reach the final target.
    """
    if same_origin(from_url, to_url):
        return headers
    return tuple((name, value) for name, value in headers if _may_leave(name, confidential))


def same_origin(one_url: str, other_url: str) -> bool:
    """RFC 6454."""
    return _origin(one_url) == _origin(other_url)


def redirect_method(method: str, status: int) -> str:
    """The method of the next hop (RFC 9110, section 15.4); where it becomes GET, the body is not sent again."""
    if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):
        return "GET"
    return method


def without_body_headers(headers: Headers) -> Headers:
    """The headers that still make sense once the body is gone; a signature was one of it."""
    return tuple((name, value) for name, value in headers if name.lower() not in _BODY_HEADERS | SIGNATURE_HEADERS)


def _split(url: str) -> SplitResult:
    if len(url) > MAX_URL_LENGTH:
        raise _invalid(f"{len(url)} characters are too many; at most {MAX_URL_LENGTH}")
    # `urlsplit` silently removes tabs and line breaks, and clients disagree on backslashes: refuse, don't guess.
    if not url.isprintable() or " " in url or "\\" in url:
        raise _invalid("remove spaces, control characters and backslashes, or percent-encode them")
    try:
        return urlsplit(url)
    except ValueError as error:
        raise _invalid(f"not a URL ({error}); write it like https://example.com/path") from error


def _literal(text: str) -> tuple[str, Address]:
    try:
        address = IPv6Address(text)
    except ValueError as error:
        raise _invalid(f"not an IPv6 address ({error})") from error
    return address.compressed, address


def _host(text: str) -> tuple[str, Address | None]:
    name = text.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _invalid("not a host name; its parts are 1 to 63 letters, digits or hyphens, 253 in all")
    # A host whose last part is a number is an IPv4 address or nothing (WHATWG URL, "ends in a number").
    if _NUMERIC.fullmatch(labels[-1]):
        address = _ipv4(labels)
        return str(address), address
    return name, None


def _ipv4(parts: list[str]) -> IPv4Address:
    """As inet_aton reads it: one to four parts, each decimal, octal (0) or hex (0x); the last fills what is left."""
    numbers = [_number(part) for part in parts]
    *leading, last = numbers
    room = 256 ** (4 - len(leading))
    if len(parts) > 4 or any(each > 255 for each in leading) or last >= room:
        raise _invalid("not an IPv4 address; write four numbers from 0 to 255")
    return IPv4Address(sum(each << 8 * (3 - place) for place, each in enumerate(leading)) + last)


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise _invalid("not an IPv4 address; write four decimal numbers without leading zeros")
    return int(text, 16 if text.startswith("0x") else 8 if text.startswith("0") else 10)


def _judge(host: str, address: Address | None, allowed: Networks) -> None:
    if address is not None:
        reason = check_address(address, allowed)
        if reason:
            raise _refused(f"{address} is not globally routable ({reason}); use a public address")
    elif host in _METADATA_NAMES:
        raise _refused(f"{host} is a metadata service; it can't be called")
    elif host in _LOCALHOST or host.endswith((".localhost", "localhost.localdomain")):
        if not opens_loopback(allowed):
            raise _refused(f"{host} is this machine; use a public host")
    elif host.endswith(_INSIDE_SUFFIXES) and not allowed:
        raise _refused(f"{host} exists only inside a network; use a public host")


def _header_fault(name: str, value: str, seen: set[str]) -> str | None:
    lowered = name.lower()
    if not _TOKEN.fullmatch(name):
        return "not a header name; use letters, digits and hyphens"
    if lowered in _OWN_HEADERS or lowered in FRAMING_HEADERS:
        return "is set by Rubato itself; remove it"
    if lowered in seen:
        return "is there twice (case does not matter); join the values with a comma"
    if not _VALUE.fullmatch(value):
        return "has characters that HTTP can't carry; use printable Latin-1 without line breaks or outer spaces"
    if _is_secret(name) and value == MASK:
        return f"{MASK} is the mask, not the value; send the value or leave the header out"
    return None


def _may_leave(name: str, confidential: frozenset[str]) -> bool:
    lowered = name.lower()
    if lowered in _OWN_HEADERS:
        return True
    return not (_is_secret(name) or lowered in SIGNATURE_HEADERS or lowered in confidential)


def _is_secret(name: str) -> bool:
    lowered = name.lower()
    return lowered in _CREDENTIALS or any(word in lowered for word in _SECRET_WORDS)


def _origin(url: str) -> tuple[str | None, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _invalid(message: str) -> Invalid:
    return Invalid(FieldError("request.url", message))


def _refused(message: str) -> Refused:
    return Refused(FieldError("request.url", message))
