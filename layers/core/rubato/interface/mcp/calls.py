"""tools/call: an action, performed for a model, and its answer or refusal in words that a model can act on."""

import json
from typing import Any

from rubato.domain import errors
from rubato.domain.access import Caller
from rubato.interface.action import Action
from rubato.interface.catalog import CATALOG
from rubato.interface.document import Document
from rubato.interface.idempotency import checked_key
from rubato.interface.mcp.protocol import INVALID_PARAMS, Fault, Json
from rubato.interface.perform import admit, perform
from rubato.interface.responses import STATUS
from rubato.interface.tools import IDEMPOTENCY_KEY, IF_VERSION, beside
from rubato.interface.wire import Output, read_json
from rubato.ports import World

MAX_CHARACTERS = 100_000  # some 25,000 tokens: clients cut or refuse what is longer
MAX_TEXT = 20_000
_MAX_ID = 255
_ACTIONS = {action.name: action for action in CATALOG}
_REMEDY: dict[type[errors.RubatoError], str] = {
    errors.Invalid: "Correct these arguments and call again.",
    errors.NotFound: "Ids come from listJobs, listJobEndpoints and listRuns; what was deleted is gone.",
    errors.Forbidden: "Tell the person you work for; no other tool leads around it.",
    errors.StaleVersion: "Read it again, and decide anew; its version is what ifVersion takes.",
}


def call(world: World, caller: Caller, params: Json) -> Json:
    """A tool's result, refusals included; raises Fault for what is no call of a tool."""
    action = _ACTIONS.get(params["name"]) if isinstance(params.get("name"), str) else None
    if action is None:
        raise Fault(INVALID_PARAMS, f"no tool {str(params.get('name'))[:64]!r}; tools/list names them")
    arguments = params.get("arguments")
    if arguments is not None and not isinstance(arguments, dict):
        raise Fault(INVALID_PARAMS, "arguments must be an object")
    try:
        return _told(action, _perform(world, caller, action, dict(arguments or {})))
    except errors.RubatoError as refused:
        if type(refused) not in STATUS:
            raise
        return _text(_refusal(refused), is_error=True)


def _perform(world: World, caller: Caller, action: Action, arguments: Json) -> Output | None:
    given_ids = ((name, arguments.get(name)) for name in action.pattern.groupindex)
    ids = {name: each for name, each in given_ids if isinstance(each, str)}
    world.telemetry.note(action=action.name, **{name: each[:_MAX_ID] for name, each in ids.items()})
    admit(caller, action)
    options = {name: arguments.pop(name) for name in beside(action) if arguments.get(name) is not None}
    for name, each in ids.items():
        if not 0 < len(each) <= _MAX_ID:
            raise errors.Invalid.field(name, f"an id has 1 to {_MAX_ID} characters")
    given = read_json(action.takes, json.dumps(arguments))
    named = {"if_version": _version(options.get(IF_VERSION))} if IF_VERSION in beside(action) else {}
    key = checked_key(options[IDEMPOTENCY_KEY], IDEMPOTENCY_KEY) if IDEMPOTENCY_KEY in options else None
    return perform(world, caller, action, given, key, **named)


def _version(given: Any) -> int | None:
    if given is not None and (isinstance(given, bool) or not isinstance(given, int)):
        raise errors.Invalid.field(IF_VERSION, "must be the version as it was read, an integer")
    return given


def _told(action: Action, output: Output | None) -> Json:
    if output is None:
        return _text("Done.")
    if isinstance(output, Document):
        return _fitting(output.text + _next_page(output), {"content": []}, action)
    body = output.to_json()
    note = _cut(output, body)
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    result = _fitting(text, {"structuredContent": body}, action)
    return {**result, "content": [*result["content"], _block(note)]} if note else result


def _fitting(text: str, rest: Json, action: Action) -> Json:
    """A page that no model can read is refused, for it can be read in parts. What was changed is always told."""
    if len(text) <= MAX_CHARACTERS or "limit" not in action.takes.model_fields:
        return {**rest, **_text(text)}
    words = f"The answer has {len(text):,} characters, more than the {MAX_CHARACTERS:,} that a model is given at once."
    return _text(f"{words} Nothing was changed. Ask for fewer items with a smaller limit, or narrow the filters.", True)


def _next_page(output: Document) -> str:
    """What HTTP tells in a header."""
    cursor = output.headers.get("X-Next-Cursor")
    return f"\n(More: call again with cursor {cursor})" if cursor else ""


def _cut(output: Output, body: Json) -> str:
    """Shorten what targets said, in place; gives the words that tell of it."""
    notes = []
    for part, name in output.cut_for_models:
        text = (body.get(part) or {}).get(name)
        if isinstance(text, str) and len(text) > MAX_TEXT:
            body[part][name] = text[:MAX_TEXT]
            notes.append(f"{part}.{name} is cut after {MAX_TEXT:,} of {len(text):,} characters.")
    return " ".join(notes)


def _refusal(refused: errors.RubatoError) -> str:
    status, title = STATUS[type(refused)]
    lines = [f"{title} ({status} {refused.code})."]
    if isinstance(refused, errors.Invalid):
        lines += [f"- {each.path or 'arguments'}: {each.message}" for each in refused.errors]
    else:
        lines.append(f"{refused}.")
    if refused.retry_after_s is not None:
        lines.append(f"The same call may succeed in {refused.retry_after_s} s.")
    return "\n".join([*lines, *([_REMEDY[type(refused)]] if type(refused) in _REMEDY else [])])


def _text(text: str, is_error: bool = False) -> Json:
    return {"content": [_block(text)], "isError": is_error}


def _block(text: str) -> Json:
    return {"type": "text", "text": text}
