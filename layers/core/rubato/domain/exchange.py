"""One HTTP exchange with a target, as values: what is asked, what came back. No network in here."""

from dataclasses import dataclass
from enum import StrEnum

Headers = tuple[tuple[str, str], ...]


class ErrorKind(StrEnum):
    """Why an attempt failed; the names are part of the public API."""

    TIMEOUT = "timeout"
    HTTP_STATUS = "http_status"
    CONNECT = "connect"
    BLOCKED = "blocked"
    LOST = "lost"
    CONFIG = "config"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What to send. `timeout_ms` covers everything, from resolving the name to the last byte of the last hop.

    `confidential_headers` (names in lower case) and, if it says so, the body hold secrets: no other origin gets them.
    `bound` has for each bound secret in it the hosts (see domain.hosts) that a redirect must not leave.
    """

    method: str
    url: str
    headers: Headers = ()
    body: bytes | None = None
    timeout_ms: int = 30_000
    max_response_bytes: int = 65_536
    follow_redirects: bool = True
    confidential_headers: frozenset[str] = frozenset()
    confidential_body: bool = False
    bound: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of it. Exactly one of `status_code` and `error_kind` is set.

    `body` holds at most `max_response_bytes` (decoded); `truncated` says that there was more. Durations in ms.
    `may_pass`: nobody was called, and a further attempt may. `is_outage`: that was not the endpoint's fault.
    """

    duration_ms: int
    status_code: int | None = None
    headers: Headers = ()
    body: bytes = b""
    truncated: bool = False
    error_kind: ErrorKind | None = None
    error_message: str | None = None
    may_pass: bool = False
    is_outage: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call of the target. `started_at` in ms since the epoch, `duration_ms` None for a lost one."""

    attempt: int
    started_at: int
    duration_ms: int | None = None
    status_code: int | None = None
    error_kind: ErrorKind | None = None
    error_message: str | None = None
