"""Secrets and signing keys in memory. Same contracts, one process."""

import threading
from collections.abc import Sequence

from rubato.adapters.memory import MemoryTrail
from rubato.domain.audit import Event
from rubato.domain.errors import Unreadable, WriteRaced
from rubato.domain.secrets import Secret
from rubato.domain.signing import SigningKey
from rubato.ports import Page


class MemoryVault:
    """Implements ports.Vault. Set `failing` to AWS's code of what goes wrong; `reads` counts how often it was asked."""

    def __init__(self) -> None:
        self.shelves: dict[str, dict[str, str]] = {}
        self.failing: str | None = None
        self.reads = 0

    def put(self, shelf: str, name: str, value: str) -> None:
        """Replaces."""
        self.shelves.setdefault(shelf, {})[name] = value

    def delete(self, shelf: str, name: str) -> bool:
        """If it is there."""
        return self.shelves.get(shelf, {}).pop(name, None) is not None

    def read(self, shelf: str, names: Sequence[str]) -> dict[str, str]:
        """Those that are there."""
        self.reads += 1
        if self.failing is not None:
            raise Unreadable(self.failing)
        return {name: value for name, value in self.shelves.get(shelf, {}).items() if name in names}


class MemorySecrets:
    """Implements ports.Secrets."""

    def __init__(self, trail: MemoryTrail) -> None:
        self._secrets: dict[tuple[str, str], Secret] = {}
        self._trail = trail
        self._lock = threading.Lock()

    def put(self, secret: Secret, before: Secret | None, event: Event | None) -> None:
        """Both or nothing."""
        with self._lock:
            if self._secrets.get((secret.job_id, secret.name)) != before:
                raise WriteRaced(secret.name)
            self._secrets[secret.job_id, secret.name] = secret
            self._trail.events += [event] if event else []

    def of_job(self, job_id: str) -> list[Secret]:
        """By name."""
        return sorted((s for s in self._secrets.values() if s.job_id == job_id), key=lambda secret: secret.name)

    def delete(self, secret: Secret, event: Event | None) -> None:
        """Both or nothing."""
        with self._lock:
            if self._secrets.get((secret.job_id, secret.name)) != secret:
                raise WriteRaced(secret.name)
            del self._secrets[secret.job_id, secret.name]
            self._trail.events += [event] if event else []


class MemorySigningKeys:
    """Implements ports.SigningKeys."""

    def __init__(self, trail: MemoryTrail) -> None:
        self._keys: dict[tuple[str, str | None], tuple[SigningKey, ...]] = {}
        self._trail = trail
        self._lock = threading.Lock()

    def of_holder(self, tenant_id: str, endpoint_id: str | None) -> tuple[SigningKey, ...]:
        """Oldest first."""
        return self._keys.get((tenant_id, endpoint_id), ())

    def replace(self, before: Sequence[SigningKey], after: Sequence[SigningKey], *events: Event) -> None:
        """All or nothing."""
        first = [*before, *after][0]
        holder = (first.tenant_id, first.endpoint_id)
        with self._lock:
            if self._keys.get(holder, ()) != tuple(before):
                raise WriteRaced(first.key_id)
            self._keys[holder] = tuple(after)
            self._trail.events.extend(events)

    def list(self, tenant_id: str, limit: int, after: str | None) -> Page[SigningKey]:
        """By id."""
        mine = (key for keys in list(self._keys.values()) for key in keys if key.tenant_id == tenant_id)
        rest = sorted((key for key in mine if after is None or key.key_id > after), key=lambda key: key.key_id)
        return Page(tuple(rest[:limit]), rest[limit - 1].key_id if len(rest) > limit else None)
