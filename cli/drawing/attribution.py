"""Who did something and why, as people read it."""

import json


def author(kind: str, who: str) -> str:
    """`rule surge`, `human key_anne`, `planner`; the system is `Rubato`."""
    if kind == "system":
        return plain(who).capitalize()
    return plain(who if who == kind else f"{kind} {who}")


def plain(text: str) -> str:
    """On one line and of printable letters: what others have written forges no line and steers no terminal."""
    return " ".join("".join(letter for letter in text if letter.isprintable() or letter.isspace()).split())


def visible(text: str) -> str:
    """With JSON's escapes in place of what no terminal prints: a value is seen as it is, and steers nothing."""
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)
