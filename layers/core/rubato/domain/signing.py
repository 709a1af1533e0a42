"""Signed requests, as Standard Webhooks 1.0.0 has them: who holds keys, and what an attempt carries.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rubato.domain import ids
from rubato.domain.errors import FieldError, Invalid, NotFound
from rubato.domain.exchange import Headers
from rubato.domain.instant import SECOND
from rubato.domain.targets import SIGNATURE_HEADERS

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
MAX_LIVE_KEYS = 2
"""Of one holder: while the second replaces the first, both sign."""

_MIN_BYTES, _MAX_BYTES = 24, 64
_SECRET_PREFIX = "whsec_"  # noqa: S105 - no secret itself
_ID_PREFIX = "sig_"
_ULID = "[0-9A-HJKMNP-TV-Z]{26}"
_KEY_ID = re.compile(f"{_ID_PREFIX}({_ULID}){_ULID}")
_OF_TENANT = "0" * 26
_ENDPOINT_PREFIX = "ep_"

Live = Mapping[str | None, Sequence[str]]
"""Ids of the live keys, oldest first, by holder: an endpoint or, for None, the tenant."""


class SignedBy(StrEnum):
    """Whose keys sign the requests of an endpoint; its own go before those of its tenant."""

    ENDPOINT = "endpoint"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A key of a tenant, or of one endpoint; its secret is in the vault alone. `created_at` in ms since the epoch."""

    key_id: str
    tenant_id: str
    created_at: int
    endpoint_id: str | None = None


def key_id(endpoint_id: str | None, instant_ms: int, entropy: bytes) -> str:
    """A new key's id, which sorts by holder and then by time."""
    return id_prefix(endpoint_id) + ids.ulid(instant_ms, entropy)


def id_prefix(endpoint_id: str | None) -> str:
    """What the ids of this holder's keys begin with; None is the tenant."""
    return _ID_PREFIX + (_OF_TENANT if endpoint_id is None else endpoint_id.removeprefix(_ENDPOINT_PREFIX))


def holder_of(key_id: str) -> str | None:
    """Whose key has this id: an endpoint's or, for None, the tenant's. Raises NotFound for what is no key's id."""
    found = _KEY_ID.fullmatch(key_id)
    if found is None:
        raise NotFound("signing key", key_id)
    return None if found[1] == _OF_TENANT else _ENDPOINT_PREFIX + found[1]


def shelf(tenant_id: str, endpoint_id: str | None) -> str:
    """Where in the vault the secrets of this holder's keys stand, by key id."""
    # Names of parameters take few characters, and a tenant's name is anybody's.
    return f"signing/tenant-{tenant_id.encode().hex()}" if endpoint_id is None else f"signing/{endpoint_id}"


def signers(endpoint_id: str, live: Live) -> tuple[str, ...]:
    """Ids of the keys that sign for the endpoint; empty when neither it nor its tenant has any."""
    return tuple(live.get(endpoint_id) or live.get(None) or ())


def signed_by(signers: Sequence[str]) -> SignedBy | None:
    """Whose keys these are."""
    if not signers:
        return None
    return SignedBy.TENANT if signers[0].startswith(id_prefix(None)) else SignedBy.ENDPOINT


def mint_secret(entropy: bytes) -> str:
    """`whsec_` and the key in base64; 24 to 64 bytes of entropy."""
    return _SECRET_PREFIX + b64encode(entropy).decode()


def is_secret(text: str) -> bool:
    """Whether it can sign, as the specification has it: with 24 to 64 bytes."""
    try:
        return _MIN_BYTES <= len(_key(text)) <= _MAX_BYTES
    except ValueError:
        return False


def signature_headers(message_id: str, at_ms: int, body: bytes, secrets: Sequence[str]) -> Headers:
    """Id, time of the attempt in whole seconds, and a signature for each secret."""
    at = str(at_ms // SECOND)
    signed = b".".join((message_id.encode(), at.encode(), body))
    signatures = " ".join(_signature(secret, signed) for secret in secrets)
    return ((ID, message_id), (TIMESTAMP, at), (SIGNATURE, signatures))


def without_signature(headers: Headers) -> Headers:
    """The headers without any of a signature."""
    return tuple((name, value) for name, value in headers if name.lower() not in SIGNATURE_HEADERS)


def check_headers(headers: Headers) -> None:
    """Raise Invalid for each header that signing sets itself; paths `request.headers.<name>`."""
    broken = [name for name, _ in headers if name.lower() in SIGNATURE_HEADERS]
    if broken:
        message = "is set by Rubato itself, as a key signs these requests; remove it"
        raise Invalid(*(FieldError(f"request.headers.{name}", message) for name in broken))


def _signature(secret: str, signed: bytes) -> str:
    return "v1," + b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    if not secret.startswith(_SECRET_PREFIX):
        raise ValueError("no signing secret")
    return b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
