"""What others have written, where people read it: in spreadsheets and at terminals."""

import csv
import io
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from rich.console import Console

from cli.api import Api, Refusal
from cli.blueprints.notation import read_yaml, write_yaml
from cli.blueprints.plan import Change
from cli.blueprints.telling import tell_change
from cli.drawing.attribution import visible
from cli.runs import _cells, _table
from rubato.interface.views.exports import _cell
from tests.unit.histories import a_run, raw
from tests.worlds import MemoryWorld, an_endpoint

STEERING = "a\x1b[2J\x9b31m\x1b]0;owned\x07\u202egnp\u2028b\rc\x00"


@pytest.mark.parametrize(
    ("told", "cell"),
    [
        ("=1+1", "'=1+1"),
        (" =1+1", "' =1+1"),
        ("\n=1+1", "'\n'=1+1"),
        ('"=1+1', "'\"=1+1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\uff20SUM(1)", "'\uff20SUM(1)"),
        ("broken: b'x;=HYPERLINK(\"http://evil\")'", "broken: b'x;'=HYPERLINK(\"http://evil\")'"),
        ("x; @SUM(1)", "x;' @SUM(1)"),
        ("x\t+1", "x\t'+1"),
        ("a-b; c=d, 5 - 3", "a-b; c=d, 5 - 3"),
        ("2025-01-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z"),
    ],
)
def test_no_text_begins_a_formula_whatever_parts_the_cells_of_a_spreadsheet(told: str, cell: str) -> None:
    assert _cell(told) == cell


def test_no_part_of_an_export_is_a_formula_where_semicolons_part_the_cells() -> None:
    world = MemoryWorld()
    endpoint = an_endpoint(world)
    world.runs.record(replace(a_run(endpoint, 1), error_message='the answer is broken: b\'x;=cmd|"/C calc"!A0;"=2"\''))
    _, text, _ = raw(world, "/runs/export", format="csv")
    for separator in (",", ";", "\t"):
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            assert not [each for each in row if each.lstrip(" \"'")[:1] in tuple("=+@") and not each.startswith("'")]


def test_names_are_no_markup_in_the_table_of_runs() -> None:
    """Names are printable, and rich takes printable letters for commands: [/] ended the program, [link=...] made one."""
    run: dict[str, Any] = dict.fromkeys(("startedAt", "errorKind", "latenessMs", "durationMs"))
    run |= {"runId": "run_1", "endpointId": "ep_1", "status": "success", "source": "manual", "statusCode": 200}
    for name in ("[/]", "[bold red]x", "[link=http://evil]x[/link]", "x\\"):
        out = io.StringIO()
        console = Console(file=out, force_terminal=True, width=200, highlight=False)
        console.print(_table([run], {"ep_1": name}, "Runs"))
        console.print("  ".join(_cells(run, {"ep_1": name})))
        assert out.getvalue().count(name) == 2 and "]8;" not in out.getvalue()


def test_a_plan_shows_values_and_field_names_without_obeying_them() -> None:
    before = {"metadata": {STEERING: 1, "ok": STEERING}, "description": STEERING}
    for kind in ("create", "change"):
        told = tell_change(Change(kind=kind, subject="endpoint", name="x", before=before, after={}, body={}))
        assert len(told) == 4 and all(line.isprintable() for line in told)
        assert any("\\u001b[2J\\u009b31m" in line for line in told)


def test_an_export_is_printable_and_reads_back_as_what_it_was() -> None:
    value = {"job": {"name": "x", "description": STEERING, "metadata": {"ümläut": "ß\U000e0001"}}}
    as_yaml = write_yaml(value)
    as_json = "\n".join(visible(line) for line in json.dumps(value, indent=2, ensure_ascii=False).split("\n"))
    assert read_yaml(as_yaml) == json.loads(as_json) == value
    assert all(line.isprintable() for line in (*as_yaml.split("\n"), *as_json.split("\n")))
    assert "ü" in as_json and "ü" in write_yaml({"name": "ü"})


@pytest.mark.parametrize(
    "problem",
    [{"detail": STEERING}, {"detail": "x", "errors": [{"path": STEERING, "message": STEERING}]}, STEERING, [STEERING]],
)
def test_a_refusal_steers_no_terminal_whoever_answers(problem: Any) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(422, json=problem))
    with Api("http://127.0.0.1:9", "key", transport) as api, pytest.raises(Refusal) as caught:
        api.call("GET", "/jobs")
    assert str(caught.value).isprintable()
