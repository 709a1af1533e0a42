"""Nothing is lost, stuck, doubled or half done, whichever call of the world fails and however it fails.

Each call of each story meets one fault in EVERY here, in turn; `python -m tests.faults` tries them all.
"""

from collections.abc import Callable
from unittest.mock import patch

import pytest

from rubato.domain.lease import Look
from tests.faults.matrix import Theatre
from tests.faults.stage import House
from tests.faults.stories import STORIES, Story
from tests.faults.verdicts import broken

EVERY = 8
FEWEST = {
    "tick claims and dispatcher runs": 20,
    "a chain of short intervals": 21,
    "tick resends": 15,
    "tick recovers": 14,
    "tick wakes a timed pause": 16,
    "a retry": 15,
    "a failure": 9,
    "an auto-pause": 9,
    "a one-shot on a dormant endpoint": 15,
    "an open gate": 21,
    "a closed gate": 21,
    "a follower is told": 26,
    "a rule fires": 39,
    "the quota holds": 12,
    "the quota is lifted": 20,
    "interval hint": 7,
    "one-shot": 15,
    "pause": 6,
    "timed pause": 7,
    "resume": 15,
    "clear hints": 7,
    "reset failures": 6,
    "run now": 15,
    "run now under a quota": 16,
    "baseline and name edited": 7,
    "delete": 6,
    "create": 5,
    "job paused": 13,
    "job resumed": 15,
    "job archived": 13,
}
"""How many pairs of a call and a fault each story had when this was written last. They only ever grow."""


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_whatever_fails_the_story_ends_well(
    house: House, story: Story, record_property: Callable[[str, object], None]
) -> None:
    theatre = Theatre(house, story)
    assert broken(story, "", theatre.rehearsal, theatre.rehearsal) == []
    pairs = list(theatre.pairs(EVERY))
    found = {
        str(pair): problems
        for pair in pairs
        if (problems := broken(story, pair.fault, theatre.rehearsal, theatre.perform(pair.at, pair.fault)))
    }
    record_property("faults tried, each at one call of a story", len(pairs))
    assert found == {}
    assert len(pairs) >= FEWEST[story.name]


@pytest.mark.parametrize(
    ("broken_part", "instead", "operation", "place", "fault", "word"),
    [
        ("rubato.adapters.dynamodb.endpoints._is_stored", False, "PutItem", "_start", "answer lost once", "noticed"),
        ("rubato.domain.lease.look", Look.LEAVE, "target", "", "killed after", "stuck"),
    ],
)
def test_a_scheduler_that_is_broken_on_purpose_is_found_out(
    house: House, broken_part: str, instead: object, operation: str, place: str, fault: str, word: str
) -> None:
    theatre = Theatre(house, STORIES[0])
    sites = theatre.rehearsal.sites
    at = next(n for n, site in enumerate(sites) if site.operation == operation and place in site.place)
    with patch(broken_part, lambda *_: instead):
        outcome = theatre.perform(at, fault)
    assert word in " ".join(broken(STORIES[0], fault, theatre.rehearsal, outcome))
