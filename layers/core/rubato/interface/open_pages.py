"""What is answered without a key: health, the OpenAPI document, and the documentation drawn from it."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from rubato import __version__
from rubato.interface.requests import header, path_of
from rubato.interface.responses import Response

# A deployment may change them; nobody waits longer than this to see it.
_MAX_AGE_S = 300


def _health(_event: dict[str, Any]) -> Response:
    return Response(200, {"status": "ok", "version": __version__})


def _openapi(event: dict[str, Any]) -> Response:
    return _cacheable(event, "application/json", _openapi_text(_server(event)))


def _docs(event: dict[str, Any]) -> Response:
    from rubato.interface.docs_page import POLICY

    response = _cacheable(event, "text/html; charset=utf-8", _docs_text(_server(event)))
    return replace(response, headers={**response.headers, "Content-Security-Policy": POLICY})


def _server(event: dict[str, Any]) -> str:
    """The part of the address before the route: the stage, or what a domain of its own has in its place."""
    full = (event.get("requestContext") or {}).get("path") or ""
    base: str = full.rstrip("/").removesuffix(path_of(event))
    return base if base.startswith("/") and base != full else "/v1"


# NOTE: drawing the schemas takes pydantic longer than most requests take; other routes shall not wait for it.
@lru_cache(maxsize=4)
def _openapi_text(server: str) -> str:
    from rubato.interface.openapi import as_text, document

    return as_text(document(__version__, server))


@lru_cache(maxsize=4)
def _docs_text(server: str) -> str:
    from rubato.interface.docs_page import page
    from rubato.interface.openapi import document

    return page(document(__version__, server))


def _cacheable(event: dict[str, Any], kind: str, text: str) -> Response:
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'
    headers = {"Content-Type": kind, "Cache-Control": f"public, max-age={_MAX_AGE_S}", "ETag": tag}
    if tag in header(event, "if-none-match"):
        return Response(304, headers=headers)
    return Response(200, headers=headers, text=text)


PAGES: dict[str, Callable[[dict[str, Any]], Response]] = {
    "/health": _health,
    "/openapi.json": _openapi,
    "/docs": _docs,
}
