"""How the rules of a job stand: since when each holds, what it has done, and what is still to be done for it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from rubato.domain import ids
from rubato.domain.instant import MINUTE
from rubato.domain.rules import Rule, RuleAction

MAX_TROUBLES = 100  # two for each rule that a job may have
# Rules that see their own deeds can go on for ever; this is the most that they do meanwhile.
MAX_SPELL = 120
SPELL_MS = MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A time during which a condition is true. `since` in ms; `held`: for as long as the rule asks; `fired` in it."""

    since: int
    held: bool = False
    fired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleState:
    """One rule's. It belongs to the rule's name for as long as `condition`, a mark of `when`, stays. Times in ms."""

    name: str
    condition: str
    episode: Episode | None = None
    fired_count: int = 0
    fired_at: int | None = None

    def held_ms(self, now: int) -> int:
        """For how long the condition has been true; 0 when it is not."""
        return max(now - self.episode.since, 0) if self.episode is not None else 0


def fresh_state(rule: Rule) -> RuleState:
    """Of a rule that nobody has looked at yet."""
    return RuleState(name=rule.name, condition=ids.digest(rule.when)[:8].hex())


class TroubleKind(StrEnum):
    """What went wrong with a rule."""

    EVALUATION = "evaluation"
    ACTION = "action"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A rule that could not be evaluated, or an action of it that was refused; `at` (ms) is when that began."""

    rule: str
    kind: TroubleKind
    message: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One action that is to be done once, whoever does it and however often it is tried.

    `number` is unique in the job, and hint and audit event take their ids from it. `at` (ms) is the firing.
    """

    number: int
    rule: str
    at: int
    action: RuleAction
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The rules of one job; `version` guards every write. `wake_at` (ms): a message is on its way for that time.

    `braked_until` (ms): a rule waits for that time, because the job's rules have done too much since `spell_at` (ms),
    namely `spell` actions.
    """

    job_id: str
    version: int = 0
    states: tuple[RuleState, ...] = ()
    pending: tuple[Deed, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    deeds: int = 0
    wake_at: int | None = None
    spell_at: int = 0
    spell: int = 0
    braked_until: int | None = None

    def allows(self, count: int, now: int) -> bool:
        """Whether so many more actions are few enough within this minute."""
        return now - self.spell_at >= SPELL_MS or self.spell + count <= MAX_SPELL

    def state_of(self, rule: Rule) -> RuleState:
        """A rule that is new, or asks something else now, begins anew."""
        fresh = fresh_state(rule)
        wanted = (fresh.name, fresh.condition)
        return next((each for each in self.states if (each.name, each.condition) == wanted), fresh)

    def rested(self) -> "Ledger":
        """After a time in which nobody looked: what had not held for as long as its rule asks begins anew."""
        return replace(
            self,
            states=tuple(
                state if state.episode is None or state.episode.held else replace(state, episode=None)
                for state in self.states
            ),
        )

    def promised(self, rule: str, at: int, actions: Sequence[RuleAction], reason: str) -> "Ledger":
        """With these actions to be done."""
        deeds = tuple(
            Deed(number=self.deeds + number, rule=rule, at=at, action=action, reason=reason)
            for number, action in enumerate(actions, 1)
        )
        is_new = at - self.spell_at >= SPELL_MS
        return replace(
            self,
            pending=(*self.pending, *deeds),
            deeds=self.deeds + len(deeds),
            spell_at=at if is_new else self.spell_at,
            spell=len(deeds) + (0 if is_new else self.spell),
        )

    def done(self, numbers: Sequence[int]) -> "Ledger":
        """Without those deeds to be done."""
        return replace(self, pending=tuple(deed for deed in self.pending if deed.number not in numbers))

    def troubled(self, trouble: Trouble) -> "Ledger":
        """With this; one that is known already keeps its time. One of a kind for each rule, the latest ones only."""
        known = next((t for t in self.troubles if (t.rule, t.kind) == (trouble.rule, trouble.kind)), None)
        if known is not None and known.message == trouble.message:
            return self
        rest = tuple(each for each in self.troubles if each is not known)
        return replace(self, troubles=(*rest, trouble)[-MAX_TROUBLES:])

    def without_trouble(self, rule: str, kind: TroubleKind) -> "Ledger":
        """That rule's of that kind are over."""
        kept = tuple(each for each in self.troubles if (each.rule, each.kind) != (rule, kind))
        return replace(self, troubles=kept)


def hint_id_of(job_id: str, deed: Deed) -> str:
    """The id of the hint that a deed makes."""
    return ids.hint_id(deed.at, ids.digest(f"{job_id}/{deed.number}"))


def event_id_of(job_id: str, deed: Deed) -> str:
    """The id of the audit event that a deed leaves."""
    return ids.event_id(deed.at, ids.digest(f"{job_id}/{deed.number}"))
