"""docs/security.md can't rot: every test that it names is there, and no threat stands without one."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text()
NAMED = re.findall(r"`(tests/[a-z_/0-9]+\.py)::(test_[a-z_0-9]+)`", PAGE)


@cache
def defined_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_test_that_is_named_exists() -> None:
    assert [
        f"{file}::{name}" for file, name in NAMED if not (ROOT / file).exists() or name not in defined_in(file)
    ] == []
    assert len(NAMED) > 60 and PAGE.count("::test_") == len(NAMED)


def test_no_threat_stands_without_its_test() -> None:
    threats = [line for line in PAGE.splitlines() if re.match(r"\| [STRIDE] ", line)]
    assert len(threats) > 35
    assert [line for line in threats if not re.search(r"::test_[a-z_0-9]+` \|$", line)] == []


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
