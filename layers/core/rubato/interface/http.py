"""The HTTP door: from an API Gateway event to an action and back. Routes, and errors to statuses, in one place."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from rubato import __version__
from rubato.domain import errors
from rubato.domain.access import Caller
from rubato.interface import routes
from rubato.interface.action import Action
from rubato.interface.document import Document
from rubato.interface.gateway import caller_of
from rubato.interface.idempotency import perform_once
from rubato.interface.wire import Output, read_json, read_text
from rubato.ports import World

_STATUS: dict[type[errors.RubatoError], tuple[int, str]] = {
    errors.Malformed: (400, "Malformed request"),
    errors.Unauthenticated: (401, "Not authenticated"),
    errors.Forbidden: (403, "Not allowed"),
    errors.NotFound: (404, "Not found"),
    errors.Conflict: (409, "Conflict"),
    errors.StaleVersion: (412, "Precondition failed"),
    errors.Invalid: (422, "Invalid input"),
    errors.LimitReached: (429, "Limit reached"),
}
_BODY_METHODS = ("POST", "PUT", "PATCH")
_JSON_TYPES = ("application/json", "application/merge-patch+json")
_MAX_BODY_BYTES = 262_144
_MAX_PATH = 300


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back to API Gateway: a JSON body or, with a Content-Type among the headers, a text."""

    status: int
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""

    def to_event(self) -> dict[str, Any]:
        """API Gateway's proxy response."""
        kind = "application/json" if self.status < 400 else "application/problem+json"
        headers = {"Cache-Control": "no-store", **self.headers}
        if self.body is None:
            return {"statusCode": self.status, "headers": headers, "body": self.text}
        text = json.dumps(self.body, separators=(",", ":"), ensure_ascii=False)
        return {"statusCode": self.status, "headers": {"Content-Type": kind, **headers}, "body": text}


def handle(world: World, event: dict[str, Any], on_crash: Callable[[], None]) -> dict[str, Any]:
    """Answer a proxy event. Anything unforeseen becomes a plain 500 after `on_crash` has logged it."""
    request_id = (event.get("requestContext") or {}).get("requestId") or ""
    try:
        response = _route(world, event)
    except errors.RubatoError as refused:
        response = problem(refused, request_id)
    except Exception:  # noqa: BLE001 - the last door before the caller: no stack trace may pass
        on_crash()
        response = _problem(500, "Internal error", "internal", "something broke here; it was logged", request_id)
    return replace(response, headers={**response.headers, "X-Request-Id": request_id}).to_event()


