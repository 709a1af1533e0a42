"""Runs as text: a JSON document a line, or a table for spreadsheets."""

import csv
import io
import json
import re
from collections.abc import Iterable
from typing import Any

from rubato.interface.outputs.runs import RunView

# A spreadsheet would take such a cell for a formula; an apostrophe makes it text. Where the comma is a decimal point,
# the semicolon parts cells, so that one may begin within a text of ours: a target's words stand in error messages.
_FORMULA = re.compile("^(?=[\t\r\n])|(^|[;|\t\r\n])(?=[ \"']*[=+\\-@\uff1d\uff0b\uff0d\uff20])")


def as_ndjson(runs: Iterable[RunView]) -> str:
    """One JSON document a line, as listRuns spells it."""
    return "".join(json.dumps(run.to_json(), separators=(",", ":"), ensure_ascii=False) + "\n" for run in runs)


def as_csv(runs: Iterable[RunView], *, headed: bool) -> str:
    """RFC 4180, one column for each field of listRuns; `headed` puts their names first. What is null is empty."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    if headed:
        table.writerow(field.alias or name for name, field in RunView.model_fields.items())
    table.writerows([_cell(value) for value in run.to_json().values()] for run in runs)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return _FORMULA.sub(r"\1'", value) if isinstance(value, str) else value
