"""One house for all stories, and how many faults were tried, at the end of every run of the tests."""

from collections.abc import Iterator

import pytest

from tests.faults.matrix import opened
from tests.faults.stage import House

TRIED: dict[str, int] = {}
"""Pairs of a call and a fault, by story."""


@pytest.fixture(scope="package")
def house() -> Iterator[House]:
    """Emulated AWS with a seam; clients and tables are made once."""
    with opened() as house:
        yield house


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says it in plain sight."""
    if TRIED:
        terminalreporter.write_line(f"faults: {sum(TRIED.values())} pairs of a call and a fault, {len(TRIED)} stories")
