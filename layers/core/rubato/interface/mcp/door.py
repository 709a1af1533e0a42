"""POST /mcp: what HTTP asks of the protocol, and one answer for each message."""

import json
from collections.abc import Callable
from typing import Any

from rubato.domain import errors
from rubato.domain.access import Caller, Door
from rubato.interface.gateway import caller_of, noted, request_id_of
from rubato.interface.mcp import protocol
from rubato.interface.mcp.methods import perform
from rubato.interface.mcp.protocol import Fault, Json
from rubato.interface.requests import has_foreign_type, header, json_of
from rubato.interface.responses import Response, plain_problem
from rubato.ports import World

_MAX_BATCH = 20
_JSON = {"Content-Type": "application/json"}
_ACCEPTABLE = ("application/json", "application/*", "*/*")


def answer(world: World, event: dict[str, Any], on_crash: Callable[[], None]) -> Response:
    """Answer a POST. `on_crash` logs the exception at hand; the caller learns no more than that something broke."""
    if not _is_own_origin(world, event):
        detail = "pages of this origin may not call; the parameter CorsAllowedOrigins names those that may"
        return plain_problem(403, "Not allowed", "forbidden", detail, request_id_of(event))
    caller = caller_of(event, Door.MCP)
    world.telemetry.note(**noted(caller))
    unreadable = _refused_media(event)
    if unreadable is not None:
        return unreadable
    try:
        given = _message(event)
        if isinstance(given, list):
            return _batch(world, caller, event, given, on_crash)
    except Fault as fault:
        return _failure(fault, None, modern=False)
    return _one(world, caller, event, given, on_crash)


def _is_own_origin(world: World, event: dict[str, Any]) -> bool:
    """No agent is a web page. A page that found its way here by DNS rebinding names itself (the specification's MUST).

    The host of the request proves nothing: it is the page's own name that was bound to this address.
    """
    origin = header(event, "origin")
    return not origin or "*" in world.limits.cors_origins or origin in world.limits.cors_origins


def _refused_media(event: dict[str, Any]) -> Response | None:
    request_id = request_id_of(event)
    accepted = [each.split(";")[0].strip().lower() for each in header(event, "accept").split(",")]
    if accepted != [""] and not any(each in _ACCEPTABLE for each in accepted):
        detail = "answers are application/json: name it in Accept, beside text/event-stream"
        return plain_problem(406, "Not acceptable", "not_acceptable", detail, request_id)
    if has_foreign_type(event):
        kind = "unsupported_media_type"
        return plain_problem(415, "Unsupported media type", kind, "send application/json", request_id)
    return None


def _message(event: dict[str, Any]) -> Any:
    try:
        given = json_of(event)
        # Half a surrogate pair is JSON, but no text that could be sent back.
        json.dumps(given, ensure_ascii=False).encode()
    except errors.Invalid as refused:
        raise Fault(protocol.INVALID_REQUEST, str(refused)) from None
    except (errors.Malformed, UnicodeEncodeError, RecursionError):
        raise Fault(protocol.PARSE_ERROR, "the body is not valid JSON") from None
    return given


def _batch(
    world: World, caller: Caller, event: dict[str, Any], messages: list[Any], on_crash: Callable[[], None]
) -> Response:
    if protocol.legacy_version(event) not in protocol.BATCHING:
        raise Fault(protocol.INVALID_REQUEST, f"batches exist in version {protocol.BATCHING[0]} only; send one message")
    if not 0 < len(messages) <= _MAX_BATCH:
        raise Fault(protocol.INVALID_REQUEST, f"a batch holds 1 to {_MAX_BATCH} messages")
    responses = [_one(world, caller, event, each, on_crash) for each in messages]
    bodies = [response.text for response in responses if response.text]
    return Response(200, headers=_JSON, text=f"[{','.join(bodies)}]") if bodies else Response(202)


def _one(world: World, caller: Caller, event: dict[str, Any], message: Any, on_crash: Callable[[], None]) -> Response:
    request = None
    try:
        request = protocol.read(message, event)
        if request is None:
            return Response(202)
        return _told(200, {"id": request.id, "result": perform(world, caller, request)})
    except Fault as fault:
        return _failure(fault, protocol.id_of(message), modern=request is None or request.modern)
    except Exception:  # noqa: BLE001 - the last door before the caller: no stack trace may pass
        on_crash()
        broken = {"code": protocol.INTERNAL_ERROR, "message": "something broke here; it was logged"}
        return _told(500, {"id": protocol.id_of(message), "error": broken})


def _failure(fault: Fault, request_id: str | int | None, *, modern: bool) -> Response:
    error: Json = {"code": fault.code, "message": str(fault)}
    if fault.data is not None:
        error["data"] = fault.data
    return _told(fault.status(modern), {"id": request_id, "error": error})


def _told(status: int, body: Json) -> Response:
    text = json.dumps({"jsonrpc": "2.0", **body}, separators=(",", ":"), ensure_ascii=False)
    return Response(status, headers=_JSON, text=text)
