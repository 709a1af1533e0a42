"""Requests that may come in twice and must create once: what is remembered of them, and how two are told apart."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """The right to create, until `expires_at` (ms). `holder` is different at each attempt.

    `request_id` stands for who asks what under which Idempotency-Key, `fingerprint` for the content.
    """

    request_id: str
    fingerprint: str
    holder: str
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of a request that came in before. `answer` is None while it is being worked on."""

    fingerprint: str
    answer: dict[str, Any] | None = None


def digest_of(content: Any) -> str:
    """SHA-256 in hex of a JSON value; neither the order of its keys nor white space matter."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # NOTE: JSON may hold halves of surrogate pairs, which strict UTF-8 refuses.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
