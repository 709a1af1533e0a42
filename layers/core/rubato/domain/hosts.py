"""Which hosts may get a secret: how they are written, and whether a target is among them. Pure."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from rubato.domain.errors import FieldError, Invalid
from rubato.domain.targets import Target, read_url

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

ANY = "*"
ANYWHERE = (ANY,)
MAX_HOSTS = 20
MAX_LENGTH = 300
"""Characters of one host as it is given."""

_PLAIN = "http://"
_SECURE = "https://"
_BELOW = "*."
_WRITE = "write api.example.com, *.example.com or api.example.com:8443, with http:// in front if there is no TLS"
_TOLD = 5

# Whoever asks gets a name below these, so `*.` would let anybody in. What the Public Suffix List does not have: hosts
# of more than one service, and tunnels, forms and mirrors of whatever was asked.
_SHARED = (
    "amazonaws.com", "amazonaws.com.cn", "on.aws", "awsapprunner.com", "cloudfront.net", "elasticbeanstalk.com",
    "azure.com", "azure.net", "azurecontainerapps.io", "azurefd.net", "azurestaticapps.net", "azurewebsites.net",
    "windows.net", "googleapis.com", "googleusercontent.com", "run.app", "appspot.com", "firebaseio.com",
    "trycloudflare.com", "workers.dev", "pages.dev", "r2.dev", "fastly.net", "edgekey.net",
    "akamaized.net", "digitaloceanspaces.com", "backblazeb2.com", "wasabisys.com", "oraclecloud.com",
    "github.dev", "devtunnels.ms", "codespaces.dev", "gitpod.io", "glitch.me", "replit.dev", "railway.app",
    "ngrok.io", "ngrok.app", "ngrok.dev", "ngrok-free.app", "ngrok-free.dev", "loca.lt", "localhost.run", "lhr.life",
    "serveo.net", "pipedream.net", "webhook.site", "requestcatcher.com", "beeceptor.com", "nip.io", "sslip.io",
)  # fmt: skip


def read_hosts(given: Sequence[str]) -> tuple[str, ...]:
    """The hosts in the one spelling that is kept, each once; raises Invalid, naming each that can't be one.

    Kept as `host`, `host:port`, `*.host` (at least one label more, never the host itself) or, for the one host that
    any is, `*`; `http://` stands in front where no TLS is asked for. Without a port the scheme's own is meant.
    """
    if tuple(given) == ANYWHERE:
        return ANYWHERE
    if not 1 <= len(given) <= MAX_HOSTS:
        raise Invalid.field("hosts", f"takes 1 to {MAX_HOSTS} hosts; {ANY} alone stands for any host")
    read, broken = dict[str, None](), list[FieldError]()
    for place, text in enumerate(given):
        try:
            read[_host(text)] = None
        except Invalid as error:
            broken += [FieldError(f"hosts.{place}", each.message) for each in error.errors]
    if broken:
        raise Invalid(*broken)
    return tuple(read)


def permits(hosts: Sequence[str], target: Target) -> bool:
    """Whether the target is one of the hosts, which are as `read_hosts` gave them."""
    return any(spelling in hosts for spelling in _spellings(target))


def told(hosts: Sequence[str]) -> str:
    """The hosts in a sentence of bounded length."""
    more = len(hosts) - _TOLD
    return ", ".join(hosts[:_TOLD]) + (f" and {more} more" if more > 0 else "")


def _spellings(target: Target) -> Iterator[str]:
    """Every way in which one of the kept hosts can mean the target."""
    scheme = _PLAIN if target.scheme == "http" else ""
    yield ANY
    yield scheme + target.authority
    if target.address is None:
        labels = target.authority.split(".")
        yield from (f"{scheme}{_BELOW}{'.'.join(labels[place:])}" for place in range(1, len(labels)))


def _host(text: str) -> str:
    if text == ANY:
        raise _invalid(f"{ANY} means any host: let it stand alone, or name the hosts")
    name = text.lower()
    scheme = _PLAIN if name.startswith(_PLAIN) else _SECURE
    name = name.removeprefix(scheme)
    below = _BELOW if name.startswith(_BELOW) else ""
    target = _target(scheme, _ascii(name.removeprefix(below)))
    if below and (target.address is not None or _is_anybodys(target.host)):
        raise _invalid(f"anybody can get a host that {text} means; let {_BELOW} stand before a domain of one owner")
    return f"{_PLAIN if scheme == _PLAIN else ''}{below}{target.authority}"


def _target(scheme: str, authority: str) -> Target:
    """Taken apart by what takes URLs apart before a call, so that both mean the same host."""
    if any(mark in authority for mark in "/?#@"):
        raise _invalid(f"is more than a host; {_WRITE}")
    try:
        return read_url(f"{scheme}{authority}/")
    except Invalid as error:
        raise _invalid(f"{'; '.join(each.message for each in error.errors)}; {_WRITE}") from None


def _ascii(name: str) -> str:
    """International names in their xn-- form.

    NOTE: this is IDNA 2003, all that the standard library has. Where its mapping does not come back as the name that
    was given, such as for a German eszett, IDNA 2008 may mean another owner's domain: that is not guessed.
    """
    if name.isascii():
        return name
    host, colon, port = name.partition(":")
    try:
        encoded = host.encode("idna").decode()
        if encoded.encode().decode("idna") == host:
            return encoded + colon + port
    except UnicodeError:
        pass
    raise _invalid("is spelled in a way that has more than one meaning; write its xn-- form")


def _is_anybodys(domain: str) -> bool:
    if any(domain == each or domain.endswith(f".{each}") for each in _SHARED):
        return True
    return _public_suffixes().is_public(domain)


@cache
def _public_suffixes() -> "PublicSuffixList":
    # NOTE: imported late: its ten thousand lines take 0.1 s, and only who binds a secret to `*.` waits for them.
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


def _invalid(message: str) -> Invalid:
    return Invalid.field("", message)
