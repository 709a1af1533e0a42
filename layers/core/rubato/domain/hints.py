"""Hints: temporary changes of tempo, each with an author, a reason and an expiry."""

from dataclasses import dataclass
from enum import StrEnum

from rubato.domain.schedule import EveryGrid

MAX_LIVE_HINTS = 10


class HintKind(StrEnum):
    """What a hint does to the cadence."""

    INTERVAL = "interval"
    ONE_SHOT = "oneshot"


class ActorKind(StrEnum):
    """Who acts: a key of one of three kinds, a rule, the planner, or Rubato itself."""

    HUMAN = "human"
    AGENT = "agent"
    SERVICE = "service"
    RULE = "rule"
    PLANNER = "planner"
    SYSTEM = "system"


AUTOMATIC = frozenset({ActorKind.RULE, ActorKind.PLANNER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who did something: the key's id, the rule's name, `planner` or `rubato`, and its kind."""

    id: str
    kind: ActorKind


SYSTEM = Actor(id="rubato", kind=ActorKind.SYSTEM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """Live while now < expires_at. `first_slot` is the first hinted slot (interval) or the time asked for (one-shot).

    All times in ms. `interval_ms` is set for the kind `interval` only.
    """

    hint_id: str
    kind: HintKind
    author: Actor
    created_at: int
    expires_at: int
    first_slot: int
    interval_ms: int | None = None
    reason: str | None = None

    def is_live(self, now: int) -> bool:
        """Expiry is strict: at `expires_at` the hint is gone."""
        return now < self.expires_at

    @property
    def grid(self) -> EveryGrid:
        """The slots of an interval hint: `first_slot`, then every `interval_ms`. One-shots don't move it."""
        step = self.interval_ms or 1
        return EveryGrid(self.first_slot - step, step)


def find_hint(hints: tuple[Hint, ...], hint_id: str | None) -> Hint | None:
    """The hint of that id, live or not; None when it is not among them."""
    return next((hint for hint in hints if hint.hint_id == hint_id), None)
