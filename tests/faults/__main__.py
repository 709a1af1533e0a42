"""Every fault at every call of every story, or of those named.

python -m tests.faults                         all of them: some minutes
python -m tests.faults --every 5 "a retry"     one in five at each call of this story
"""

import argparse
import sys
import time

from tests.faults.matrix import Theatre, opened
from tests.faults.stories import STORIES
from tests.faults.verdicts import broken


def main() -> int:
    """0 when all held."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("stories", nargs="*", choices=[[], *(story.name for story in STORIES)])
    parser.add_argument("--every", type=int, default=1)
    given = parser.parse_args()
    total = bad = 0
    with opened() as house:
        for story in STORIES:
            if given.stories and story.name not in given.stories:
                continue
            begun, count = time.monotonic(), 0
            theatre = Theatre(house, story)
            for problem in broken(story, "", theatre.rehearsal, theatre.rehearsal):
                bad += 1
                sys.stdout.write(f"  REHEARSAL {problem}\n")
            for pair in theatre.pairs(given.every):
                count += 1
                problems = broken(story, pair.fault, theatre.rehearsal, theatre.perform(pair.at, pair.fault))
                bad += bool(problems)
                for problem in problems:
                    sys.stdout.write(f"  {pair}: {problem}\n")
            total += count
            sites = len(theatre.rehearsal.sites)
            sys.stdout.write(f"{story.name}: {sites} calls, {count} pairs, {time.monotonic() - begun:.1f} s\n")
            sys.stdout.flush()
    sys.stdout.write(f"{total} pairs, {bad} broken\n")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
