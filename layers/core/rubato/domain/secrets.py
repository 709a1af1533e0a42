"""Secrets of a job: what is known of them outside the vault, which is never a value, and what the vault keeps."""

from dataclasses import dataclass

from rubato.domain.errors import Invalid, Unreadable
from rubato.domain.hosts import ANY, ANYWHERE, permits, told
from rubato.domain.targets import read_url

MAX_PER_JOB = 50
MIN_LENGTH = 4
MAX_BYTES = 3_072
"""As UTF-8, hosts included. A standard parameter takes 4096 characters of base64, in which the vault keeps it."""

_BOUND = "\0hosts "


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret's name within its job, who may get it, and when its value was put last (ms since the epoch).

    `hosts` are as `hosts.read_hosts` gives them. Until `held_until` (ms since the epoch) somebody puts or deletes it,
    and nobody else may.
    """

    job_id: str
    tenant_id: str
    name: str
    updated_at: int
    hosts: tuple[str, ...] = ANYWHERE
    held_until: int | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What the vault keeps of a secret: the value together with who may get it, so that neither is read alone."""

    value: str
    hosts: tuple[str, ...] = ANYWHERE

    def to_text(self) -> str:
        """As it is kept: the value as it is, behind a line with the hosts if it is bound to any."""
        if self.hosts == ANYWHERE and not self.value.startswith(_BOUND):
            return self.value
        return f"{_BOUND}{' '.join(self.hosts)}\n{self.value}"

    @classmethod
    def from_text(cls, text: str) -> "Kept":
        """The reverse; raises Unreadable for what this never wrote, which could go anywhere, or be nothing."""
        kept = cls(text)
        if text.startswith(_BOUND):
            hosts, _, value = text.removeprefix(_BOUND).partition("\n")
            kept = cls(value, tuple(hosts.split(" ")))
        is_mixed = "" in kept.hosts or (ANY in kept.hosts and kept.hosts != ANYWHERE)
        if is_mixed or len(kept.value) < MIN_LENGTH or kept.to_text() != text:
            raise Unreadable("NotAsKept")
        return kept


def shelf(job_id: str) -> str:
    """Where in the vault the job's values stand, by name."""
    return f"secrets/{job_id}"


def check_value(value: str, hosts: tuple[str, ...] = ANYWHERE) -> None:
    """Raise Invalid for a value that can't be kept with its hosts, or is too short to be hidden where it echoes."""
    if len(value) < MIN_LENGTH:
        raise Invalid.field("value", f"is too short to be hidden where it echoes; at least {MIN_LENGTH} characters")
    try:
        size = len(Kept(value, hosts).to_text().encode())
    except UnicodeEncodeError:
        raise Invalid.field("value", "is no Unicode text") from None
    if size > MAX_BYTES:
        raise Invalid.field("value", f"is {size} bytes; at most {MAX_BYTES} are kept, its hosts included")


def why_not_to(url: str, name: str, hosts: tuple[str, ...], job_id: str) -> str | None:
    """Why the secret does not go to this URL, with the remedy; None if it may. Raises Invalid for what is no URL."""
    target = read_url(url)
    if permits(hosts, target):
        return None
    return (
        f"the secret {name} is bound to {told(hosts)} and does not go to {target.scheme}://{target.authority};"
        f" call a host that it is bound to, or put its value with other hosts: PUT /jobs/{job_id}/secrets/{name}"
    )
