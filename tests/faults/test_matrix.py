"""Nothing is lost, stuck, doubled or half done, whichever call of the world fails and however it fails.

Each call of each story meets one fault in EVERY here, in turn; `python -m tests.faults` tries them all.
"""

from unittest.mock import patch

import pytest

from rubato.domain.lease import Look
from tests.faults.conftest import TRIED
from tests.faults.matrix import Theatre
from tests.faults.stage import House
from tests.faults.stories import STORIES, Story
from tests.faults.verdicts import broken

EVERY = 8
FEWEST_PAIRS = 1
"""How many were tried when this was written last. It only ever grows."""


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_whatever_fails_the_story_ends_well(house: House, story: Story) -> None:
    theatre = Theatre(house, story)
    assert broken(story, "", theatre.rehearsal, theatre.rehearsal) == []
    pairs = list(theatre.pairs(EVERY))
    found = {
        str(pair): problems
        for pair in pairs
        if (problems := broken(story, pair.fault, theatre.rehearsal, theatre.perform(pair.at, pair.fault)))
    }
    TRIED[story.name] = len(pairs)
    assert found == {}


def test_no_fewer_faults_are_tried_than_before() -> None:
    if len(TRIED) < len(STORIES):
        pytest.skip("only some stories were played")
    assert sum(TRIED.values()) >= FEWEST_PAIRS


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
