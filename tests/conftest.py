"""What holds for every test: how many examples are drawn, which tests share a worker, which counts are printed.

Property tests draw enough for every change, many more with --hypothesis-profile=deep. Hypothesis picks its own "ci"
profile on a machine that says it is one; ours stands under both names, so that a test means the same everywhere.
"""

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

USUAL = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.register_profile("default", USUAL)
settings.register_profile("ci", USUAL)
settings.register_profile("deep", USUAL, derandomize=False, max_examples=2000, print_blob=True)


class OneStack(LoadScopeScheduling):  # type: ignore[misc]
    """With several workers, one of them has the local stack: there is a single one, and mostly it waits."""

    def _split_scope(self, nodeid: str) -> str:
        return "stack" if nodeid.startswith("tests/e2e/") else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneStack:
    """NOTE: xdist 3.8 has groups of its own, which do not work with the node ids of pytest 9.2."""
    return OneStack(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The counts that tests noted with the fixture `record_property`, each summed over the tests that share its name."""
    counts: Counter[str] = Counter()
    for report in terminalreporter.getreports(""):  # set-ups and tear-downs; the latter know all that was noted
        for name, count in report.user_properties if report.when == "teardown" else ():
            counts[name] += int(str(count))
    for name, count in sorted(counts.items()):
        terminalreporter.write_line(f"{name}: {count:,}")
