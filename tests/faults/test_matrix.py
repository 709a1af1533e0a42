"""Nothing is lost, stuck, doubled or half done, whichever call of the world fails and however it fails.

Each call of each story meets one fault in EVERY here, in turn; `python -m tests.faults` tries them all.
"""

import pytest

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
