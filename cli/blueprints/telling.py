"""A plan in words, before anything is written."""

import json
from collections.abc import Iterator
from typing import Any

from cli.blueprints.plan import Change, Plan
from cli.drawing.attribution import visible

_VERBS = {"create": "created", "change": "changed", "delete": "deleted"}
_MOST = 90


def tell_plan(plan: Plan) -> list[str]:
    """What will be created, changed and deleted, field by field; then what is left alone."""
    lines = [line for change in plan.changes for line in tell_change(change)]
    if plan.kept:
        lines.append(f"kept, though the file does not name them (--prune deletes them): {', '.join(plan.kept)}")
    if plan.unseen:
        lines.append(
            "headers that the API masks can't be compared and stay as stored "
            f"(--secrets writes them): {', '.join(sorted(plan.unseen))}"
        )
    return lines


def tell_change(change: Change) -> list[str]:
    """A title and a line a field: + new, ~ changed, - gone."""
    title = f"{change.kind} {change.subject} {change.name}"
    if change.kind == "delete":
        return [title]
    before, after = _flat(change.before), _flat(change.after)
    told = [line for path in dict.fromkeys([*before, *after]) for line in _tell_field(path, before, after)]
    return [title, *(told or [f"  ~ {', '.join(change.body)}: in another order, or given anew"])]


def tell_done(changes: list[Change]) -> str:
    """`created job shop; changed endpoints a, b`."""
    groups: dict[tuple[str, str], list[str]] = {}
    for change in changes:
        names = groups.setdefault((_VERBS[change.kind], change.subject), [])
        names += [] if change.name in names else [change.name]
    return "; ".join(
        f"{verb} {subject}{'s' if len(names) > 1 else ''} {', '.join(names)}"
        for (verb, subject), names in groups.items()
    )


def tell_applied(job_id: str, done: list[Change], left: list[Change]) -> list[str]:
    """What was done, and which endpoints stay though they were to be deleted."""
    lines = [f"{tell_done(done) or 'nothing was written'} (job {job_id})"]
    if left:
        names = ", ".join(change.name for change in left)
        lines.append(f"not deleted, somebody edited it since it was compared: {names}; apply it again to delete it")
    return lines


def _tell_field(path: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    old, new, field = before.get(path), after.get(path), visible(path)
    if old == new and path in before:
        return
    if path not in before or old is None:
        yield f"  + {field}: {_short(new)}"
    elif path not in after or new is None:
        yield f"  - {field}: {_short(old)}"
    else:
        yield f"  ~ {field}: {_short(old)} -> {_short(new)}"


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Leaves by their path; the items of a list of named things by their name."""
    if isinstance(value, dict) and value:
        return _joined((_flat(each, f"{path}.{key}" if path else key)) for key, each in value.items())
    if isinstance(value, list) and value and all(isinstance(each, dict) and "name" in each for each in value):
        return _joined(_flat_named(each, path) for each in value)
    return {path: value} if path else {}


def _flat_named(value: dict[str, Any], path: str) -> dict[str, Any]:
    return _flat({key: each for key, each in value.items() if key != "name"}, f"{path}[{value['name']}]")


def _joined(parts: Iterator[dict[str, Any]]) -> dict[str, Any]:
    return {path: value for part in parts for path, value in part.items()}


def _short(value: Any) -> str:
    text = visible(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"
