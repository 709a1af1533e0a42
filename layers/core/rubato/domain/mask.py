"""Hiding confidential values in what comes back, in whatever spelling a target or a library repeats them.

Known spellings are replaced one by one. Whatever still shows a value once it is decoded is hidden whole.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from html import escape, unescape
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from rubato.domain.exchange import Reply
from rubato.domain.targets import MASK

# A text that was cut may end within a value: as many characters of it are told apart from chance.
_MIN_REMAINDER = 4
_ROUNDS = 2  # of decoding: proxies encode what was encoded
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|([\"'/\\]))")


class Mask:
    """Replaces these values by `***`; without any it leaves everything as it is."""

    def __init__(self, values: Iterable[str]) -> None:
        self._values = sorted({inner for value in values for inner in _inner(value) if inner}, key=len, reverse=True)
        self._forms = sorted({form for value in self._values for form in _forms(value)}, key=len, reverse=True)
        self._cores = sorted({core for value in self._values for core in _base64_cores(value)}, key=len, reverse=True)

    def text(self, text: str, *, is_cut: bool = False) -> str:
        """The text without the values; `is_cut` says that it may end within one."""
        if not self._values or not text:
            return text
        for form in self._forms:
            text = text.replace(form, MASK)
        for core in self._cores:
            text = _without_tokens(text, core)
        if is_cut:
            text = self._without_remainder(text)
        return MASK if self._betrays(text) else text

    def reply(self, reply: Reply) -> Reply:
        """The reply without the values; its body becomes UTF-8."""
        if not self._values:
            return reply
        message = reply.error_message
        return replace(
            reply,
            headers=tuple((self.text(name), self.text(value)) for name, value in reply.headers),
            body=self.text(reply.body.decode(errors="replace"), is_cut=reply.truncated).encode(),
            error_message=self.text(message, is_cut=True) if message is not None else None,
        )

    def _without_remainder(self, text: str) -> str:
        for form in (*self._forms, *self._cores):
            for length in range(min(len(form) - 1, len(text)), _MIN_REMAINDER - 1, -1):
                if text.endswith(form[:length]):
                    return (
                        text[:-length].rstrip("".join(_BASE64)) + MASK
                        if form in self._cores
                        else (text[:-length] + MASK)
                    )
        return text

    def _betrays(self, text: str) -> bool:
        joined = "".join(text.split())
        if any(len(core) >= 2 * _MIN_REMAINDER and core in joined for core in self._cores):
            return True
        return any(value in decoded for decoded in _decoded(text) for value in self._values)


def _inner(value: str) -> Iterator[str]:
    """The value and, when it is base64 of text as in Basic authorization, that text and the password in it."""
    yield value
    try:
        plain = b64decode(
            value + "=" * (-len(value) % 4), altchars=b"-_" if set(value) & set("-_") else None, validate=True
        ).decode()
    except ValueError:
        return
    if plain.isprintable() and len(plain) >= 2 * _MIN_REMAINDER:
        yield plain
        password = plain.partition(":")[2]
        if len(password) >= _MIN_REMAINDER:
            yield password


def _forms(value: str) -> Iterator[str]:
    yield value
    raw = value.encode()
    for safe in ("", "/", "!*'()", "!*'();:@&=+$,/?#[]"):
        yield from _both_cases(quote(value, safe=safe))
    yield from _both_cases(quote_plus(value))
    yield from _both_cases("".join(f"%{byte:02X}" for byte in raw))
    yield from (raw.hex(), raw.hex().upper())
    for spelled in (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]):
        nested = json.dumps(spelled, ensure_ascii=False)[1:-1]  # JSON within a string of JSON
        yield from (spelled, spelled.replace("/", "\\/"), nested)
    yield from (escape(value), escape(value, quote=False), escape(value).replace("&#x27;", "&#39;"))
    # What a reader makes of it that takes UTF-8 for Latin-1, or the other way round, or meets UTF-16.
    yield raw.decode("latin-1")
    yield value.encode("latin-1", errors="replace").decode(errors="replace")
    yield "\0".join(value)


def _both_cases(text: str) -> Iterator[str]:
    yield text
    yield re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), text)


def _base64_cores(value: str) -> Iterator[str]:
    """What base64 of a text with the value in it shows: three alignments, less characters that neighbours share."""
    raw = value.encode()
    for offset, lost in ((0, 0), (1, 2), (2, 3)):
        whole = (offset + len(raw)) // 3 * 4 + ((offset + len(raw)) % 3)
        core = b64encode(b"\0" * offset + raw).decode()[lost:whole]
        if len(core) >= _MIN_REMAINDER:
            yield from (core, core.translate(str.maketrans("+/", "-_")))


def _without_tokens(text: str, core: str) -> str:
    """Each token of base64 that holds the core, hidden whole: its other characters tell bits of the value."""
    at = text.find(core)
    while at >= 0:
        start, end = at, at + len(core)
        while start > 0 and text[start - 1] in _BASE64:
            start -= 1
        while end < len(text) and text[end] in _BASE64:
            end += 1
        text = text[:start] + MASK + text[end:]
        at = text.find(core, start + len(MASK))
    return text


def _decoded(text: str) -> Iterator[str]:
    yield text
    for decode in (*_DECODERS, _decode_all):
        decoded = text
        for _ in range(_ROUNDS):
            decoded = decode(decoded)
            yield decoded


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: match[3] or chr(int(match[1] or match[2], 16)), text)


def _decode_all(text: str) -> str:
    for decode in _DECODERS:
        text = decode(text)
    return text


_DECODERS: tuple[Callable[[str], str], ...] = (unquote, unquote_plus, unescape, _unescape)
