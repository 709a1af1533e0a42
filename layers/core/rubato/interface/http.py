"""The HTTP door: from an API Gateway event to an action and back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from rubato.domain import errors
from rubato.domain.access import Door
from rubato.interface import cors, open_pages, routes
from rubato.interface.action import Action
from rubato.interface.document import Document
from rubato.interface.gateway import caller_of, noted, request_id_of
from rubato.interface.idempotency import key_in
from rubato.interface.perform import admit, perform
from rubato.interface.requests import BODY_METHODS, has_foreign_type, if_match, path_of, read_input
from rubato.interface.responses import Response, plain_problem, problem, wrong_method
from rubato.interface.wire import Output
from rubato.ports import World

_MAX_PATH = 300
_AGENTS = "/mcp"


def handle(world: World, event: dict[str, Any], on_crash: Callable[[], None]) -> dict[str, Any]:
    """Answer a proxy event. Anything unforeseen becomes a plain 500 after `on_crash` has logged it."""
    request_id = request_id_of(event)
    try:
        response = _route(world, event, on_crash)
    except errors.RubatoError as refused:
        response = problem(refused, request_id)
    except Exception:  # noqa: BLE001 - the last door before the caller: no stack trace may pass
        on_crash()
        response = plain_problem(500, "Internal error", "internal", "something broke here; it was logged", request_id)
    shared = cors.headers(world.limits.cors_origins, event)
    answer = replace(response, headers={**response.headers, **shared, "X-Request-Id": request_id}).to_event()
    return {**answer, "body": ""} if event["httpMethod"] == "HEAD" else answer


def _route(world: World, event: dict[str, Any], on_crash: Callable[[], None]) -> Response:
    method, path = event["httpMethod"], path_of(event)
    page = open_pages.PAGES.get(path)
    matching = routes.matching(path)
    if (page is None and not matching and path != _AGENTS) or len(path) > _MAX_PATH:
        raise errors.NotFound("route", path[:_MAX_PATH])
    known = {action.method for action, _ in matching} if matching else {"GET" if page else "POST"}
    allowed = _allowed(known)
    if method == "OPTIONS":
        return Response(204, None, {"Allow": ", ".join(allowed), **cors.preflight(world.limits.cors_origins, event)})
    if method not in allowed:
        return wrong_method(path, allowed, request_id_of(event))
    if page is not None:
        return page(event)
    if path == _AGENTS:
        # NOTE: imported here, for requests of people and programs shall not wait for it.
        from rubato.interface.mcp.door import answer

        return answer(world, event, on_crash)
    # HEAD is GET without the body (RFC 9110, section 9.3.2).
    wanted = "GET" if method == "HEAD" else method
    action, match = next(each for each in matching if each[0].method == wanted)
    return _perform(world, event, action, {key: unquote(value) for key, value in match.groupdict().items()})


def _allowed(methods: set[str]) -> list[str]:
    return sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set()))


def _perform(world: World, event: dict[str, Any], action: Action, parameters: dict[str, str]) -> Response:
    caller = caller_of(event, Door.HTTP)
    world.telemetry.note(action=action.name, **noted(caller), **parameters)
    admit(caller, action)
    if action.method in BODY_METHODS and has_foreign_type(event):
        kind, request_id = "unsupported_media_type", request_id_of(event)
        return plain_problem(415, "Unsupported media type", kind, "send application/json", request_id)
    given = read_input(event, action, parameters)
    options = {"if_version": if_match(event)} if action.versioned and not action.read_only else {}
    key = key_in(event) if action.creates else None
    return _answer(action, perform(world, caller, action, given, key, **options))


def _answer(action: Action, output: Output | None) -> Response:
    if output is None:
        return Response(action.status)
    if isinstance(output, Document):
        headers = {"Content-Type": output.media_type, **output.headers}
        return Response(action.status, headers=headers, text=output.text)
    body = output.to_json()
    headers = {"ETag": f'"{body["version"]}"'} if "version" in body and "items" not in body else {}
    return Response(action.status, body, headers)
