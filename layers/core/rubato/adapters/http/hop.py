"""One hop of a call: the request as it goes to one origin, and the next one after a redirect."""

from dataclasses import dataclass, replace
from urllib.parse import urljoin

import h11

from rubato.domain.addresses import Networks
from rubato.domain.errors import Invalid
from rubato.domain.exchange import Call, Headers
from rubato.domain.hosts import permits
from rubato.domain.targets import (
    FRAMING_HEADERS,
    Refused,
    Target,
    check_url,
    read_url,
    redirect_headers,
    redirect_method,
    same_origin,
    without_body_headers,
)

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_DEFAULTS = (("Accept", "*/*"), ("Accept-Encoding", "gzip, deflate"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """What is sent where."""

    target: Target
    method: str
    headers: Headers
    body: bytes | None
    confidential_headers: frozenset[str] = frozenset()
    confidential_body: bool = False
    bound: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def first(cls, call: Call, allowed: Networks) -> "Hop":
        """The call as configured; raises Invalid for one that can't be made, Refused for one that must not be."""
        if call.method not in _METHODS:
            raise Invalid.field("request.method", f"{call.method} is not supported")
        for name, _ in call.headers:
            if name.lower() in FRAMING_HEADERS:
                raise Invalid.field(f"request.headers.{name}", f"{name} is set by Rubato itself")
        target = check_url(call.url, allowed)
        return cls(
            target=target,
            method=call.method,
            headers=call.headers,
            body=call.body,
            confidential_headers=call.confidential_headers,
            confidential_body=call.confidential_body,
            bound=call.bound,
        )

    def redirected(self, status: int, location: str, allowed: Networks) -> "Hop":
        """The next hop; raises Refused if it leads to where no call may go."""
        target = self._next_target(location, allowed)
        headers = redirect_headers(self.headers, self.target.url, target.url, self.confidential_headers)
        method = redirect_method(self.method, status)
        if method != self.method:
            kept = without_body_headers(headers)
            return replace(self, target=target, method=method, headers=kept, body=None, confidential_body=False)
        if self.confidential_body and not same_origin(self.target.url, target.url):
            raise Refused.field("request.url", "the target redirects a body that holds a secret to another origin")
        return replace(self, target=target, headers=headers)

    def _next_target(self, location: str, allowed: Networks) -> Target:
        url = _joined(self.target.url, location)
        self._stay_bound(url)
        try:
            return check_url(url, allowed)
        except Invalid as error:
            reason = "; ".join(each.message for each in error.errors)
            raise Refused.field("request.url", f"the target redirects to where no call may go: {reason}") from error

    def _stay_bound(self, url: str) -> None:
        # NOTE: also without anything of it in headers or body. Open redirects put parts of a query into Location, and
        # some servers what a header says of the host: whoever writes the request would choose who gets the secret.
        # So the text does not tell where to, either, nor does this come after what does.
        if not all(_leads_to(hosts, url) for hosts in self.bound):
            raise Refused.field("request.url", "the target redirects to where a secret of the call may not go")

    def request(self) -> h11.Request:
        """The head of the request; raises h11.LocalProtocolError or ValueError for what HTTP can't carry."""
        given = {name.lower() for name, _ in self.headers}
        own = [("Host", self.target.authority), ("Connection", "close")]
        own += [(name, value) for name, value in _DEFAULTS if name.lower() not in given]
        if self.body is not None or self.method in _WITH_BODY:
            own.append(("Content-Length", str(len(self.body or b""))))
        encoded = [(name.encode("ascii"), value.encode("latin-1")) for name, value in (*own, *self.headers)]
        return h11.Request(method=self.method, target=self.target.path, headers=encoded)


def _joined(base: str, location: str) -> str:
    try:
        return urljoin(base, location.replace(" ", "%20"))
    except ValueError as error:
        raise Refused.field("request.url", "the target redirects to what is no URL") from error


def _leads_to(hosts: tuple[str, ...], url: str) -> bool:
    try:
        return permits(hosts, read_url(url))
    except Invalid:
        return False
