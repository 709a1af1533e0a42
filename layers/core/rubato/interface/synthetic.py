"""The targets at /synthetic, by which a deployment is monitored: open to all, bounded, and without any state.

Imports nothing that is slow to load: the function behind them is small, and each millisecond of its start is lateness.
"""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from rubato import __version__
from rubato.domain import errors
from rubato.domain.targets import MASK, mask_headers
from rubato.interface.gateway import request_id_of
from rubato.interface.responses import Response, plain_problem, problem, wrong_method
from rubato.ports import World

DEFAULT_DELAY_MS = 2_000
# Waiting costs Lambda time and concurrency, at anybody's wish: template.yaml bounds how many wait at once.
MAX_DELAY_MS = 10_000
DEFAULT_FAILURE_RATE = 0.5
# Rubato retries it, as it does 503. But a 5xx is a fault of the API to CloudWatch: strangers could set off its alarm.
FAILURE_STATUS = 429
MAX_ECHO_BYTES = 16_384
MAX_SEED = 64

# What comes back was written by whoever asked: no browser may take it for a page.
_HARMLESS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"}
_RATE = re.compile(r"-?[0-9]*\.?[0-9]+([eE][-+]?[0-9]{1,4})?")
_LONGEST_NUMBER = 400
_DRAW_BYTES = 6  # exact as a float

Event = dict[str, Any]


def handle(world: World, event: Event, on_crash: Callable[[], None]) -> Event:
    """Answer a proxy event. Anything unforeseen becomes a plain 500 after `on_crash` has logged it."""
    request_id = request_id_of(event)
    try:
        response = _route(world, event)
    except errors.RubatoError as refused:
        response = problem(refused, request_id)
    except Exception:  # noqa: BLE001 - the last door before the caller: no stack trace may pass
        on_crash()
        response = plain_problem(500, "Internal error", "internal", "something broke here; it was logged", request_id)
    answer = replace(response, headers={**response.headers, **_HARMLESS, "X-Request-Id": request_id}).to_event()
    return {**answer, "body": ""} if event["httpMethod"] == "HEAD" else answer


def _route(world: World, event: Event) -> Response:
    method, path = event["httpMethod"], (event.get("path") or "").rstrip("/")
    target = TARGETS.get(path)
    if target is None or not world.limits.synthetic_targets:
        raise errors.NotFound("route", path[:100])
    allowed = sorted({target.method, "OPTIONS", *({"HEAD"} if target.method == "GET" else ())})
    if method == "OPTIONS":
        return Response(204, None, {"Allow": ", ".join(allowed)})
    if method not in allowed:
        return wrong_method(path, allowed, request_id_of(event))
    return target.answer(world, event)


@dataclass(frozen=True, slots=True)
class _Target:
    method: str
    answer: Callable[[World, Event], Response]


def _health(_world: World, _event: Event) -> Response:
    return Response(200, {"status": "ok", "version": __version__})


def _echo(_world: World, event: Event) -> Response:
    body = _body(event)
    if len(body) > MAX_ECHO_BYTES:
        detail = f"the body is longer than {MAX_ECHO_BYTES} bytes; send less"
        return plain_problem(413, "Request too large", "too_large", detail, request_id_of(event))
    told = {
        "method": event["httpMethod"],
        "path": event["path"],
        "query": _without_credentials(_query(event).items()),
        "headers": _without_credentials((name.lower(), value) for name, value in _headers(event).items()),
        "body": _json_or_text(body),
    }
    return Response(200, told)


def _slow(world: World, event: Event) -> Response:
    text = _given(event, "delayMs").get("delayMs", str(DEFAULT_DELAY_MS))
    if not (text.isascii() and text.isdecimal() and int(text[:9]) <= MAX_DELAY_MS):
        raise errors.Invalid.field("delayMs", f"must be a whole number of milliseconds from 0 to {MAX_DELAY_MS}")
    delay = int(text)
    if event["httpMethod"] == "GET":
        world.clock.sleep_until(world.clock.now() + delay)
    return Response(200, {"status": "ok", "delayMs": delay})


def _flaky(world: World, event: Event) -> Response:
    given = _given(event, "failureRate", "seed")
    rate, seed = _rate(given.get("failureRate", str(DEFAULT_FAILURE_RATE))), given.get("seed")
    if seed is not None and not 1 <= len(seed) <= MAX_SEED:
        raise errors.Invalid.field("seed", f"must have 1 to {MAX_SEED} characters")
    drawn = world.entropy.bytes(_DRAW_BYTES) if seed is None else _digest(seed, event)
    draw = fraction(drawn)
    if draw < rate:
        detail = f"drew {draw:.4f}, below failureRate {rate:g}: fails on purpose; try again"
        return plain_problem(FAILURE_STATUS, "Fails on purpose", "synthetic_failure", detail, request_id_of(event))
    return Response(200, {"status": "ok", "failureRate": rate, "draw": draw})


def fraction(random: bytes) -> float:
    """From 0 up to, not including, 1; of the first bytes."""
    return int.from_bytes(random[:_DRAW_BYTES], "big") / (1 << 8 * _DRAW_BYTES)


def draw_of(seed: str, run_id: str, attempt: str) -> bytes:
    """What a seed draws for an attempt of a run: the same whenever it is asked, another for each attempt."""
    return sha256("\n".join((seed, run_id, attempt)).encode()).digest()


def _digest(seed: str, event: Event) -> bytes:
    headers = {name.lower(): value for name, value in _headers(event).items()}
    return draw_of(seed, headers.get("rubato-run-id", ""), headers.get("rubato-attempt", ""))


def _rate(text: str) -> float:
    rate = float(text) if len(text) <= _LONGEST_NUMBER and _RATE.fullmatch(text) else -1.0
    if not 0 <= rate <= 1:
        raise errors.Invalid.field("failureRate", "must be a number from 0 to 1, such as 0.25")
    return rate


def _headers(event: Event) -> dict[str, str]:
    return event.get("headers") or {}


def _query(event: Event) -> dict[str, Any]:
    """Each parameter's value; those of one that came more than once as a list."""
    many = {name: values if len(values) > 1 else values[0] for name, values in _repeatable(event).items() if values}
    return {**(event.get("queryStringParameters") or {}), **many}


def _repeatable(event: Event) -> dict[str, list[str]]:
    return event.get("multiValueQueryStringParameters") or {}


def _given(event: Event, *known: str) -> dict[str, str]:
    """The query, if it has nothing but these parameters, each once; raises Invalid that names the others."""
    query = _query(event)
    wrong = [errors.FieldError(name, "unknown query parameter") for name in query if name not in known]
    wrong += [errors.FieldError(name, "given more than once") for name in known if isinstance(query.get(name), list)]
    if wrong:
        raise errors.Invalid(*wrong)
    return query


def _without_credentials(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Left out, by the same names by which they are masked in records of runs."""
    return {name: value for name, value in pairs if mask_headers(((name, ""),)) != ((name, MASK),)}


def _body(event: Event) -> bytes:
    text = event.get("body") or ""
    return b64decode(text) if event.get("isBase64Encoded") else text.encode()


def _json_or_text(body: bytes) -> Any:
    text = body.decode(errors="replace")
    try:
        return json.loads(text, parse_constant=_refuse) if text else None
    except (ValueError, RecursionError):
        return text


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


TARGETS = {
    "/synthetic/health": _Target("GET", _health),
    "/synthetic/echo": _Target("POST", _echo),
    "/synthetic/slow": _Target("GET", _slow),
    "/synthetic/flaky": _Target("GET", _flaky),
}
