"""The examples of docs/api.md: read, sent, and compared with what comes back."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

API_MD = Path(__file__).parent.parent / "docs" / "api.md"

_BLOCK = re.compile(r"^```http\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PLACEHOLDER = re.compile(r"\{([A-Za-z]+)\}")
_ANY = "<any>"
_MISSING = "<missing>"


@dataclass(frozen=True, kw_only=True)
class Example:
    """A request and what of its answer is shown: a JSON document in part, or the beginnings of lines of text."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str
    status: int
    answer: str

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status}"


class Send(Protocol):
    """Sends a request whose placeholders are filled in; `path` has the query."""

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: str) -> tuple[int, str]:
        """The status and the text of the answer."""
        ...


def read(text: str) -> Iterator[Example]:
    """Every ```http block: request line, headers, body, status, answer, with empty lines between the parts."""
    for block in _BLOCK.findall(text):
        request, status, answer = re.split(r"^(\d{3})$", block, maxsplit=1, flags=re.MULTILINE)
        head, _, body = request.partition("\n\n")
        first, *lines = head.splitlines()
        method, path = first.split(" ")
        headers = dict(line.split(": ", 1) for line in lines)
        yield Example(
            method=method,
            path=path,
            headers=headers,
            body=body.strip(),
            status=int(status),
            answer=answer.strip(),
        )


def play(examples: list[Example], send: Send, known: dict[str, str]) -> None:
    """Send them in order. Placeholders are filled from `known`, and known from the first answer that has them."""
    for example in examples:
        headers = {name: _filled(value, known) for name, value in example.headers.items()}
        status, text = send(example.method, _filled(example.path, known), headers, _filled(example.body, known))
        assert status == example.status, f"{example} gave {status}: {text}"
        _compare(example, text, known)


def _compare(example: Example, text: str, known: dict[str, str]) -> None:
    if not example.answer:
        assert text == "", f"{example} gave a body: {text}"
    elif example.answer.startswith("{"):
        faults = list(_faults(json.loads(example.answer), json.loads(text), known, "answer"))
        assert not faults, f"{example}: {'; '.join(faults)}\n{text}"
    else:
        for line in example.answer.splitlines():
            assert _filled(line, known) in text, f"{example} does not say {line!r}:\n{text}"


def _faults(shown: Any, given: Any, known: dict[str, str], where: str) -> Iterator[str]:
    """Where what was given is not what is shown. Of an object the shown fields count, of a list the shown items."""
    if isinstance(shown, dict) and isinstance(given, dict):
        for name, value in shown.items():
            yield from _faults(value, given.get(name, _MISSING), known, f"{where}.{name}")
    elif isinstance(shown, list) and isinstance(given, list):
        for place, value in enumerate(shown):
            if all(any(_faults(value, each, dict(known), where)) for each in given):
                yield f"{where}[{place}] is not there"
    elif isinstance(shown, str) and (name := _PLACEHOLDER.fullmatch(shown)):
        if known.setdefault(name[1], given) != given:
            yield f"{where} is {given!r}, not {known[name[1]]!r}"
    elif given == _MISSING or shown not in (given, _ANY):
        yield f"{where} is {given!r}, not {shown!r}"


def _filled(text: str, known: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda name: known[name[1]], text)
