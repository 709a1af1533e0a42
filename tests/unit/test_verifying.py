"""docs/verifying.md tells the truth: its examples run, over requests as Rubato signs them."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rubato.domain.signing import mint_secret, signature_headers

TEXT = (Path(__file__).parent.parent.parent / "docs" / "verifying.md").read_text()
PYTHON = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
(JAVASCRIPT,) = re.findall(r"^```javascript\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
OLD, NEW, FOREIGN = (mint_secret(bytes([number]) * 32) for number in (1, 2, 3))
BODY = '{"name":"Jörg €"}'
NODE = shutil.which("node")


def cases() -> list[tuple[str, dict[str, str], str, bool]]:
    """The secret of a receiver, headers, body, and whether it is to accept them."""
    now = time.time_ns() // 1_000_000

    def signed(at: int = now, body: str = BODY) -> dict[str, str]:
        return dict(signature_headers("run_1", at, body.encode(), [NEW, OLD]))

    return [
        (OLD, signed(), BODY, True),
        (NEW, signed(), BODY, True),
        (OLD, signed(body=""), "", True),
        (NEW, signed(now - 290_000), BODY, True),
        (FOREIGN, signed(), BODY, False),
        (OLD, signed(), BODY + " ", False),
        (OLD, signed(now - 400_000), BODY, False),
        (OLD, signed(now + 400_000), BODY, False),
        (OLD, signed() | {"webhook-id": "run_2"}, BODY, False),
        (OLD, signed() | {"webhook-timestamp": "soon"}, BODY, False),
        (OLD, signed() | {"webhook-signature": "v1,AAAA v2,x"}, BODY, False),
        (OLD, {}, BODY, False),
    ]


@pytest.mark.parametrize("example", PYTHON, ids=["library", "plain"])
def test_each_python_example_accepts_what_is_right_and_nothing_else(example: str) -> None:
    names: dict[str, Any] = {}
    exec(compile(example, "verifying.md", "exec"), names)
    verify: Callable[[str, dict[str, str], bytes], bool] = names["is_from_rubato"]
    assert [verify(secret, headers, body.encode()) for secret, headers, body, _ in cases()] == [
        expected for *_, expected in cases()
    ]


@pytest.mark.skipif(NODE is None, reason="no Node.js on this machine")
def test_the_javascript_example_accepts_what_is_right_and_nothing_else() -> None:
    assert NODE is not None
    given = [{"secret": secret, "headers": headers, "body": body} for secret, headers, body, _ in cases()]
    program = JAVASCRIPT + (
        "const told = JSON.parse(require('node:fs').readFileSync(0, 'utf8'))\n"
        "  .map(each => isFromRubato(each.secret, each.headers, Buffer.from(each.body)));\n"
        "console.log(JSON.stringify(told));\n"
    )
    done = subprocess.run(
        [NODE, "-e", program],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout) == [expected for *_, expected in cases()]


def test_two_python_examples_are_shown() -> None:
    assert len(PYTHON) == 2
