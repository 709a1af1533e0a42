"""What holds for every test: how many examples are drawn, which tests share a worker, which counts are printed.

Property tests draw enough for every change, many more with --hypothesis-profile=deep. Hypothesis picks its own "ci"
profile on a machine that says it is one; ours stands under both names, so that a test means the same everywhere.
"""

from collections import Counter

import pytest
from hypothesis import HealthCheck, settings

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several workers, one of them has the local stack: there is a single one, and mostly it waits."""
    for item in items:
        if "/e2e/" in item.path.as_posix():
            item.add_marker(pytest.mark.xdist_group("stack"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The counts that tests noted with the fixture `record_property`, each summed over the tests that share its name."""
    counts: Counter[str] = Counter()
    for report in terminalreporter.getreports(""):  # set-ups and tear-downs; the latter know all that was noted
        for name, count in report.user_properties if report.when == "teardown" else ():
            counts[name] += int(str(count))
    for name, count in sorted(counts.items()):
        terminalreporter.write_line(f"{name}: {count:,}")
