"""Versions, error codes, and what a message must be like. Nothing in here knows what Rubato does."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from rubato.interface.requests import header

Json = dict[str, Any]

MODERN = ("2026-07-28",)  # each request tells its version
LEGACY = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")  # a handshake settles it
SUPPORTED = (*MODERN, *LEGACY)
BATCHING = ("2025-03-26",)
_ASSUMED = "2025-03-26"  # of requests without a version: the header came later

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32601, -32602, -32603
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022
RESOURCE_NOT_FOUND = -32002  # until 2025-11-25; INVALID_PARAMS since

_META = "io.modelcontextprotocol/"
VERSION_KEY, CAPABILITIES_KEY = f"{_META}protocolVersion", f"{_META}clientCapabilities"
SERVER_KEY = f"{_META}serverInfo"
_NAMES = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_ROUTING = ("mcp-protocol-version", "mcp-method", "mcp-name")
_WITHOUT_REQUEST = (PARSE_ERROR, INVALID_REQUEST, HEADER_MISMATCH, UNSUPPORTED_VERSION)
_MAX_ID = 256
_ENCODED = ("=?base64?", "?=")


class Fault(Exception):
    """A message that breaks the protocol. What a tool refuses is a result, not a fault."""

    def __init__(self, code: int, message: str, data: Json | None = None) -> None:
        super().__init__(message)
        self.code, self.data = code, data

    def status(self, modern: bool) -> int:
        """The HTTP status. Before 2026-07-28 a request that was understood is answered with 200, error or not."""
        if self.code == METHOD_NOT_FOUND and modern:
            return 404
        return 400 if modern or self.code in _WITHOUT_REQUEST else 200


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request that keeps the protocol. `version` is the one to answer in."""

    id: str | int
    method: str
    params: Json
    version: str

    @property
    def modern(self) -> bool:
        """Whether it stands alone, without a handshake before it."""
        return self.version in MODERN

    def since(self, version: str) -> bool:
        """Whether its version is this one or newer: they are dates."""
        return self.version >= version


def id_of(message: Any) -> str | int | None:
    """The id to answer with; None when there is none that could be."""
    given = message.get("id") if isinstance(message, dict) else None
    if isinstance(given, bool) or not isinstance(given, str | int) or len(str(given)) > _MAX_ID:
        return None
    return given


def read(message: Any, event: dict[str, Any]) -> Request | None:
    """The request in a message; None for notifications and responses, which get no answer. Raises Fault."""
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise Fault(INVALID_REQUEST, "send a JSON-RPC 2.0 request or notification, an object with jsonrpc 2.0")
    method, params = message.get("method"), message.get("params", {})
    if method is None and ("result" in message or "error" in message):
        return None
    if not isinstance(method, str) or not isinstance(params, dict):
        raise Fault(INVALID_REQUEST, "method must be a text, params an object")
    if "id" not in message:
        return None
    request_id = id_of(message)
    if request_id is None:
        raise Fault(INVALID_REQUEST, f"id must be an integer or a text of at most {_MAX_ID} characters")
    version = _version(method, params, event)
    return Request(id=request_id, method=method, params=params, version=version)


def legacy_version(event: dict[str, Any]) -> str:
    """The version of a message that does not tell its own; raises Fault."""
    sent = header(event, "mcp-protocol-version")
    if sent and sent not in SUPPORTED:
        raise _unsupported(sent)
    return sent or _ASSUMED


def _version(method: str, params: Json, event: dict[str, Any]) -> str:
    if method == "initialize":
        asked = params.get("protocolVersion")
        return asked if asked in LEGACY else LEGACY[0]
    meta = params.get("_meta")
    declared = meta.get(VERSION_KEY) if isinstance(meta, dict) else None
    sent = header(event, "mcp-protocol-version")
    if (declared is None or declared in LEGACY) and sent not in MODERN and method != "server/discover":
        return legacy_version(event)
    _check_envelope(meta)
    _check_headers(method, params, declared, event)
    if declared not in MODERN:
        raise _unsupported(declared)
    return str(declared)


def _check_envelope(meta: Any) -> None:
    given = meta if isinstance(meta, dict) else {}
    missing = [key for key in (VERSION_KEY, CAPABILITIES_KEY) if key not in given]
    if missing:
        raise Fault(INVALID_PARAMS, f"params._meta lacks {' and '.join(missing)}")
    if not isinstance(given[VERSION_KEY], str) or not isinstance(given[CAPABILITIES_KEY], dict):
        raise Fault(INVALID_PARAMS, f"params._meta: {VERSION_KEY} must be a text, {CAPABILITIES_KEY} an object")


def _check_headers(method: str, params: Json, declared: Any, event: dict[str, Any]) -> None:
    """A gateway may have acted on the headers: they must say what the body says."""
    for name, values in (event.get("multiValueHeaders") or {}).items():
        if name.lower() in _ROUTING and len(values) > 1:
            raise Fault(HEADER_MISMATCH, f"{name} was sent more than once")
    expected = {"mcp-protocol-version": declared, "mcp-method": method}
    if isinstance(params.get(_NAMES.get(method, "")), str):
        expected["mcp-name"] = params[_NAMES[method]]
    for name, value in expected.items():
        if _decoded(header(event, name)) != value:
            raise Fault(HEADER_MISMATCH, f"the header {name} is missing or does not match the body")


def _decoded(text: str) -> str | None:
    """A header's value; other than visible ASCII comes in Base64 between two marks."""
    begin, end = _ENCODED
    if not (text.startswith(begin) and text.endswith(end)):
        return text
    try:
        return base64.b64decode(text[len(begin) : -len(end)], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _unsupported(requested: Any) -> Fault:
    data = {"supported": list(SUPPORTED), "requested": str(requested)[:64]}
    return Fault(UNSUPPORTED_VERSION, "Unsupported protocol version", data)
