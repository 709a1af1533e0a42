"""Who did something and why, as people read it."""


def author(kind: str, who: str) -> str:
    """`rule surge`, `human key_anne`, `planner`; the system is `Rubato`."""
    if kind == "system":
        return plain(who).capitalize()
    return plain(who if who == kind else f"{kind} {who}")


def plain(text: str) -> str:
    """On one line and of printable letters: what others have written forges no line and steers no terminal."""
    return " ".join("".join(letter for letter in text if letter.isprintable() or letter.isspace()).split())
