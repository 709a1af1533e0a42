"""The OpenAPI 3.1 document, drawn from the catalog. Pure; pydantic takes a while, so callers keep the result."""

import json
import sys
from typing import Any

from rubato.interface import schemas, synthetic_operations
from rubato.interface.action import Action
from rubato.interface.catalog import CATALOG
from rubato.interface.document import Document
from rubato.interface.requests import BODY_METHODS, JSON_TYPES

Json = dict[str, Any]

_ABOUT = """Rubato schedules HTTP work: an endpoint has a baseline rhythm, and hints that expire change its tempo.

JSON is camelCase; unknown fields and parameters are refused, each field at most once. Times are ISO 8601, in answers in
UTC; durations are milliseconds. Ids are opaque. Every GET answers HEAD, too. Errors are RFC 9457 problem documents
(`application/problem+json`). Lists take `limit` and an opaque `cursor` and give `nextCursor`, null at the end."""
_PROBLEMS = {
    400: ("Malformed", "The body is missing or no JSON, or the cursor was not given for this list."),
    401: ("Unauthenticated", "No API key, or one that is not valid."),
    403: ("Forbidden", "The key lacks the scope."),
    404: ("NotFound", "Unknown, deleted, or another tenant's."),
    409: ("Conflict", "It contradicts what is stored; the detail says what to do."),
    412: ("PreconditionFailed", "If-Match names a version that is no longer the stored one."),
    415: ("UnsupportedMediaType", "The body is not declared as JSON."),
    422: ("Invalid", "A rule is broken; `errors` names each field and the remedy."),
    429: ("LimitReached", "A quota or rate is used up; Retry-After says when to try again."),
}
_SECURITY = {
    "key": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "An API key."},
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The same API key as Authorization: Bearer, where the deployment caches no keys.",
    },
}
_HEADERS = {
    "X-Request-Id": ("Names the request in logs.", {"type": "string"}),
    "ETag": ("The version, for If-Match.", {"type": "string"}),
    "Retry-After": ("Seconds after which the same request may succeed.", {"type": "integer"}),
    "Link": ("The next page, with rel=next; absent at the end.", {"type": "string"}),
    "X-Next-Cursor": ("The cursor of the next page; absent at the end.", {"type": "string"}),
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "An ETag: change only this version. Without it, or with *, whichever is stored.",
    "schema": {"type": "string"},
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Kept for 24 hours: the same key with the same body gives the same answer and creates once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}


def document(version: str, server_url: str) -> Json:
    """The document for a server whose routes begin at `server_url`."""
    drawn = schemas.draw(CATALOG)
    paths: dict[str, Json] = {
        "/health": {"get": _open("health", "Tell that the API is up.", "application/json", _HEALTH)},
        "/openapi.json": {"get": _open("openapi", "Give this document.", "application/json", {"type": "object"})},
        "/docs": {"get": _open("docs", "Show this document to people.", "text/html", {"type": "string"})},
    }
    paths |= synthetic_operations.PATHS
    for action in CATALOG:
        paths.setdefault(action.path, {})[action.method.lower()] = _operation(action, drawn)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Rubato", "version": version, "description": _ABOUT, "license": _LICENSE},
        "servers": [{"url": server_url}],
        "security": [{name: []} for name in _SECURITY],
        "tags": [*_tags(), _SERVICE, synthetic_operations.TAG],
        "paths": paths,
        "components": {
            "securitySchemes": _SECURITY,
            "headers": {name: {"description": about, "schema": shape} for name, (about, shape) in _HEADERS.items()},
            "responses": {name: _problem(status, about) for status, (name, about) in _PROBLEMS.items()},
            "schemas": schemas.reachable(drawn.components, paths) | {"Problem": _PROBLEM},
        },
    }


