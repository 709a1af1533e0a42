"""API keys and what they may do."""

import hashlib
import hmac
import re
import zlib
from dataclasses import dataclass
from enum import StrEnum

from rubato.domain.agents import Delegation
from rubato.domain.budget import UNLIMITED, Budget
from rubato.domain.errors import Forbidden
from rubato.domain.hints import Actor, ActorKind

_TOKEN = re.compile(r"rbt_([0-9A-HJKMNP-TV-Z]{26})_([A-Za-z0-9_-]{43})([0-9a-f]{8})")


class Scope(StrEnum):
    """A :write implies the :read of its family."""

    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    ENDPOINTS_READ = "endpoints:read"
    ENDPOINTS_WRITE = "endpoints:write"
    SCHEDULE_WRITE = "schedule:write"
    RUNS_READ = "runs:read"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"


ALL_SCOPES = frozenset(Scope)
KEY_SCOPES = frozenset({Scope.KEYS_READ, Scope.KEYS_WRITE})


def implied(scopes: frozenset[Scope]) -> frozenset[Scope]:
    """The scopes and all that they imply."""
    reads = {s.replace(":write", ":read") for s in scopes}
    return scopes | {scope for scope in Scope if scope.value in reads}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A stored key: the SHA-256 of the token, never the token. Times in ms since the epoch."""

    key_id: str
    tenant_id: str
    digest: str
    label: str
    kind: ActorKind
    scopes: frozenset[Scope]
    budget: Budget = UNLIMITED
    agent_id: str | None = None
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    last_used_at: int | None = None

    def is_valid(self, now: int) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def matches(self, token: str) -> bool:
        """Whether `token` is this key, compared in constant time."""
        return hmac.compare_digest(self.digest, digest_of(token))


class Door(StrEnum):
    """The way that a caller came in; Rubato's own rules and planner use none."""

    HTTP = "http"
    MCP = "mcp"
    CLI = "cli"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls an action: resolved from a key at the door. `delegation` is that of a registered agent's key."""

    tenant_id: str
    key_id: str
    kind: ActorKind
    scopes: frozenset[Scope]
    budget: Budget = UNLIMITED
    delegation: Delegation | None = None
    door: Door | None = None

    @property
    def actor(self) -> Actor:
        """The caller as the audit trail names it."""
        return Actor(id=self.key_id, kind=self.kind)

    def may(self, scope: Scope | None) -> bool:
        """Whether the caller has the scope; None needs none."""
        return scope is None or scope in implied(self.scopes)

    def require(self, scope: Scope | None) -> None:
        """Raise Forbidden unless the caller has the scope."""
        if scope is not None and not self.may(scope):
            raise Forbidden.lacks(scope.value)


def mint_token(key_id: str, secret_text: str) -> str:
    """`rbt_<key id>_<secret><checksum>`; the checksum lets scanners and typos be told without a look-up."""
    body = f"rbt_{key_id.removeprefix('key_')}_{secret_text}"
    return body + _checksum(body)


def key_id_of(token: str) -> str | None:
    """The id of the key that a token claims to be; None when the token is malformed."""
    match = _TOKEN.fullmatch(token)
    if match is None or not hmac.compare_digest(_checksum(token[:-8]), token[-8:]):
        return None
    return "key_" + match.group(1)


def digest_of(token: str) -> str:
    """SHA-256 in hex. A 256-bit random secret needs no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
