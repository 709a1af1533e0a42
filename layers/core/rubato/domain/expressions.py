"""JMESPath, the language of rules: checked when it is saved, bounded when it is evaluated. Nobody else imports it.

An expression comes from a user and its document from strangers, so neither may hold a worker. Length, nesting and
number of nodes are capped when it is saved. Evaluating counts steps: one for each node visited, and one for each item
or piece of text that a function, a comparison or a flattening walks or makes. Both are bounded by arithmetic, not by a
timer, so that the same expression over the same document always ends alike.
"""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from jmespath.exceptions import JMESPathError, JMESPathTypeError
from jmespath.functions import Functions
from jmespath.parser import Parser
from jmespath.visitor import Options, TreeInterpreter

from rubato.domain.errors import Invalid
from rubato.domain.whole_text import is_whole, whole, whole_json

MAX_LENGTH = 2_000
MAX_DEPTH = 60
MAX_NODES = 500
MAX_STEPS = 20_000
# Far below what Python recurses to, and far above what anybody reads.
MAX_VALUE_DEPTH = 100
_PIECE = 16  # characters to a step
_BY_KEY = ("sort_by", "min_by", "max_by")
_BROKEN = (JMESPathError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)
_MAX_TROUBLE = 200

Tree = dict[str, Any]


class Unevaluable(ValueError):
    """The expression has no value over this document; the message says why."""


def check_expression(text: str, path: str) -> None:
    """Raise Invalid, blaming the field `path`, for what is no expression or too much of one."""
    if len(text) > MAX_LENGTH:
        raise Invalid.field(path, f"is {len(text)} characters long; at most {MAX_LENGTH} are allowed")
    try:
        tree = tree_of(text)
    except RecursionError:
        raise Invalid.field(path, f"is nested too deeply; at most {MAX_DEPTH} levels are allowed") from None
    except (JMESPathError, ValueError, LookupError) as error:
        raise Invalid.field(path, f"is no JMESPath expression: {_told(error)}; write numbers as `5`") from None
    if tree["type"] == "expref":
        raise Invalid.field(path, "& stands only before an argument of a function")
    for number, (node, depth) in enumerate(_walk(tree), 1):
        if depth > MAX_DEPTH:
            raise Invalid.field(path, f"is nested too deeply; at most {MAX_DEPTH} levels are allowed")
        if number > MAX_NODES:
            raise Invalid.field(path, f"has too many parts; at most {MAX_NODES} are allowed")
        _check_text(node, path)
        _check_function(node, path)
        _check_references(node, path)
        _check_negation(node, path)


@lru_cache(maxsize=512)
def tree_of(text: str) -> Tree:
    """The syntax tree: nodes with `type`, `children` and, some, `value`. Raises JMESPathError."""
    return _with_whole_projections(Parser().parse(text).parsed)


def _with_whole_projections(node: Tree) -> Tree:
    """NOTE: jmespath 1.1 reads `a.*.b.c` as `(a.*.b).c`, which is always null; the language means `a.*.(b.c)`."""
    children = [_with_whole_projections(each) if isinstance(each, dict) else each for each in node.get("children", ())]
    if node["type"] == "subexpression" and children[0]["type"] == "value_projection":
        base, right = children[0]["children"]
        return {**children[0], "children": [base, {**node, "children": [right, *children[1:]]}]}
    return {**node, "children": children}


def evaluate(text: str, document: Any) -> Any:
    """The value of a checked expression; raises Unevaluable for one that has none, or that takes too long.

    A missing value is null and stays null in functions, which JMESPath itself refuses.
    """
    meter = _Meter()
    try:
        value = _Interpreter(meter).visit(tree_of(text), document)
    except Unevaluable:
        raise
    except _BROKEN as error:
        raise Unevaluable(_told(error)) from error
    return value


def is_true(value: Any) -> bool:
    """As JMESPath has it: null, false and what is empty are false; everything else is true, also 0."""
    return not (value is None or value is False or value in ("", [], {}))


def shown(value: Any) -> Any:
    """The value if it is one that can be shown, None for what is too large or nested too deeply."""
    try:
        _Meter().weigh(value)
        return whole_json(json.loads(json.dumps(value, allow_nan=False)))
    except (Unevaluable, ValueError, TypeError, RecursionError):
        return None


class _Meter:
    """Counts the steps of one evaluation."""

    def __init__(self) -> None:
        self._left = MAX_STEPS

    def take(self, steps: int = 1) -> None:
        """Raises Unevaluable when there are none left."""
        self._left -= steps
        if self._left < 0:
            raise Unevaluable(f"takes more than {MAX_STEPS} steps over this document")

    def weigh(self, value: Any) -> None:
        """One step for each item within, however often it is shared; for what is walked to its depth."""
        rest: list[tuple[Any, int]] = [(value, 0)]
        while rest:
            item, depth = rest.pop()
            if depth > MAX_VALUE_DEPTH:
                raise Unevaluable(f"reaches a value nested more than {MAX_VALUE_DEPTH} levels deep")
            self.take(_size(item))
            if isinstance(item, dict):
                rest += [(each, depth + 1) for each in item.values()]
            elif isinstance(item, list):
                rest += [(each, depth + 1) for each in item]

    def compare(self, left: Any, right: Any) -> None:
        """Only two containers are walked to their depth; what is plain differs from them at once."""
        sides = (left, right)
        if all(isinstance(side, dict | list) for side in sides):
            for side in sides:
                self.weigh(side)
        else:
            self.take(sum(_size(side) if isinstance(side, str) else 1 for side in sides))