def as_text(document: Json) -> str:
    """As it is served and committed."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _operation(action: Action, drawn: schemas.Drawn) -> Json:
    operation: Json = {
        "operationId": action.name,
        "summary": action.summary,
        "description": f"Needs the scope `{action.scope}`." if action.scope else "Any valid key will do.",
        "tags": [_family(action)],
        "parameters": _parameters(action, drawn),
        "responses": {str(action.status): _success(action, drawn), **_errors(action)},
        "x-rubato-scope": action.scope.value if action.scope else None,
        "x-rubato-read-only": action.read_only,
        "x-rubato-destructive": action.destructive,
        "x-rubato-idempotent": action.idempotent,
    }
    body = _body(action, drawn)
    return {**operation, "requestBody": body} if body else operation


def _parameters(action: Action, drawn: schemas.Drawn) -> list[Json]:
    given = [
        _parameter(name, "path" if name in action.pattern.groupindex else "query", dict(shape), required)
        for name, shape, required in drawn.fields(action)
        if name in action.pattern.groupindex or action.method not in BODY_METHODS
    ]
    versioned = [_IF_MATCH] if action.versioned and not action.read_only else []
    return [*given, *versioned, *([_IDEMPOTENCY_KEY] if action.creates else [])]


def _parameter(name: str, where: str, shape: Json, required: bool) -> Json:
    about = shape.pop("description", "")
    if where == "path":
        shape = {**shape, "minLength": 1}
    return {"name": name, "in": where, "required": required, "description": about, "schema": shape}


def _body(action: Action, drawn: schemas.Drawn) -> Json | None:
    """DELETE takes its fields from a body as well as from the query."""
    if action.method == "GET" or not drawn.has_body(action):
        return None
    kinds = JSON_TYPES if action.method == "PATCH" else JSON_TYPES[:1]
    required = action.needs_body or drawn.needs_choice(action)
    return {"required": required, "content": {kind: {"schema": drawn.taken(action)} for kind in kinds}}


def _success(action: Action, drawn: schemas.Drawn) -> Json:
    headers = ["X-Request-Id"]
    answer: Json = {"description": _SUCCESS[action.status]}
    if action.gives is not None and issubclass(action.gives, Document):
        kinds = [kind.split(";")[0] for kind in action.gives.media_types]
        answer["content"] = {kind: {"schema": {"type": "string"}} for kind in kinds}
        headers += ["Link", "X-Next-Cursor"]
    elif action.gives is not None:
        answer["content"] = {"application/json": {"schema": drawn.given(action)}}
        headers += ["ETag"] if "version" in action.gives.model_fields else []
    return {**answer, "headers": {name: _ref("headers", name) for name in headers}}


def _errors(action: Action) -> Json:
    fields = {field.alias or name for name, field in action.takes.model_fields.items()}
    applies = {
        400: action.method != "GET" or "cursor" in fields,
        403: action.scope is not None,
        404: bool(fields & {"jobId", "endpointId"}) or bool(action.pattern.groupindex),
        409: not action.read_only,
        412: action.versioned and not action.read_only,
        415: action.method in BODY_METHODS,
    }
    return {str(status): _ref("responses", _PROBLEMS[status][0]) for status in _PROBLEMS if applies.get(status, True)}


def _problem(status: int, about: str) -> Json:
    headers = ["X-Request-Id", *(["Retry-After"] if status in (409, 429) else [])]
    return {
        "description": about,
        "headers": {name: _ref("headers", name) for name in headers},
        "content": {"application/problem+json": {"schema": _ref("schemas", "Problem")}},
    }


def _open(name: str, summary: str, kind: str, shape: Json) -> Json:
    headers = {"X-Request-Id": _ref("headers", "X-Request-Id")}
    success = {"description": "Success.", "headers": headers, "content": {kind: {"schema": shape}}}
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["service"],
        "security": [],
        "responses": {"200": success},
        "x-rubato-read-only": True,
    }


def _family(action: Action) -> str:
    return action.run.__module__.rpartition(".")[2]


def _tags() -> list[Json]:
    """The families, each told by the module that holds it."""
    modules = dict.fromkeys(action.run.__module__ for action in CATALOG)
    return [{"name": name.rpartition(".")[2], "description": sys.modules[name].__doc__} for name in modules]


def _ref(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}


_SERVICE = {"name": "service", "description": "The service itself; no key is needed."}
_LICENSE = {"name": "MIT", "identifier": "MIT"}
_SUCCESS = {200: "Success.", 201: "Created.", 202: "Accepted.", 204: "Done."}
_TEXT = {"type": "string"}
_HEALTH = {
    "type": "object",
    "required": ["status", "version"],
    "properties": {"status": {"const": "ok"}, "version": _TEXT},
}
_FIELD_ERROR = {
    "type": "object",
    "required": ["path", "message"],
    "properties": {"path": _TEXT, "message": _TEXT},
    "additionalProperties": False,
}
_PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "detail", "code", "errors", "requestId"],
    "properties": {
        "type": {"type": "string", "description": "urn:rubato:problem: and the code."},
        "title": {"type": "string", "description": "What went wrong, in general."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What went wrong this time, and the remedy."},
        "code": {"type": "string", "description": "Stable, for programs."},
        "errors": {"type": "array", "items": _FIELD_ERROR, "description": "The fields that break rules."},
        "requestId": {"type": "string", "description": "As in X-Request-Id."},
    },
}
