"""`{{secret:NAME}}` in a request: where it may stand, which names there are, and what takes its place. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote

from rubato.domain.endpoint import TargetRequest
from rubato.domain.errors import FieldError, Invalid
from rubato.domain.exchange import Call
from rubato.domain.targets import MASK, is_header_value

NAME = r"[A-Za-z][A-Za-z0-9_]{0,63}"
_OPENING = "{{secret:"
_PLACEHOLDER = re.compile(rf"\{{\{{secret:({NAME})\}}\}}")
_URL_PATH = "request.url"


def check_placeholders(request: TargetRequest) -> None:
    """Raise Invalid for a placeholder that is misspelled, or that stands in a URL anywhere but in the query."""
    broken = [
        FieldError(path, "write a secret as {{secret:NAME}}: a letter, then up to 63 letters, digits or underscores")
        for path, text in _texts(request)
        if text.count(_OPENING) != len(_PLACEHOLDER.findall(text))
    ]
    address = request.url.partition("#")[0].partition("?")[0]
    if _OPENING in address or _OPENING in request.url.partition("#")[2]:
        broken.append(FieldError(_URL_PATH, "a secret may stand only in the query, behind the ?"))
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
    it stands as it is. Raises Invalid, naming the secret and not its value, for what a header can't carry, and
    KeyError for a name without a value.
    """
    headers = tuple((name, _filled_header(name, text, values)) for name, text in call.headers)
    spelled = {name: json.dumps(value, ensure_ascii=False)[1:-1] for name, value in values.items()}
    body = _replaced((call.body or b"").decode(), spelled if is_json else values).encode()
    return replace(
        call,
        url=_replaced(call.url, {name: quote(value, safe="") for name, value in values.items()}),
        headers=headers,
        body=None if call.body is None else body,
        confidential_headers=frozenset(name.lower() for name, text in call.headers if _PLACEHOLDER.search(text)),
        confidential_body=call.body is not None and body != call.body,
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
