"""Guides for models, as resources: markdown files beside this module."""

from pathlib import Path
from typing import Any

from rubato.interface.mcp.protocol import Json

_FOLDER = Path(__file__).parent / "guides"
_SCHEME = "rubato://guides/"
_KIND = "text/markdown"
# name -> title, when to read it
_GUIDES = {
    "overview": ("What Rubato is", "Words, the tools by task, and what each scope allows. Read it first."),
    "scheduling": ("When endpoints run", "Baselines, hints, clamps, backoff, pauses: how the next run is found."),
    "steering": ("How to steer", "Which change fits which situation, and what a careful agent does not do."),
    "rules": ("Rules and the planner", "What changes tempo by itself in a job, and how it meets your own changes."),
}


def listed() -> list[Json]:
    """The entries of resources/list."""
    return [
        {"uri": _SCHEME + name, "name": name, "title": title, "description": about, "mimeType": _KIND}
        for name, (title, about) in _GUIDES.items()
    ]


def contents(uri: Any) -> Json | None:
    """A guide by its URI; None when there is none."""
    name = uri.removeprefix(_SCHEME) if isinstance(uri, str) and uri.startswith(_SCHEME) else ""
    if name not in _GUIDES:
        return None
    return {"uri": uri, "mimeType": _KIND, "text": (_FOLDER / f"{name}.md").read_text(encoding="utf-8")}
