"""A short storm with a fixed seed, on an emulator of its own: `python -m tests.storm` plays longer ones."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.storm.rules import violations
from tests.storm.storm import Weather, storm

# The last blow falls early enough for what it broke to be made good within the calm.
_WEATHER = Weather(
    seed=4, seconds=10, ticks=1, dispatchers=2, writers=2, blow_s=2.5, still_s=4, longest_freeze_s=2, calm_s=35
)


# The emulator outlives the object that started it; it is stopped by its process id.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_storm_of_dying_workers_and_stray_messages_breaks_no_promise(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    outcome = storm(_WEATHER, tmp_path)
    for name in ("calls", "writes", "kills"):
        record_property(f"{name} in the storm", outcome.summary[name])
    assert violations(outcome.evidence) == [], outcome.summary
    assert outcome.summary["kills"] and outcome.summary["calls"] > 20 and outcome.summary["writes"] > 5
