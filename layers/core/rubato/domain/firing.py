"""When a rule fires: from what its condition is worth now and how it stood before, to what is to be done. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from rubato.domain.rule_ledger import (
    MAX_SPELL,
    SPELL_MS,
    Episode,
    Ledger,
    RuleState,
    Trouble,
    TroubleKind,
    fresh_state,
)
from rubato.domain.rules import Fire, Rule, RuleAction, is_inert


class Blocked(StrEnum):
    """Why a rule does not fire now; the names are part of the public contract."""

    VALUE = "value"
    FOR = "for"
    COOLDOWN = "cooldown"
    FIRED = "fired"
    ONCE = "once"
    INERT = "inert"
    ERROR = "error"
    JOB = "job"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What a condition is worth over a document: true or not and why, or why nobody can tell.

    `trouble` is what its value must be taken with: part of the document was left out.
    """

    is_true: bool = False
    error: str | None = None
    reason: str = ""
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one rule: how it stands from now on, what keeps it from firing, and what it does."""

    state: RuleState
    blocked_by: Blocked | None
    actions: tuple[RuleAction, ...] = ()


def decide(
    rules: Sequence[Rule], ledger: Ledger, worths: Mapping[str, Worth], present: frozenset[str], now: int
) -> Ledger:
    """The ledger after one look at `now` (ms), its new deeds among those pending; the same when nothing changed.

    `worths` by the rule's name; `present` are the names of the job's endpoints.
    """
    after = replace(ledger, states=(), braked_until=None)
    for rule in rules:
        worth, state = worths[rule.name], ledger.state_of(rule)
        step = advance(rule, state, worth, present, now)
        if step.actions and not after.allows(len(step.actions), now):
            after = _braked(after, rule, now)
            step = _waiting(step, state)
        after = _noted(after, rule, worth, step, now)
    names = {rule.name for rule in rules}
    troubles = tuple(each for each in after.troubles if each.rule in names)
    return replace(after, troubles=troubles)


def advance(rule: Rule, state: RuleState, worth: Worth, present: frozenset[str], now: int) -> Step:
    """One rule's step. What can't be evaluated stays as it is.

    What is inert begins when it is so no more; one that had begun goes on, and lets go of what is there.
    """
    if worth.error is not None:
        return Step(state, Blocked.ERROR)
    if not worth.is_true:
        return _fallen(rule, state, present)
    if is_inert(rule, present):
        goes_on = state.episode is not None and state.episode.held
        return Step(state if goes_on else replace(state, episode=None), Blocked.INERT)
    episode = state.episode or Episode(since=now)
    episode = replace(episode, held=episode.held or now - episode.since >= rule.lasting.ms)
    blocked = _blocked_by(rule, state, episode, now)
    if blocked is not None:
        return Step(replace(state, episode=episode), blocked)
    fired = replace(state, episode=replace(episode, fired=True), fired_count=state.fired_count + 1, fired_at=now)
    return Step(fired, None, rule.then)


def next_wake(rules: Sequence[Rule], ledger: Ledger, now: int) -> int | None:
    """The first moment (ms) after `now` at which a rule would fire for no other reason than that time has passed.

    A rule whose moment has gone by is kept from firing by something else (an error, say), and holds up no other.
    """
    moments = [ledger.braked_until, *(_ripe_at(rule, ledger.state_of(rule)) for rule in rules)]
    return min((moment for moment in moments if moment is not None and moment > now), default=None)


def _noted(ledger: Ledger, rule: Rule, worth: Worth, step: Step, now: int) -> Ledger:
    wrong = worth.error or worth.trouble
    if wrong is not None:
        ledger = ledger.troubled(Trouble(rule=rule.name, kind=TroubleKind.EVALUATION, message=wrong, at=now))
    else:
        ledger = ledger.without_trouble(rule.name, TroubleKind.EVALUATION)
    if step.actions:
        ledger = ledger.without_trouble(rule.name, TroubleKind.ACTION)
        ledger = ledger.promised(rule.name, now, step.actions, worth.reason)
    return ledger if step.state == fresh_state(rule) else replace(ledger, states=(*ledger.states, step.state))


def _braked(ledger: Ledger, rule: Rule, now: int) -> Ledger:
    message = f"waits: the rules of this job have done {MAX_SPELL} actions within a minute; give them a cooldown"
    trouble = Trouble(rule=rule.name, kind=TroubleKind.ACTION, message=message, at=now)
    return replace(ledger.troubled(trouble), braked_until=ledger.spell_at + SPELL_MS)


def _waiting(step: Step, before: RuleState) -> Step:
    """It has neither fired nor let go yet; what it has seen meanwhile stays."""
    episode = step.state.episode
    seen = replace(episode, fired=before.episode is not None and before.episode.fired) if episode else before.episode
    return Step(replace(before, episode=seen), None)


def _fallen(rule: Rule, state: RuleState, present: frozenset[str]) -> Step:
    """A blip, shorter than the rule asks for, has held nothing and so lets go of nothing."""
    blocked = Blocked.INERT if is_inert(rule, present) else Blocked.VALUE
    if state.episode is None or not state.episode.held:
        return Step(replace(state, episode=None), blocked)
    there = tuple(action for action in rule.otherwise if action.endpoint in present)
    return Step(replace(state, episode=None), blocked, there)


def _blocked_by(rule: Rule, state: RuleState, episode: Episode, now: int) -> Blocked | None:
    if not episode.held:
        return Blocked.FOR
    if rule.fire is Fire.ONCE and state.fired_count:
        return Blocked.ONCE
    if rule.cooldown.ms == 0:
        return Blocked.FIRED if episode.fired else None
    if state.fired_at is not None and now - state.fired_at < rule.cooldown.ms:
        return Blocked.COOLDOWN
    return None


def _ripe_at(rule: Rule, state: RuleState) -> int | None:
    """When a rule whose condition stays true fires next; None when it does not."""
    episode = state.episode
    if episode is None or (rule.fire is Fire.ONCE and state.fired_count):
        return None
    if rule.cooldown.ms == 0 and episode.fired:
        return None
    cooled = state.fired_at + rule.cooldown.ms if state.fired_at is not None else 0
    return max(episode.since + rule.lasting.ms, cooled)
