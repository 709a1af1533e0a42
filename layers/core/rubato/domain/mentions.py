"""What an expression reads of the document, found in its syntax tree, so that nothing else need be fetched."""

from collections.abc import Iterable
from dataclasses import dataclass

from rubato.domain.expressions import Tree, tree_of

ANY = "*"
ALL_FIELDS = frozenset({ANY})

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mentions:
    """Paths from the document's root; `*` stands for any name, and a path stands for all that lies below it."""

    paths: frozenset[Path]

    @property
    def endpoints(self) -> dict[str, frozenset[str]]:
        """By endpoint, or `*` for every one, the fields that are read; `*` among them is all of them."""
        found: dict[str, set[str]] = {}
        for path in self.paths:
            if path and path[0] not in ("endpoints", ANY):
                continue
            name = path[1] if len(path) > 1 else ANY
            found.setdefault(name, set()).add(path[2] if len(path) > 2 else ANY)
        return {name: frozenset(fields) for name, fields in found.items()}

    def fields_of(self, name: str) -> frozenset[str]:
        """What is read of the endpoint of that name."""
        mine = self.endpoints
        return mine.get(name, frozenset()) | mine.get(ANY, frozenset())


def mentions_of(expressions: Iterable[str]) -> Mentions:
    """What these checked expressions read, taken together. Rather too much than too little."""
    found: set[Path] = set()
    for text in expressions:
        reader = _Reader()
        reader.consume(tree_of(text), ())
        found |= reader.paths
    return Mentions(frozenset(found))


def wants(fields: frozenset[str], *names: str) -> bool:
    """Whether any of these fields is among those that are read."""
    return ANY in fields or any(name in fields for name in names)


class _Reader:
    """Follows paths through the tree. `None` in place of a path: a value that was made, whose parts are noted."""

    def __init__(self) -> None:
        self.paths: set[Path] = set()

    def consume(self, node: Tree, at: Path | None) -> None:
        """The node's value is used as a whole."""
        path = self._follow(node, at)
        if path is not None:
            self.paths.add(path)

    def _follow(self, node: Tree, at: Path | None) -> Path | None:  # noqa: PLR0911 - one for each shape of node
        children = node.get("children", ())
        match node["type"]:
            case "field":
                return (*at, node["value"]) if at is not None else None
            case "current" | "identity" | "index" | "slice":
                return at
            case "subexpression" | "index_expression" | "pipe":
                for child in children:
                    at = self._follow(child, at)
                return at
            case "flatten":
                return self._follow(children[0], at)
            case "projection" | "value_projection" | "filter_projection":
                return self._project(node, at)
            case "literal" | "expref":  # the elements that an argument is applied to are those of another argument
                return None
        for child in children:
            self.consume(child, at)
        return None

    def _project(self, node: Tree, at: Path | None) -> Path | None:
        base, right, *condition = node["children"]
        within = self._follow(base, at)
        if within is not None and node["type"] == "value_projection":
            within = (*within, ANY)
        for each in condition:
            self.consume(each, within)
        return self._follow(right, within)
