"""Secrets and signing keys in memory. Same contracts, one process."""

import threading
from collections.abc import Sequence

from rubato.adapters.memory import MemoryTrail
from rubato.domain.audit import Event
from rubato.domain.errors import Unreadable, WriteRaced
from rubato.domain.secrets import Secret
from rubato.domain.signing import SigningKey, id_prefix
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

    def delete(self, shelf: str, name: str) -> None:
        """If it is there."""
        self.shelves.get(shelf, {}).pop(name, None)

    def read(self, shelf: str, names: Sequence[str]) -> dict[str, str]:
        """Those that are there."""
        return {name: value for name, value in self.read_shelf(shelf).items() if name in names}

    def read_shelf(self, shelf: str) -> dict[str, str]:
        """All of them."""
        self.reads += 1
        if self.failing is not None:
            raise Unreadable(self.failing)
        return dict(self.shelves.get(shelf, {}))


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
        self._keys: dict[tuple[str, str], SigningKey] = {}
        self._trail = trail
        self._lock = threading.Lock()

    def create(self, key: SigningKey, event: Event) -> None:
        """Both or nothing."""
        with self._lock:
            self._keys[key.tenant_id, key.key_id] = key
            self._trail.events.append(event)

    def get(self, tenant_id: str, key_id: str) -> SigningKey | None:
        """By id."""
        return self._keys.get((tenant_id, key_id))

    def of_holder(self, tenant_id: str, endpoint_id: str | None) -> list[SigningKey]:
        """Oldest first."""
        return [key for key in self._of_tenant(tenant_id) if key.key_id.startswith(id_prefix(endpoint_id))]

    def list(self, tenant_id: str, limit: int, after: str | None) -> Page[SigningKey]:
        """By id."""
        rest = [key for key in self._of_tenant(tenant_id) if after is None or key.key_id > after]
        return Page(tuple(rest[:limit]), rest[limit - 1].key_id if len(rest) > limit else None)

    def delete(self, key: SigningKey, event: Event) -> None:
        """Both or nothing."""
        with self._lock:
            if self._keys.pop((key.tenant_id, key.key_id), None) is None:
                raise WriteRaced(key.key_id)
            self._trail.events.append(event)

    def _of_tenant(self, tenant_id: str) -> Sequence[SigningKey]:
        mine = [key for key in self._keys.values() if key.tenant_id == tenant_id]
        return sorted(mine, key=lambda key: key.key_id)
