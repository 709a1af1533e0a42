"""Hiding confidential values in what comes back, in whatever spelling a target or a library repeats them.

Known spellings are replaced one by one. Whatever still shows a value once it is decoded is hidden whole. All of it
takes time in proportion to the text, also where a target repeats a value often or a value repeats itself.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property

from rubato.domain.exchange import Reply
from rubato.domain.spellings import BASE64, base64_cores, decodings, forms, inner, misread
from rubato.domain.targets import MASK

# A text that was cut may end within a value: as many characters of it are told apart from chance.
_MIN_REMAINDER = 4
# After so many wrong guesses where a remainder begins, everything that could be one is hidden.
_MAX_GUESSES = 64
_MAX_LABEL = 512  # characters; real names and messages are shorter
_TOKEN = re.compile(f"[{re.escape(BASE64)}]+")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


class Mask:
    """Replaces these values by `***`; without any it leaves everything as it is."""

    def __init__(self, values: Iterable[str]) -> None:
        self._values = _longest_first(each for value in values for each in inner(value) if each)
        self._forms = _longest_first(form for value in self._values for form in forms(value))
        self._cores = _longest_first(core for value in self._values for core in base64_cores(value))

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
        return MASK if self._betrays(text, is_cut) else text

    def label(self, text: str, *, is_cut: bool = False) -> str:
        """The same for what may have been put into lower case, such as a host in a message or the name of a header.

        Longer ones than anybody reads are hidden whole.
        """
        if not self._values or not text:
            return text
        if len(text) > _MAX_LABEL:
            return MASK
        text = self.text(text, is_cut=is_cut)
        lowered = _lower(text)
        for form in self._lowered:
            if form in lowered:
                text, lowered = _without(text, lowered, form)
        at = _remainder_at(lowered, self._lowered) if is_cut else len(text)
        return text if at == len(text) else text[:at] + MASK

    def reply(self, reply: Reply) -> Reply:
        """The reply without the values; its body becomes UTF-8."""
        if not self._values:
            return reply
        message = reply.error_message
        return replace(
            reply,
            headers=tuple((self.label(name), self.text(value)) for name, value in reply.headers),
            body=self._body(reply.body, reply.truncated),
            error_message=self.label(message, is_cut=True) if message is not None else None,
        )

    def _body(self, body: bytes, is_cut: bool) -> bytes:
        text = body.decode(errors="replace")
        # What was cut within a character would hide that a value ends there.
        return self.text(text.rstrip("\N{REPLACEMENT CHARACTER}") if is_cut else text, is_cut=is_cut).encode()

    @cached_property
    def _lowered(self) -> Sequence[str]:
        # Of a longer one a label holds no more than its beginning.
        return _longest_first(_lower(each[: _MAX_LABEL + 1]) for each in (*self._forms, *self._cores))

    def _without_remainder(self, text: str) -> str:
        at = _remainder_at(text, self._forms)
        token = _remainder_at(text, self._cores)
        if token < len(text):
            at = min(at, len(text[:token].rstrip(BASE64)))
        return text if at == len(text) else text[:at] + MASK

    def _betrays(self, text: str, is_cut: bool) -> bool:
        # Base64 is wrapped into lines, and within JSON their ends are escaped.
        joined = "".join(text.split()).replace("\\n", "").replace("\\r", "").rstrip("\\")
        if any(len(core) >= 2 * _MIN_REMAINDER and core in joined for core in self._cores):
            return True
        if is_cut and _remainder_at(joined, self._cores) < len(joined):
            return True
        return any(value in decoded for decoded in decodings(text) for value in self._betraying)

    @cached_property
    def _betraying(self) -> Sequence[str]:
        return _longest_first(each for value in self._values for each in (value, misread(value)))


def _longest_first(texts: Iterable[str]) -> Sequence[str]:
    return sorted(set(texts), key=len, reverse=True)


def _lower(text: str) -> str:
    """ASCII alone, as for hosts, so that every character keeps its place."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def _without(text: str, lowered: str, form: str) -> tuple[str, str]:
    """Both texts, which go side by side, without the form."""
    told, done, at = list[str](), 0, lowered.find(form)
    while at >= 0:
        told += [text[done:at], MASK]
        done = at + len(form)
        at = lowered.find(form, done)
    return "".join(told) + text[done:], lowered.replace(form, MASK)


def _without_tokens(text: str, core: str) -> str:
    """Each token of base64 that holds the core, hidden whole: its other characters tell bits of the value."""
    told, done, at = list[str](), 0, text.find(core)
    while at >= 0:
        told += [text[done:at].rstrip(BASE64), MASK]
        rest = _TOKEN.match(text, at + len(core))
        done = rest.end() if rest else at + len(core)
        at = text.find(core, done)
    return "".join(told) + text[done:]


def _remainder_at(text: str, whole: Iterable[str]) -> int:
    """Where the beginning of one of these starts that the text ends with; the text's length if it ends with none."""
    end = text[-_MIN_REMAINDER:]
    if len(end) < _MIN_REMAINDER:
        return len(text)
    return len(text) - max((_remainder(text, each, end) for each in whole), default=0)


def _remainder(text: str, whole: str, end: str) -> int:
    """How many characters of the beginning of `whole` the text ends with; `end` are its last few."""
    length, guesses = min(len(whole) - 1, len(text)), 0
    at = whole.rfind(end, 0, length)
    while at >= 0:
        length = at + len(end)
        if guesses == _MAX_GUESSES or text.endswith(whole[:length]):
            return length
        guesses += 1
        at = whole.rfind(end, 0, length - 1)
    return 0
