"""One house for all stories."""

from collections.abc import Iterator

import pytest

from tests.faults.matrix import opened
from tests.faults.stage import House


@pytest.fixture(scope="package")
def house() -> Iterator[House]:
    """Emulated AWS with a seam; clients and tables are made once."""
    with opened() as house:
        yield house
