"""Where a module can be broken, and how: each site is one small change of its syntax tree."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add,
    ast.LShift: ast.RShift,
}
_TURNED = {"min": "max", "max": "min", "any": "all", "all": "any"}
_CONDITIONAL = (ast.If, ast.IfExp, ast.While)
_DELETABLE = (ast.Assign, ast.AugAssign, ast.Expr, ast.Raise)


@dataclass(frozen=True)
class Site:
    """`change` breaks the tree that the site was found in, once; `what` says how."""

    line: int
    what: str
    change: Callable[[], None]


def sites(tree: ast.Module) -> list[Site]:
    """Every site of a freshly parsed module, always in the same order."""
    return [site for node in _walk(tree) for site in _of(node)]


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """All below the node, but for decorators: a frozen class and a thawed one behave alike."""
    ignored = getattr(node, "decorator_list", [])
    for child in ast.iter_child_nodes(node):
        if child not in ignored:
            yield child
            yield from _walk(child)


def _of(node: ast.AST) -> Iterator[Site]:
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            for other in _COMPARED[type(operator)]:
                yield _site(node, ast.Compare(node.left, _put(node.ops, place, other()), node.comparators))
    elif isinstance(node, ast.BinOp) and type(node.op) in _COMPUTED:
        yield _site(node, ast.BinOp(node.left, _COMPUTED[type(node.op)](), node.right))
    elif isinstance(node, ast.BoolOp):
        yield _site(node, ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values))
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield _site(node, ast.Constant(not node.value if isinstance(node.value, bool) else node.value + 1))
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield _site(node, ast.Return(ast.Constant(None)))
    yield from _of_condition(node)
    if not isinstance(node, ast.ClassDef):
        yield from _deletions(node)


def _of_call(node: ast.Call) -> Iterator[Site]:
    if isinstance(node.func, ast.Name) and node.func.id in _TURNED:
        yield _site(node, ast.Call(ast.Name(_TURNED[node.func.id], ast.Load()), node.args, node.keywords))
    for place in range(len(node.keywords)):
        left = node.keywords[:place] + node.keywords[place + 1 :]
        yield _site(node, ast.Call(node.func, node.args, left))


def _of_condition(node: ast.AST) -> Iterator[Site]:
    tests = node.ifs if isinstance(node, ast.comprehension) else [node.test] if isinstance(node, _CONDITIONAL) else []
    for test in tests:
        if not isinstance(test, ast.Compare):  # comparisons are turned round by themselves
            yield _site(test, ast.UnaryOp(ast.Not(), test))


def _deletions(node: ast.AST) -> Iterator[Site]:
    blocks: list[Any] = [getattr(node, name, None) for name in ("body", "orelse")]
    for block in blocks:
        for place, statement in enumerate(block if isinstance(block, list) else ()):
            if isinstance(statement, _DELETABLE) and not _is_docstring(statement):
                gone = ast.copy_location(ast.Pass(), statement)
                what = f"{_shown(statement)}  =>  deleted"
                yield Site(statement.lineno, what, partial(block.__setitem__, place, gone))


def _site(node: ast.stmt | ast.expr, other: ast.AST) -> Site:
    # The node becomes its mutant in place, under a copy of itself where the mutant contains it.
    before, line = _shown(node), node.lineno
    return Site(line, f"{before}  =>  {_shown(other)}", lambda: _become(node, other))


def _become(node: ast.stmt | ast.expr, other: ast.AST) -> None:
    inner = type(node)(**{name: getattr(node, name) for name in node._fields})
    ast.copy_location(inner, node)
    if isinstance(other, ast.UnaryOp) and isinstance(inner, ast.expr):
        other = ast.UnaryOp(other.op, inner)
    node.__class__ = type(other)  # type: ignore[assignment]
    node.__dict__.update({name: getattr(other, name) for name in other._fields})


def _put(operators: list[ast.cmpop], place: int, operator: ast.cmpop) -> list[ast.cmpop]:
    return [*operators[:place], operator, *operators[place + 1 :]]


def _shown(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:150]


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
