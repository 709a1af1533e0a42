"""Agents: programs that act for somebody, registered so that each of their changes can be laid at the right door."""

import unicodedata
from dataclasses import dataclass

from rubato.domain.errors import FieldError, Invalid

MAX_NAME = 100
"""Characters of a name, and of an owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """For whom a key acts: the agent that uses it, and the person or team on whose behalf."""

    agent_id: str
    agent_name: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A registered agent. Its name is unique in the tenant while it is not retired. Times in ms since the epoch."""

    agent_id: str
    tenant_id: str
    name: str
    owner: str
    created_at: int
    retired_at: int | None = None

    @property
    def handle(self) -> str:
        """What must be unique of its name."""
        return handle_of(self.name)

    @property
    def delegation(self) -> Delegation:
        """What its keys carry."""
        return Delegation(agent_id=self.agent_id, agent_name=self.name, owner=self.owner)


def handle_of(name: str) -> str:
    """One for all spellings of a name that differ in case or composition only; letters of other scripts stay others."""
    return unicodedata.normalize("NFKC", name).casefold()


def check_names(name: str, owner: str) -> None:
    """Raise Invalid for what can't be told apart in a trail or a log."""
    broken = [FieldError(field, _RULE) for field, text in (("name", name), ("owner", owner)) if not _is_plain(text)]
    if broken:
        raise Invalid(*broken)


def _is_plain(text: str) -> bool:
    return 0 < len(text) <= MAX_NAME and text.isprintable() and text == text.strip()


_RULE = f"must be 1 to {MAX_NAME} printable characters, without space at either end"
