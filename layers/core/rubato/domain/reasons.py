"""Why a rule fired, for the audit trail: the rule, and the values that it looked at."""

import json
from typing import Any

from rubato.domain.mentions import ANY, mentions_of
from rubato.domain.rules import Rule
from rubato.domain.whole_text import whole

MAX_REASON = 400
_MAX_VALUE = 60
_MAX_VALUES = 6


def reason_of(rule: Rule, holds: bool, document: Any) -> str:
    """`rule surge is true: traffic.body.visitorsPerMin = 5000`: plain values only, cut."""
    seen = [(path, _value_at(document, path)) for path in sorted(mentions_of([rule.when]).paths) if ANY not in path]
    plain = [(path, value) for path, value in seen if not isinstance(value, dict | list)]
    told = ", ".join(f"{_shown(path)} = {_spelled(value)}" for path, value in plain[:_MAX_VALUES])
    verdict = f"rule {rule.name} is {'true' if holds else 'false again'}"
    return whole(f"{verdict}: {told}" if told else verdict)[:MAX_REASON]


def _value_at(document: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _shown(path: tuple[str, ...]) -> str:
    return ".".join(path[1:] if path[:1] == ("endpoints",) else path)


def _spelled(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:_MAX_VALUE]
