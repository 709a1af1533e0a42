"""`python -m tests.storm --seed 7 --seconds 180`: play a storm, check what it left behind; exit 1 at any violation."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.storm.rules import violations
from tests.storm.storm import Weather, storm


def main() -> int:
    """Print the summary as JSON and, on standard error, each violation."""
    asked = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="storm-"))
    weather = Weather(
        seed=asked.seed, seconds=asked.seconds, ticks=asked.ticks, dispatchers=asked.dispatchers, writers=asked.writers
    )
    outcome = storm(weather, folder)
    found = violations(outcome.evidence)
    for each in found:
        sys.stderr.write(each + "\n")
    sys.stdout.write(json.dumps({**outcome.summary, "violations": len(found), "folder": str(folder)}) + "\n")
    return 1 if found else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.storm", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="decides who does what, and when")
    parser.add_argument("--seconds", type=float, default=180, help="how long writers write and actors die")
    parser.add_argument("--ticks", type=int, default=2)
    parser.add_argument("--dispatchers", type=int, default=4)
    parser.add_argument("--writers", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
