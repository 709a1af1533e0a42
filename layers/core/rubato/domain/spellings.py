"""The ways in which a value comes back: encoded, escaped, quoted, misread. Pure text."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from html import escape, unescape
from urllib.parse import quote, quote_plus, unquote, unquote_plus

BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_="
_MIN_PASSWORD = 4
_MIN_PLAIN = 8
_MIN_CORE = 4
_ROUNDS = 2  # of decoding: proxies encode what was encoded
_HEX = re.compile("%[0-9A-F]{2}")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|([\"'/\\]))")


def inner(value: str) -> Iterator[str]:
    """The value and, when it is base64 of text as in Basic authorization, that text and the password in it."""
    yield value
    try:
        plain = b64decode(
            value + "=" * (-len(value) % 4), altchars=b"-_" if set(value) & set("-_") else None, validate=True
        ).decode()
    except ValueError:
        return
    if plain.isprintable() and len(plain) >= _MIN_PLAIN:
        yield plain
        password = plain.partition(":")[2]
        if len(password) >= _MIN_PASSWORD:
            yield password


def forms(value: str) -> Iterator[str]:
    """Spellings that are text for text: each character of the value becomes some of the spelling."""
    yield value
    raw = value.encode()
    for safe in ("", "/", "!*'()", "!*'();:@&=+$,/?#[]"):
        yield from _both_cases(quote(value, safe=safe))
    yield from _both_cases(quote_plus(value))
    spelled = raw.hex()
    percent = "%" + raw.hex("%")
    yield from (spelled, spelled.upper(), percent, percent.upper())
    yield from _quoted(value, raw)
    yield from (escape(value), escape(value, quote=False), escape(value).replace("&#x27;", "&#39;"))
    # What a reader makes of it that takes UTF-8 for Latin-1, or the other way round, or meets UTF-16.
    yield misread(value)
    yield value.encode("latin-1", errors="replace").decode(errors="replace")
    yield "\0".join(value)


def misread(value: str) -> str:
    """As who takes UTF-8 for Latin-1 reads it."""
    return value.encode().decode("latin-1")


def base64_cores(value: str) -> Iterator[str]:
    """What base64 of a text with the value in it shows: three alignments, less characters that neighbours share."""
    raw = value.encode()
    for offset, lost in ((0, 0), (1, 2), (2, 3)):
        whole = (offset + len(raw)) // 3 * 4 + ((offset + len(raw)) % 3)
        core = b64encode(b"\0" * offset + raw).decode()[lost:whole]
        if len(core) >= _MIN_CORE:
            yield from (core, core.translate(str.maketrans("+/", "-_")))


def decodings(text: str) -> Iterator[str]:
    """The text, and what readers make of it who decode it once or twice."""
    yield text
    for decode in (*_DECODERS, _decode_all):
        known = text
        for _ in range(_ROUNDS):
            decoded = decode(known)
            if decoded == known:
                break
            yield decoded
            known = decoded


def _quoted(value: str, raw: bytes) -> Iterator[str]:
    literals = (repr(value)[1:-1], repr(raw)[2:-1])
    # Python quotes with " where a text has ' in it, or escapes that.
    swapped = (each.replace("'", "\\'") for each in literals)
    for spelled in (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], *literals, *swapped):
        nested = json.dumps(spelled, ensure_ascii=False)[1:-1]  # JSON within a string of JSON
        yield from (spelled, spelled.replace("/", "\\/"), nested)


def _both_cases(text: str) -> Iterator[str]:
    yield text
    if "%" in text:
        yield _HEX.sub(lambda match: match[0].lower(), text)


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: match[3] or chr(int(match[1] or match[2], 16)), text)


def _decode_all(text: str) -> str:
    for decode in _DECODERS:
        text = decode(text)
    return text


_DECODERS: tuple[Callable[[str], str], ...] = (unquote, unquote_plus, unescape, _unescape)
