"""Rules: what a job does by itself when the answers of its endpoints say so. Values only; `firing` decides.

Their spelling is the API's, also in the store.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rubato.domain.duration import ZERO, Duration, read_duration
from rubato.domain.errors import FieldError, Invalid
from rubato.domain.instant import from_iso, to_iso

MAX_RULES = 50
MAX_ACTIONS = 20
MAX_SPELLED_BYTES = 65_536
INDEFINITELY = "indefinite"


class Fire(StrEnum):
    """How often a rule fires while its condition stays true."""

    EDGE = "edge"
    ONCE = "once"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeInterval:
    """A new cadence for a while."""

    endpoint: str
    interval_ms: int
    ttl_minutes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeNextTime:
    """One run, at a time or `run_in_ms` after the firing: exactly one of the two is set. `run_at` in ms."""

    endpoint: str
    run_at: int | None = None
    run_in_ms: int | None = None
    ttl_minutes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseUntil:
    """A pause until a time (ms), for so many minutes from the firing, or indefinitely; `resumes` ends one instead."""

    endpoint: str
    until: int | None = None
    for_minutes: int | None = None
    resumes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearHints:
    """Takes away the hints of its own rule."""

    endpoint: str


RuleAction = ProposeInterval | ProposeNextTime | PauseUntil | ClearHints


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`when` is a JMESPath expression; `lasting` is how long it must have held, the API's `for`."""

    name: str
    when: str
    lasting: Duration = ZERO
    cooldown: Duration = ZERO
    fire: Fire = Fire.EDGE
    then: tuple[RuleAction, ...] = ()
    otherwise: tuple[RuleAction, ...] = ()

    @property
    def targets(self) -> frozenset[str]:
        """The names of the endpoints that its actions are for."""
        return frozenset(action.endpoint for action in (*self.then, *self.otherwise))


def targets_of(rules: Sequence[Rule]) -> frozenset[str]:
    """The names of all endpoints that the actions of these rules are for."""
    return frozenset(name for rule in rules for name in rule.targets)


def is_inert(rule: Rule, present: frozenset[str]) -> bool:
    """Whether it can do nothing yet, because an endpoint that it names is not among those `present`."""
    return not rule.targets <= present


