"""The functions' own handlers, without what their tests bring along: an actor has to start quickly."""

import importlib.util
from collections.abc import Callable
from typing import Any

from cli.local.home import ROOT


class Context:
    """What the handlers use of Lambda's context."""

    aws_request_id = "storm"

    def get_remaining_time_in_millis(self) -> int:
        """A minute."""
        return 60_000


def handler(function: str) -> Callable[[dict[str, Any], Any], Any]:
    """The handler of functions/<function>."""
    path = ROOT / "functions" / function / "handler.py"
    spec = importlib.util.spec_from_file_location(f"{function}_handler", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[dict[str, Any], Any], Any] = module.handler
    return found
