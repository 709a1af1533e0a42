"""`{{secret:NAME}}` in a request: where it may stand, which names there are, and what takes its place. Pure."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote

from rubato.domain.endpoint import TargetRequest
from rubato.domain.errors import FieldError, Invalid
from rubato.domain.exchange import Call
from rubato.domain.targets import MASK, MAX_URL_LENGTH, is_header_value

NAME = r"[A-Za-z][A-Za-z0-9_]{0,63}"
_OPENING = "{{secret:"
_PLACEHOLDER = re.compile(rf"\{{\{{secret:({NAME})\}}\}}")
_URL_PATH = "request.url"
MAX_PLACEHOLDERS = 100
"""In one request."""
MAX_FILLED_BODY = 262_144
"""Bytes; ten runs stand in one worker's memory at a time, each with some copies of its body."""
MAX_FILLED_HEADERS = 16_384
"""Bytes of all values together. Servers take 8 to 64 KiB."""


def check_placeholders(request: TargetRequest) -> None:
    """Raise Invalid for placeholders that are misspelled, too many, or in a URL anywhere but in the query."""
    broken = [
        FieldError(path, "write a secret as {{secret:NAME}}: a letter, then up to 63 letters, digits or underscores")
        for path, text in _texts(request)
        if text.count(_OPENING) != len(_PLACEHOLDER.findall(text))
    ]
    address = request.url.partition("#")[0].partition("?")[0]
    if _OPENING in address or _OPENING in request.url.partition("#")[2]:
        broken.append(FieldError(_URL_PATH, "a secret may stand only in the query, behind the ?"))
    count = sum(text.count(_OPENING) for _, text in _texts(request))
    if count > MAX_PLACEHOLDERS:
        broken.append(FieldError("request", f"has {count} placeholders of secrets; at most {MAX_PLACEHOLDERS}"))
    if broken:
        raise Invalid(*broken)


def names_in_request(request: TargetRequest) -> frozenset[str]:
    """The secrets that the configured request names."""
    return frozenset(name for _, text in _texts(request) if _OPENING in text for name in _PLACEHOLDER.findall(text))


def names_in_call(call: Call) -> frozenset[str]:
    """The secrets that the composed call names."""
    texts = [call.url, *(value for _, value in call.headers)]
    found = {name for text in texts if _OPENING in text for name in _PLACEHOLDER.findall(text)}
    if call.body is not None and _OPENING.encode() in call.body:
        found.update(_PLACEHOLDER.findall(call.body.decode()))
    return frozenset(found)


def fill(call: Call, values: Mapping[str, str], *, is_json: bool) -> Call:
    """The call with every placeholder replaced, and marked with what of it is confidential.

    In the query a value is percent-encoded, in a JSON body escaped as in a JSON string, in a text body and in headers
    it stands as it is. Raises Invalid, naming the secret and not its value, for what a header can't carry; for what
    would become too large, before anything of that size is made; and KeyError for a name without a value.
    """
    quoted = {name: quote(value, safe="") for name, value in values.items()}
    spelled = {name: json.dumps(value, ensure_ascii=False)[1:-1] for name, value in values.items()}
    in_body = spelled if is_json else values
    body = (call.body or b"").decode()
    _check_size(_URL_PATH, (call.url,), quoted, MAX_URL_LENGTH)
    _check_size("request.headers", [text for _, text in call.headers], values, MAX_FILLED_HEADERS)
    _check_size("request.body", (body,), in_body, MAX_FILLED_BODY)
    return replace(
        call,
        url=_replaced(call.url, quoted),
        headers=tuple((name, _filled_header(name, text, values)) for name, text in call.headers),
        body=None if call.body is None else _replaced(body, in_body).encode(),
        confidential_headers=frozenset(name.lower() for name, text in call.headers if _PLACEHOLDER.search(text)),
        confidential_body=_PLACEHOLDER.search(body) is not None,
    )


def hidden(call: Call) -> Call:
    """The call with `***` in place of each secret: as records show it."""
    if not names_in_call(call):
        return call
    return replace(
        call,
        url=_PLACEHOLDER.sub(MASK, call.url),
        headers=tuple((name, _PLACEHOLDER.sub(MASK, text)) for name, text in call.headers),
        body=None if call.body is None else _PLACEHOLDER.sub(MASK, call.body.decode()).encode(),
    )


def _texts(request: TargetRequest) -> Iterator[tuple[str, str]]:
    yield _URL_PATH, request.url
    for name, value in request.headers:
        yield f"request.headers.{name}", value
    if request.body is not None:
        body = request.body if isinstance(request.body, str) else json.dumps(request.body, ensure_ascii=False)
        yield "request.body", body


def _replaced(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)


def _check_size(path: str, texts: Sequence[str], values: Mapping[str, str], limit: int) -> None:
    """Of what has placeholders; the rest was judged when it was saved."""
    if not any(_OPENING in text for text in texts):
        return
    sizes = {name: len(value.encode()) for name, value in values.items()}
    size = sum(_filled_size(text, sizes) for text in texts)
    if size > limit:
        raise Invalid.field(path, f"becomes {size} bytes with its secrets; at most {limit} can be sent")


def _filled_size(text: str, sizes: Mapping[str, int]) -> int:
    return len(text.encode()) + sum(sizes[each[1]] - len(each[0]) for each in _PLACEHOLDER.finditer(text))


def _filled_header(name: str, text: str, values: Mapping[str, str]) -> str:
    filled = _replaced(text, values)
    if filled != text and not is_header_value(filled):
        names = " and ".join(sorted(set(_PLACEHOLDER.findall(text))))
        raise Invalid.field(
            f"request.headers.{name}",
            f"{names} can't go there: a header takes no line breaks, no outer"
            " space and only Latin-1; put another value, or use it in the body",
        )
    return filled