class _Functions(Functions):  # type: ignore[misc]  # jmespath has no types
    """The standard ones, metered, and forgiving of null."""

    def __init__(self, meter: _Meter) -> None:
        self._meter = meter

    def call_function(self, function_name: str, resolved_args: list[Any]) -> Any:
        """With null for an argument that is missing, null; nulls within an array count for nothing."""
        signature = self.FUNCTION_TABLE[function_name]["signature"]
        for each in resolved_args:
            self._charge(each)
        if function_name == "to_string":
            self._meter.weigh(resolved_args[0])
        if function_name == "contains":
            self._meter.compare(*resolved_args)
        if function_name == "join" and isinstance(resolved_args[1], list):
            self._meter.take(_size(resolved_args[0]) * len(resolved_args[1]))
        given = [_without_nulls(each, _types(signature, n)) for n, each in enumerate(resolved_args)]
        if any(each is None and _types(signature, n) for n, each in enumerate(given)):
            return None
        if function_name == "contains" and isinstance(given[0], str) and not isinstance(given[1], str):
            return False
        if function_name in _BY_KEY:
            given[0] = [item for item in given[0] if given[1].visit(given[1].expression, item) is not None]
        return super().call_function(function_name, given)

    def _charge(self, argument: Any) -> None:
        self._meter.take(_size(argument))
        if isinstance(argument, list):
            self._meter.take(sum(_size(each) for each in argument if isinstance(each, str)))


class _Interpreter(TreeInterpreter):  # type: ignore[misc]  # jmespath has no types
    """The standard one, metered."""

    def __init__(self, meter: _Meter) -> None:
        super().__init__(Options(custom_functions=_Functions(meter)))
        self._meter = meter

    def visit(self, node: Tree, *args: Any, **kwargs: Any) -> Any:
        """One step."""
        self._meter.take()
        return super().visit(node, *args, **kwargs)

    def visit_comparator(self, node: Tree, value: Any) -> Any:
        """Both sides may be large, and of shared parts."""
        sides = [self.visit(child, value) for child in node["children"]]
        self._meter.compare(*sides)
        return super().visit_comparator({**node, "children": [_literal(side) for side in sides]}, value)

    def visit_flatten(self, node: Tree, value: Any) -> Any:
        """What it makes may be larger than what it took; it is charged before it is made."""
        base = self.visit(node["children"][0], value)
        if isinstance(base, list):
            self._meter.take(sum(len(each) if isinstance(each, list) else 1 for each in base))
        return super().visit_flatten({**node, "children": [_literal(base)]}, value)

    def visit_slice(self, node: Tree, value: Any) -> Any:
        """A copy."""
        self._meter.take(_size(value))
        return super().visit_slice(node, value)


def _literal(value: Any) -> Tree:
    """A node that stands for what was visited already."""
    return {"type": "literal", "value": value, "children": []}


def _size(value: Any) -> int:
    if isinstance(value, str):
        return 1 + len(value) // _PIECE
    return 1 + len(value) if isinstance(value, list | dict) else 1


def _types(signature: tuple[dict[str, Any], ...], position: int) -> list[str]:
    types: list[str] = signature[min(position, len(signature) - 1)]["types"] if signature else []
    return types


def _without_nulls(argument: Any, types: list[str]) -> Any:
    typed = any(kind.startswith("array-") for kind in types)
    return [each for each in argument if each is not None] if typed and isinstance(argument, list) else argument


def _walk(tree: Tree) -> Iterator[tuple[Tree, int]]:
    rest: list[tuple[Tree, int]] = [(tree, 1)]
    while rest:
        node, depth = rest.pop()
        yield node, depth
        rest += [(child, depth + 1) for child in node.get("children", ()) if isinstance(child, dict)]


def _check_text(node: Tree, path: str) -> None:
    try:
        spelled = json.dumps(node.get("value"), ensure_ascii=False, default=str)
    except RecursionError:
        raise Invalid.field(path, f"is nested too deeply; at most {MAX_DEPTH} levels are allowed") from None
    if not is_whole(spelled):
        raise Invalid.field(path, "holds half a character; spell whole ones")


def _check_function(node: Tree, path: str) -> None:
    if node["type"] != "function_expression":
        return
    name, given = node["value"], len(node["children"])
    if name not in Functions.FUNCTION_TABLE:
        raise Invalid.field(path, f"JMESPath has no function {name[:40]}()")
    signature = Functions.FUNCTION_TABLE[name]["signature"]
    wanted = len(signature)
    is_open = bool(signature) and bool(signature[-1].get("variadic"))
    if given < wanted or (given > wanted and not is_open):
        raise Invalid.field(path, f"{name}() takes {wanted}{' or more' if is_open else ''} arguments, not {given}")


def _check_references(node: Tree, path: str) -> None:
    """`&expression` is an argument, and no value."""
    children = [child for child in node.get("children", ()) if isinstance(child, dict)]
    if node["type"] != "function_expression" and any(child["type"] == "expref" for child in children):
        raise Invalid.field(path, "& stands only before an argument of a function")


def _check_negation(node: Tree, path: str) -> None:
    """`!a.b` reads as `(!a).b`, which is null whatever stands there."""
    first = (node.get("children") or [{}])[0]
    if node["type"] == "subexpression" and isinstance(first, dict) and first.get("type") == "not_expression":
        raise Invalid.field(path, "! binds more tightly than a dot; write !(a.b) for !a.b")


def _told(error: BaseException) -> str:
    """One line, cut; it may quote the expression, but not what a target answered."""
    if isinstance(error, JMESPathTypeError):
        return f"{error.function_name}() takes {' or '.join(error.expected_types)}, not {error.actual_type}"
    return whole(" ".join(str(error).split())[:_MAX_TROUBLE]) or type(error).__name__
