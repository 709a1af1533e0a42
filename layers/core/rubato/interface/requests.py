"""Reading an API Gateway event: path, headers, and the input of an action."""

import json
import math
import re
from typing import Any

from rubato.domain import errors
from rubato.interface.action import Action
from rubato.interface.wire import read_json, read_text, unknown

BODY_METHODS = ("POST", "PUT", "PATCH")
JSON_TYPES = ("application/json", "application/merge-patch+json")
_MAX_BODY_BYTES = 262_144
_EXACT = 2**53
_VERSION = re.compile("[0-9]{1,15}")


def path_of(event: dict[str, Any]) -> str:
    """The path without slashes at its end."""
    path: str = event.get("path") or "/"
    return path.rstrip("/") or "/"


def header(event: dict[str, Any], name: str) -> str:
    """A header by its name in lower case; empty when it is not there."""
    headers = event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name), "")


def has_foreign_type(event: dict[str, Any]) -> bool:
    """Whether there is a body that claims not to be JSON, or claims nothing."""
    if not event.get("body"):
        return False
    kind = header(event, "content-type").split(";")[0].strip().lower()
    return kind not in JSON_TYPES


def if_match(event: dict[str, Any]) -> int | None:
    """The version that the caller wants to change; None for any."""
    given = header(event, "if-match").strip()
    if given in ("", "*"):
        return None
    version = given.removeprefix("W/").strip('"')
    # A tag that was never given out matches nothing.
    return int(version) if _VERSION.fullmatch(version) else -1


def read_input(event: dict[str, Any], action: Action, parameters: dict[str, str]) -> Any:
    """What the action takes, from path, query and body; raises Invalid and Malformed."""
    query = event.get("queryStringParameters") or {}
    repeated = [k for k, v in (event.get("multiValueQueryStringParameters") or {}).items() if len(v) > 1]
    if repeated:
        raise unknown(repeated, action.takes, "query parameter given more than once")
    body = _body(event, action)
    clash = [*(body.keys() & parameters.keys()), *(query.keys() & parameters.keys())]
    if clash:
        raise errors.Invalid(*(errors.FieldError(name, "belongs into the path only") for name in sorted(clash)))
    if action.method in BODY_METHODS:
        if query:
            raise unknown(query, action.takes, "unknown query parameter; remove it")
        return read_json(action.takes, json.dumps({**body, **parameters}))
    return read_text(action.takes, {**body, **query, **parameters})


def _body(event: dict[str, Any], action: Action) -> dict[str, Any]:
    if not event.get("body"):
        if action.method in BODY_METHODS and action.needs_body:
            raise errors.Malformed("send a JSON object as the body")
        return {}
    plain = json_of(event)
    if not isinstance(plain, dict):
        raise errors.Invalid.field("", "the body must be a JSON object")
    return plain


def json_of(event: dict[str, Any]) -> Any:
    """The value in the body, of any type; raises Malformed for what is no JSON, and Invalid for what is too long."""
    text = event.get("body") or ""
    if event.get("isBase64Encoded"):
        import base64

        text = base64.b64decode(text).decode(errors="replace")
    if len(text) > _MAX_BODY_BYTES:
        raise errors.Invalid.field("", f"the body is longer than {_MAX_BODY_BYTES} bytes")
    try:
        return json.loads(
            text, parse_constant=_refuse_constant, parse_float=_number, object_pairs_hook=_without_repetition
        )
    except (ValueError, RecursionError):
        raise errors.Malformed("the body is not valid JSON, or names a field twice") from None


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Readers differ in which of two values they keep: what one has checked, another would do otherwise."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _number(text: str) -> float:
    """A number beyond a double's range would be written as Infinity, which is not JSON.

    JSON has one kind of number: 60000.0 is the integer 60000, as JSON Schema has it.
    """
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is out of range")
    return int(number) if number.is_integer() and abs(number) < _EXACT else number


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