def problem(refused: errors.RubatoError, request_id: str) -> Response:
    """An error as RFC 9457 problem details."""
    status, title = _STATUS.get(type(refused), (500, "Internal error"))
    response = _problem(status, title, refused.code, str(refused), request_id)
    assert response.body is not None
    if isinstance(refused, errors.Invalid):
        response.body["errors"] = [{"path": each.path, "message": each.message} for each in refused.errors]
    if refused.retry_after_s is not None:
        response.headers["Retry-After"] = str(refused.retry_after_s)
    if isinstance(refused, errors.Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _problem(status: int, title: str, code: str, detail: str, request_id: str) -> Response:
    body: dict[str, Any] = {
        "type": f"urn:rubato:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "errors": [],
        "requestId": request_id,
    }
    return Response(status, body)


def _route(world: World, event: dict[str, Any]) -> Response:
    method, path = event["httpMethod"], _path(event)
    if path == "/health":
        return _health(method)
    matching = routes.matching(path)
    if not matching:
        raise errors.NotFound("route", path)
    allowed = sorted({action.method for action, _ in matching})
    if method == "OPTIONS":
        return Response(204, None, {"Allow": ", ".join([*allowed, "OPTIONS"])})
    if len(path) > _MAX_PATH:
        raise errors.NotFound("route", path[:_MAX_PATH])
    for action, match in matching:
        if action.method == method:
            return _perform(world, event, action, {key: unquote(value) for key, value in match.groupdict().items()})
    refused = _problem(405, "Method not allowed", "method_not_allowed", f"{path} knows {', '.join(allowed)}", "")
    return Response(405, {**(refused.body or {}), "requestId": _request_id(event)}, {"Allow": ", ".join(allowed)})


def _perform(world: World, event: dict[str, Any], action: Action, parameters: dict[str, str]) -> Response:
    caller: Caller = caller_of(event)
    caller.require(action.scope)
    if action.method in _BODY_METHODS and _has_foreign_type(event):
        refused = _problem(415, "Unsupported media type", "unsupported_media_type", "send application/json", "")
        return Response(415, {**(refused.body or {}), "requestId": _request_id(event)})
    given = _input(event, action, parameters)
    if action.creates:
        return _answer(action, perform_once(world, caller, action, event, given))
    options = {"if_version": _if_match(event)} if action.versioned and not action.read_only else {}
    output = action.run(world, caller, given, **options)
    return _answer(action, output)


def _answer(action: Action, output: Output | None) -> Response:
    if output is None:
        return Response(action.status)
    if isinstance(output, Document):
        headers = {"Content-Type": output.media_type, **output.headers}
        return Response(action.status, headers=headers, text=output.text)
    body = output.to_json()
    headers = {"ETag": f'"{body["version"]}"'} if "version" in body and "items" not in body else {}
    return Response(action.status, body, headers)


def _input(event: dict[str, Any], action: Action, parameters: dict[str, str]) -> Any:
    query = event.get("queryStringParameters") or {}
    repeated = [k for k, v in (event.get("multiValueQueryStringParameters") or {}).items() if len(v) > 1]
    if repeated:
        raise errors.Invalid(*(errors.FieldError(name, "given more than once") for name in repeated))
    body = _body(event, action)
    clash = [*(body.keys() & parameters.keys()), *(query.keys() & parameters.keys())]
    if clash:
        raise errors.Invalid(*(errors.FieldError(name, "belongs into the path only") for name in sorted(clash)))
    if action.method in _BODY_METHODS:
        if query:
            raise errors.Invalid(*(errors.FieldError(name, "unknown query parameter") for name in sorted(query)))
        return read_json(action.takes, json.dumps({**body, **parameters}))
    return read_text(action.takes, {**body, **query, **parameters})


def _body(event: dict[str, Any], action: Action) -> dict[str, Any]:
    text = event.get("body")
    if not text:
        if action.method in _BODY_METHODS and action.needs_body:
            raise errors.Malformed("send a JSON object as the body")
        return {}
    if event.get("isBase64Encoded"):
        import base64

        text = base64.b64decode(text).decode(errors="replace")
    if len(text) > _MAX_BODY_BYTES:
        raise errors.Invalid.field("", f"the body is longer than {_MAX_BODY_BYTES} bytes")
    try:
        plain = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise errors.Malformed("the body is not valid JSON") from None
    if not isinstance(plain, dict):
        raise errors.Invalid.field("", "the body must be a JSON object")
    return plain


def _finite(text: str) -> float:
    """A number beyond a double's range would be written as Infinity, which is not JSON."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is out of range")
    return number


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _has_foreign_type(event: dict[str, Any]) -> bool:
    if not event.get("body"):
        return False
    kind = _header(event, "content-type").split(";")[0].strip().lower()
    return kind not in _JSON_TYPES


def _if_match(event: dict[str, Any]) -> int | None:
    given = _header(event, "if-match").strip()
    if given in ("", "*"):
        return None
    version = given.removeprefix("W/").strip('"')
    # A tag that was never given out matches nothing.
    return int(version) if version.isdecimal() else -1


def _header(event: dict[str, Any], name: str) -> str:
    headers = event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name), "")


def _path(event: dict[str, Any]) -> str:
    path: str = event.get("path") or "/"
    return path.rstrip("/") or "/"


def _request_id(event: dict[str, Any]) -> str:
    return (event.get("requestContext") or {}).get("requestId") or ""


def _health(method: str) -> Response:
    if method not in ("GET", "HEAD"):
        return _problem(405, "Method not allowed", "method_not_allowed", "/health knows GET, HEAD", "")
    return Response(200, {"status": "ok", "version": __version__})
