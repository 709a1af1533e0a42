"""Identifiers: time-ordered (ULID), and run ids that follow from what they name."""

import hashlib

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_TIME_LENGTH = 10
_ULID_LENGTH = 26
_TRIGGER_LENGTH = 4
RUN_TAIL_LENGTH = _TIME_LENGTH + _TRIGGER_LENGTH
_RUN_PREFIX = "run_"
_ENDPOINT_PREFIX = "ep_"
ANALYSIS_PREFIX = "an_"
KEY_PREFIX = "key_"
AGENT_PREFIX = "agent_"


def _base32(value: int, length: int) -> str:
    digits = []
    for _ in range(length):
        value, digit = divmod(value, 32)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def ulid(instant_ms: int, entropy: bytes) -> str:
    """26 characters that sort by time: 48 bits of milliseconds, 80 bits of `entropy` (10 bytes)."""
    return _base32(instant_ms, _TIME_LENGTH) + _base32(int.from_bytes(entropy[:10], "big"), 16)


def job_id(instant_ms: int, entropy: bytes) -> str:
    """A new job's id."""
    return "job_" + ulid(instant_ms, entropy)


def endpoint_id(instant_ms: int, entropy: bytes) -> str:
    """A new endpoint's id."""
    return _ENDPOINT_PREFIX + ulid(instant_ms, entropy)


def hint_id(instant_ms: int, entropy: bytes) -> str:
    """A new hint's id."""
    return "hint_" + ulid(instant_ms, entropy)


def event_id(instant_ms: int, entropy: bytes) -> str:
    """A new audit event's id."""
    return "ev_" + ulid(instant_ms, entropy)


def key_id(instant_ms: int, entropy: bytes) -> str:
    """A new API key's id."""
    return KEY_PREFIX + ulid(instant_ms, entropy)


def agent_id(instant_ms: int, entropy: bytes) -> str:
    """A new agent's id."""
    return AGENT_PREFIX + ulid(instant_ms, entropy)


def analysis_id(instant_ms: int, entropy: bytes) -> str:
    """A new analysis's id."""
    return ANALYSIS_PREFIX + ulid(instant_ms, entropy)


def run_id(endpoint: str, slot_ms: int, trigger: str) -> str:
    """The id of the run of `endpoint` at `slot_ms` caused by `trigger`.

    Derived, so that duplicates of a message collapse into one run; it carries its endpoint and slot, so that a run is
    found by its key alone, without an index. Ids of one endpoint sort by slot.
    """
    digest = int.from_bytes(hashlib.sha256(trigger.encode()).digest()[:3], "big")
    return run_prefix(endpoint) + slot_code(slot_ms) + _base32(digest, _TRIGGER_LENGTH)


def endpoint_of_run(run: str) -> str | None:
    """The endpoint that a run id belongs to; None if the text is no run id."""
    body = run.removeprefix(_RUN_PREFIX)
    expected = _ULID_LENGTH + _TIME_LENGTH + _TRIGGER_LENGTH
    if len(body) != expected or not run.startswith(_RUN_PREFIX) or not set(body) <= set(_ALPHABET):
        return None
    return _ENDPOINT_PREFIX + body[:_ULID_LENGTH]


def run_prefix(endpoint: str) -> str:
    """What the ids of an endpoint's runs begin with; slot code and trigger follow."""
    return _RUN_PREFIX + endpoint.removeprefix(_ENDPOINT_PREFIX)


def slot_code(slot_ms: int) -> str:
    """Ten characters that sort as the instants do (until the year 10889)."""
    return _base32(slot_ms, _TIME_LENGTH)


def run_order(run: str) -> str:
    """The part of a run id that sorts runs of many endpoints by slot."""
    body = run.removeprefix(_RUN_PREFIX)
    return body[_ULID_LENGTH:] + body[:_ULID_LENGTH]


def shard_of(endpoint: str, shards: int) -> int:
    """The shard of the due index that holds an endpoint: stable, even over `shards`."""
    return int.from_bytes(hashlib.sha256(endpoint.encode()).digest()[:4], "big") % shards


def digest(text: str) -> bytes:
    """In place of entropy, for an id that follows from what it names."""
    return hashlib.sha256(text.encode()).digest()
