"""Secrets of a job: what is known of them outside the vault, which is never a value."""

from dataclasses import dataclass

from rubato.domain.errors import Invalid

MAX_PER_JOB = 50
MIN_LENGTH = 4
MAX_BYTES = 3_072
"""As UTF-8. A standard parameter takes 4096 characters of base64, in which the vault keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret's name within its job, and when its value was put last (ms since the epoch)."""

    job_id: str
    tenant_id: str
    name: str
    updated_at: int


def shelf(job_id: str) -> str:
    """Where in the vault the job's values stand, by name."""
    return f"secrets/{job_id}"


def check_value(value: str) -> None:
    """Raise Invalid for a value that can't be kept, or that is too short to be hidden where it echoes."""
    if len(value) < MIN_LENGTH:
        raise Invalid.field("value", f"is too short to be hidden where it echoes; at least {MIN_LENGTH} characters")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise Invalid.field("value", "is no Unicode text") from None
    if size > MAX_BYTES:
        raise Invalid.field("value", f"is {size} bytes; at most {MAX_BYTES} are kept")
