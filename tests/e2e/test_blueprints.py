"""A job as a file, applied to the local stack; and why and when its endpoints run, told and drawn."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.e2e.conftest import LocalStack

_PAGES: dict[str, Any] = {
    "job": {
        "name": "blueprint e2e",
        "defaults": {"timeoutMs": 5000},
        "rules": [
            {
                "name": "again",
                "when": "endpoints.stock.status == 'failure'",
                "then": [{"proposeNextTime": {"endpoint": "stock", "runInMs": 60_000}}],
            }
        ],
    },
    "endpoints": [
        {"name": "report", "request": {"url": "${shop}/report"}, "baseline": {"after": ["stock"]}},
        {"name": "stock", "request": {"url": "${shop}/stock"}, "baseline": {"intervalMs": 3_600_000}},
    ],
}


@pytest.fixture
def rubato(stack: LocalStack) -> Any:
    """The command against the stack; what it prints."""
    environment = {"RUBATO_URL": stack.url, "RUBATO_API_KEY": stack.api_key}

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, list(words), env=environment)
        assert done.exit_code == 0, f"{done.output}{done.exception}"
        return done.stdout

    return run


def test_a_job_is_applied_edited_pruned_exported_and_explained(stack: LocalStack, rubato: Any, tmp_path: Path) -> None:
    file = tmp_path / "pages.json"

    def apply(content: dict[str, Any], *options: str) -> str:
        file.write_text(json.dumps(content))
        return str(rubato("apply", str(file), "--yes", "--set", "shop=http://127.0.0.1:9", *options))

    assert "created endpoints stock, report" in apply(_PAGES)
    assert "nothing to do" in apply(_PAGES)
    hourly, edited = _PAGES["endpoints"][1], {"baseline": {"cron": "0 9 * * *", "timezone": "Europe/Berlin"}}
    said = apply({**_PAGES, "endpoints": [{**hourly, **edited}]}, "--prune")
    assert "changed endpoint stock; deleted endpoint report" in said
    exported = tmp_path / "export.json"
    exported.write_text(rubato("export", "blueprint e2e"))
    assert [each["name"] for each in json.loads(exported.read_text())["endpoints"]] == ["stock"]
    assert "nothing to do" in rubato("apply", str(exported), "--prune")
    assert "by cron `0 9 * * *` in Europe/Berlin" in rubato("explain", "blueprint e2e/stock")
    assert "stock" in rubato("watch", "blueprint e2e", "--seconds", "0")
    (job,) = [each for each in stack.client.get("/jobs").json()["items"] if each["name"] == "blueprint e2e"]
    stack.client.delete(f"/jobs/{job['jobId']}").raise_for_status()
