"""What rules must satisfy before they are stored. Field shapes are checked at the door."""

import json
from collections.abc import Iterator, Mapping, Sequence

from rubato.domain.endpoint import Endpoint
from rubato.domain.errors import FieldError, Invalid
from rubato.domain.expressions import check_expression
from rubato.domain.instant import to_iso
from rubato.domain.mentions import ANY, mentions_of
from rubato.domain.rules import (
    MAX_SPELLED_BYTES,
    Fire,
    PauseUntil,
    ProposeInterval,
    ProposeNextTime,
    Rule,
    RuleAction,
    spell_rule,
)
from rubato.domain.steering import check_interval

# Of a job with more endpoints, `endpoints.*` means so many of them.
MAX_OBSERVED = 200
_WARNED = 10  # names in one warning


def check_expressions(rules: Sequence[Rule]) -> None:
    """Raise Invalid for conditions that are no JMESPath, or too much of it, and for rules too long in sum."""
    broken: list[FieldError] = []
    for number, rule in enumerate(rules):
        try:
            check_expression(rule.when, f"rules.{number}.when")
        except Invalid as refused:
            broken += refused.errors
    size = len(json.dumps([spell_rule(rule) for rule in rules], ensure_ascii=False).encode()) if rules else 0
    if size > MAX_SPELLED_BYTES:
        broken.append(FieldError("rules", f"are {size} bytes as JSON; at most {MAX_SPELLED_BYTES} are allowed"))
    if broken:
        raise Invalid(*broken)


def check_actions(
    rules: Sequence[Rule], before: Sequence[Rule], endpoints: Mapping[str, Endpoint], min_interval_ms: int, now: int
) -> None:
    """Raise Invalid for what could never be done: an interval outside the clamps or below the floor, a time gone by.

    `endpoints` are those that exist, by name. A rule that stood in `before` already may name a time gone by meanwhile.
    """
    broken: list[FieldError] = []
    for path, rule, action in _actions(rules):
        if isinstance(action, ProposeInterval):
            broken += _interval(action, endpoints.get(action.endpoint), min_interval_ms, f"{path}.proposeInterval")
        if rule not in before:
            broken += _times(action, now, path)
    if broken:
        raise Invalid(*broken)


def warnings_of(rules: Sequence[Rule], present: frozenset[str], endpoint_count: int) -> list[tuple[str, str]]:
    """(rule, what is odd about it): names of endpoints that the job does not have, and what can't do what it says."""
    found = []
    for rule in rules:
        missing = sorted(rule.targets - present)
        if missing:
            found.append((rule.name, f"is inert: the job has no endpoint {_named(missing)}"))
        unread = sorted(mentions_of([rule.when]).endpoints.keys() - present - {ANY} - set(missing))
        if unread:
            found.append((rule.name, f"reads null: the job has no endpoint {_named(unread)}"))
        found += [(rule.name, oddity) for oddity in (_postponing(rule), _beyond(rule, endpoint_count)) if oddity]
    return found


def _postponing(rule: Rule) -> str | None:
    """A new one-shot of a rule takes the place of the one before."""
    if rule.fire is Fire.ONCE or rule.cooldown.ms == 0:
        return None
    for action in rule.then:
        if isinstance(action, ProposeNextTime) and (action.run_in_ms or 0) >= rule.cooldown.ms:
            what = f"postpones its own run of {action.endpoint!r} for as long as it is true"
            remedy = "make runInMs shorter than the cooldown"
            why = f"it fires again after {rule.cooldown.text}, before runInMs {action.run_in_ms} is over"
            return f"{what}: {why}; {remedy}"
    return None


def _beyond(rule: Rule, endpoint_count: int) -> str | None:
    if endpoint_count <= MAX_OBSERVED or ANY not in mentions_of([rule.when]).endpoints:
        return None
    what = f"sees {MAX_OBSERVED} of the job's {endpoint_count} endpoints where it means all of them"
    return f"{what}: name those that matter, or spread them over several jobs"


def _named(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:_WARNED]) + (", ..." if len(names) > _WARNED else "")


def _actions(rules: Sequence[Rule]) -> Iterator[tuple[str, Rule, RuleAction]]:
    for number, rule in enumerate(rules):
        for field, actions in (("then", rule.then), ("otherwise", rule.otherwise)):
            for place, action in enumerate(actions):
                yield f"rules.{number}.{field}.{place}", rule, action


def _interval(
    action: ProposeInterval, endpoint: Endpoint | None, min_interval_ms: int, path: str
) -> Sequence[FieldError]:
    if endpoint is None:
        if action.interval_ms >= min_interval_ms:
            return ()
        floor = f"{action.interval_ms} is below this deployment's floor; use {min_interval_ms} or more"
        return (FieldError(f"{path}.intervalMs", floor),)
    try:
        check_interval(endpoint, action.interval_ms, min_interval_ms)
    except Invalid as refused:
        return [FieldError(f"{path}.{each.path}", f"{each.message} of {action.endpoint!r}") for each in refused.errors]
    return ()


def _times(action: RuleAction, now: int, path: str) -> Sequence[FieldError]:
    if isinstance(action, ProposeNextTime) and action.run_at is not None and action.run_at < now:
        return (FieldError(f"{path}.proposeNextTime.runAt", _gone(action.run_at, now)),)
    if isinstance(action, PauseUntil) and action.until is not None and action.until <= now:
        return (FieldError(f"{path}.pauseUntil.until", _gone(action.until, now)),)
    return ()


def _gone(instant_ms: int, now: int) -> str:
    return f"{to_iso(instant_ms)} is in the past; it is {to_iso(now)} now"
