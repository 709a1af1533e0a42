"""The blueprints of docs/blueprints: each is one that the API takes, and says what it shows and assumes."""

import json
import re
from pathlib import Path

import pytest

from cli.blueprints.variables import names_in
from tests.unit.doors import opened
from tests.worlds import MemoryWorld

FOLDER = Path(__file__).parents[2] / "docs" / "blueprints"
FILES = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_blueprint_is_applied_whole_and_its_export_is_the_same(file: Path) -> None:
    content = json.loads(file.read_text())
    values = [word for name in sorted(names_in(content)) for word in ("--set", f"{name}=http://127.0.0.1:9000")]
    with opened(MemoryWorld()) as door:
        door.rubato("apply", str(file), "--yes", *values)
        assert "nothing to do" in door.rubato("apply", str(file), *values)
        name = content["job"]["name"]
        exported = json.loads(door.rubato("export", name))
        assert {each["name"] for each in exported["endpoints"]} == {each["name"] for each in content["endpoints"]}
        assert [each["name"] for each in exported["job"]["rules"]] == [each["name"] for each in content["job"]["rules"]]
        assert "nothing to do" in door.rubato("apply", "-", stdin=json.dumps(exported))
        (job,) = [each for each in door.jobs() if each["name"] == name]
        assert job["ruleWarnings"] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_blueprint_says_what_it_shows_and_is_named_in_the_list(file: Path) -> None:
    content = json.loads(file.read_text())
    assert len(content["description"]) > 100 and content["job"]["name"] == file.stem
    assert f"({file.name})" in (FOLDER / "README.md").read_text()


def test_the_list_names_no_file_that_is_not_there() -> None:
    listed = re.findall(r"\(([a-z-]+\.json)\)", (FOLDER / "README.md").read_text())
    assert listed == list(dict.fromkeys(listed)) and {*listed} == {file.name for file in FILES}
