"""CORS (the Fetch standard): which web pages may read answers. Without allowed origins, no header at all."""

from typing import Any

from rubato.interface.requests import header

_METHODS = "GET, HEAD, POST, PATCH, DELETE"
_ASKED = "content-type, x-api-key, authorization, idempotency-key, if-match, mcp-protocol-version, mcp-method, mcp-name"
_EXPOSED = "ETag, Retry-After, X-Request-Id, Link, X-Next-Cursor"
_MAX_AGE_S = 600


def headers(origins: tuple[str, ...], event: dict[str, Any]) -> dict[str, str]:
    """What every answer carries, errors included."""
    if not origins:
        return {}
    allowed = _allowed(origins, event)
    # Whoever keeps an answer must not show it to another origin's page, nor keep the refusal for an allowed one.
    varies = {} if "*" in origins else {"Vary": "Origin"}
    if not allowed:
        return varies
    return {**varies, "Access-Control-Allow-Origin": allowed, "Access-Control-Expose-Headers": _EXPOSED}


def preflight(origins: tuple[str, ...], event: dict[str, Any]) -> dict[str, str]:
    """What the answer to OPTIONS carries beside those."""
    if not _allowed(origins, event):
        return {}
    return {
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": _ASKED,
        "Access-Control-Max-Age": str(_MAX_AGE_S),
    }


def _allowed(origins: tuple[str, ...], event: dict[str, Any]) -> str:
    if "*" in origins:
        return "*"
    origin = header(event, "origin")
    return origin if origin in origins else ""