def read_rules(spelled: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """From the API's spelling; raises Invalid naming each field that breaks a rule."""
    broken = _repeated(spelled)
    rules = []
    for number, each in enumerate(spelled):
        try:
            rules.append(_read_rule(each, f"rules.{number}"))
        except Invalid as refused:
            broken += refused.errors
    if broken:
        raise Invalid(*broken)
    return tuple(rules)


def spell_rule(rule: Rule) -> dict[str, Any]:
    """As the API spells it."""
    return {
        "name": rule.name,
        "when": rule.when,
        "for": rule.lasting.text,
        "cooldown": rule.cooldown.text,
        "fire": rule.fire.value,
        "then": [spell_action(action) for action in rule.then],
        "otherwise": [spell_action(action) for action in rule.otherwise],
    }


def spell_action(action: RuleAction) -> dict[str, Any]:
    """As the API spells it, without what was left out."""
    match action:
        case ProposeInterval():
            return {
                "proposeInterval": {
                    "endpoint": action.endpoint,
                    "intervalMs": action.interval_ms,
                    **_given("ttlMinutes", action.ttl_minutes),
                }
            }
        case ProposeNextTime():
            return {"proposeNextTime": _spell_next_time(action)}
        case PauseUntil():
            return {"pauseUntil": _spell_pause(action)}
        case ClearHints():
            return {"clearHints": {"endpoint": action.endpoint}}


def read_action(spelled: Mapping[str, Any], path: str) -> RuleAction:
    """From the API's spelling: one key, whose value holds the arguments; raises Invalid."""
    kinds = [kind for kind, given in spelled.items() if given is not None]
    if len(kinds) != 1:
        raise Invalid.field(path, "give exactly one of proposeInterval, proposeNextTime, pauseUntil and clearHints")
    kind, given = kinds[0], spelled[kinds[0]]
    path, endpoint = f"{path}.{kind}", str(given["endpoint"])
    match kind:
        case "proposeInterval":
            return ProposeInterval(
                endpoint=endpoint, interval_ms=given["intervalMs"], ttl_minutes=given.get("ttlMinutes")
            )
        case "proposeNextTime":
            return _read_next_time(given, path)
        case "pauseUntil":
            return _read_pause(given, path)
        case "clearHints":
            return ClearHints(endpoint=endpoint)
    raise Invalid.field(path, "is no action of a rule")


def _repeated(spelled: Sequence[Mapping[str, Any]]) -> list[FieldError]:
    names = [each["name"] for each in spelled]
    return [
        FieldError(f"rules.{number}.name", f"the job has another rule named {name!r}; choose another name")
        for number, name in enumerate(names)
        if name in names[:number]
    ]


def _read_rule(spelled: Mapping[str, Any], path: str) -> Rule:
    return Rule(
        name=spelled["name"],
        when=spelled["when"],
        lasting=_duration(spelled, "for", path),
        cooldown=_duration(spelled, "cooldown", path),
        fire=Fire(spelled.get("fire") or Fire.EDGE),
        then=_actions(spelled, "then", path),
        otherwise=_actions(spelled, "otherwise", path),
    )


def _duration(spelled: Mapping[str, Any], field: str, path: str) -> Duration:
    text = spelled.get(field)
    return read_duration(text, f"{path}.{field}") if text is not None else ZERO


def _actions(spelled: Mapping[str, Any], field: str, path: str) -> tuple[RuleAction, ...]:
    given = spelled.get(field) or ()
    return tuple(read_action(each, f"{path}.{field}.{number}") for number, each in enumerate(given))


def _read_next_time(given: Mapping[str, Any], path: str) -> ProposeNextTime:
    run_at, run_in_ms = given.get("runAt"), given.get("runInMs")
    if (run_at is None) == (run_in_ms is None):
        raise Invalid.field(path, "give exactly one of runAt and runInMs")
    return ProposeNextTime(
        endpoint=given["endpoint"],
        run_at=from_iso(run_at, f"{path}.runAt") if run_at is not None else None,
        run_in_ms=run_in_ms,
        ttl_minutes=given.get("ttlMinutes"),
    )


def _read_pause(given: Mapping[str, Any], path: str) -> PauseUntil:
    minutes = given.get("forMinutes")
    if ("until" in given) == (minutes is not None):
        raise Invalid.field(path, 'give exactly one of until (a time, "indefinite", or null to resume) and forMinutes')
    until = given.get("until")
    if minutes is not None or until == INDEFINITELY:
        return PauseUntil(endpoint=given["endpoint"], for_minutes=minutes)
    if until is None:
        return PauseUntil(endpoint=given["endpoint"], resumes=True)
    return PauseUntil(endpoint=given["endpoint"], until=from_iso(until, f"{path}.until"))


def _spell_next_time(action: ProposeNextTime) -> dict[str, Any]:
    when = {"runAt": to_iso(action.run_at)} if action.run_at is not None else {"runInMs": action.run_in_ms}
    return {"endpoint": action.endpoint, **when, **_given("ttlMinutes", action.ttl_minutes)}


def _spell_pause(action: PauseUntil) -> dict[str, Any]:
    if action.for_minutes is not None:
        return {"endpoint": action.endpoint, "forMinutes": action.for_minutes}
    if action.resumes:
        return {"endpoint": action.endpoint, "until": None}
    return {"endpoint": action.endpoint, "until": to_iso(action.until) if action.until is not None else INDEFINITELY}


def _given(field: str, value: Any) -> dict[str, Any]:
    return {field: value} if value is not None else {}
