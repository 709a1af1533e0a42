"""Listing and exporting runs through the HTTP door: filters, pages, and text that spreadsheets can take."""

import csv
import io
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest

from rubato.domain import ids
from rubato.domain.endpoint import RunStatus, Source
from rubato.domain.instant import HOUR, MINUTE
from rubato.domain.schedule import IntervalBaseline
from rubato.interface import routes
from rubato.usecases import merge_runs
from tests.unit.clients import Client
from tests.unit.histories import a_run, raw, record, walk
from tests.worlds import MemoryWorld, Stage, a_job, an_endpoint


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def client(world: MemoryWorld) -> Client:
    return Client(world)


def test_runs_are_filtered_by_whatever_one_asks_for(world: MemoryWorld, client: Client) -> None:
    shop, other = a_job(world), a_job(world, name="other")
    first, second = an_endpoint(world, job=shop, name="a"), an_endpoint(world, job=shop, name="b")
    third = an_endpoint(world, job=other, name="c")
    record(world, first, 10, 40)
    record(world, first, 20, status=RunStatus.FAILURE)
    record(world, second, 30, source=Source.AI_INTERVAL)
    record(world, third, 50)

    def seconds(**query: str) -> list[int]:
        answer = client("GET", "/runs", query=query or None)
        assert answer.status == 200
        return [int(each["slot"][17:19]) for each in answer.body["items"]]

    assert seconds() == [50, 40, 30, 20, 10]
    assert seconds(jobId=shop.job_id) == [40, 30, 20, 10]
    assert seconds(endpointId=first.id) == [40, 20, 10]
    assert seconds(endpointId=first.id, jobId=shop.job_id) == [40, 20, 10]
    assert seconds(status="failure") == [20] and seconds(status="running") == []
    assert seconds(status="success", jobId=shop.job_id) == [40, 30, 10]
    assert seconds(source="ai-interval") == [30] and seconds(source="manual") == []
    assert seconds(since="2025-01-01T00:00:30Z") == [50, 40, 30]
    assert seconds(until="2025-01-01T00:00:30Z") == [20, 10]
    assert seconds(since="2025-01-01T01:00:20+01:00", until="2025-01-01T00:00:40Z") == [30, 20]
    assert seconds(since="2025-01-01T00:00:30Z", until="2025-01-01T00:00:30Z") == []
    assert client("GET", "/runs", query={"endpointId": first.id, "jobId": other.job_id}).status == 404


def test_a_window_that_ends_before_it_begins_is_refused(client: Client) -> None:
    query = {"since": "2025-01-01T00:00:01Z", "until": "2025-01-01T00:00:00Z"}
    answer = client("GET", "/runs", query=query)
    assert (answer.status, answer.paths()) == (422, ["since"])


@pytest.mark.parametrize("limit", [1, 2, 7, 200])
def test_the_runs_of_many_jobs_are_walked_in_order_without_repetition_or_loss(
    world: MemoryWorld, client: Client, limit: int
) -> None:
    made = []
    for number in range(5):
        endpoint = an_endpoint(world, job=a_job(world, name=str(number)))
        # One job holds nearly everything, another nothing.
        made += record(world, endpoint, *range(number, 40 if number == 3 else number * 3, 1 + number % 2))
    pages = walk(client, "/runs", {"limit": str(limit)})
    newest = sorted(made, key=lambda run: ids.run_order(run.run_id), reverse=True)
    assert [each["runId"] for page in pages for each in page] == [run.run_id for run in newest]
    assert all(len(page) == limit for page in pages[:-1])


def test_a_run_that_ends_between_two_pages_is_shown_once(world: MemoryWorld, client: Client) -> None:
    job = a_job(world)
    endpoints = [an_endpoint(world, IntervalBaseline(HOUR), job, name=str(number)) for number in range(3)]
    record(world, endpoints[0], 1, 2)
    world.clock.instant += MINUTE
    started = [client("POST", f"/endpoints/{endpoint.id}/run").body["runId"] for endpoint in endpoints]
    first = client("GET", "/runs", query={"limit": "2"}).body
    assert {each["status"] for each in first["items"]} == {"running"}
    Stage(world, ticking=False).play_seconds(65)
    second = client("GET", "/runs", query={"limit": "2", "cursor": first["nextCursor"]}).body
    third = client("GET", "/runs", query={"limit": "2", "cursor": second["nextCursor"]}).body
    found = [each["runId"] for each in first["items"] + second["items"] + third["items"]]
    assert len(found) == len(set(found)) == 5 and set(started) < set(found)
    assert third["nextCursor"] is None


def test_more_runs_in_flight_than_a_page_holds_are_paged_too(world: MemoryWorld, client: Client) -> None:
    job = a_job(world)
    endpoints = [an_endpoint(world, IntervalBaseline(HOUR), job, name=str(number)) for number in range(5)]
    started = {client("POST", f"/endpoints/{endpoint.id}/run").body["runId"] for endpoint in endpoints}
    pages = walk(client, "/runs", {"limit": "2", "status": "running"})
    assert {each["runId"] for page in pages for each in page} == started
    assert [len(page) for page in pages] == [2, 2, 1]


def test_a_run_that_is_recorded_but_not_yet_settled_has_ended(world: MemoryWorld, client: Client) -> None:
    endpoint = an_endpoint(world, IntervalBaseline(HOUR))
    run_id = client("POST", f"/endpoints/{endpoint.id}/run").body["runId"]
    world.runs.record(replace(a_run(endpoint, 0, source=Source.MANUAL), run_id=run_id))
    assert [(each["runId"], each["status"]) for each in client("GET", "/runs").body["items"]] == [(run_id, "success")]
    assert client("GET", f"/runs/{run_id}").body["status"] == "success"


def test_a_list_of_many_jobs_reads_little_of_each(world: MemoryWorld, client: Client) -> None:
    for number in range(8):
        record(world, an_endpoint(world, job=a_job(world, name=str(number))), *range(100))
    asked: list[int] = []
    real = world.runs.of_job

    def counting(job_id: str, wanted: Any, limit: int, after: str | None) -> Any:
        page = real(job_id, wanted, limit, after)
        asked.append(len(page.items))
        return page

    world.runs.of_job = counting  # type: ignore[method-assign]
    assert len(client("GET", "/runs", query={"limit": "50"}).body["items"]) == 50
    assert sum(asked) <= 8 * merge_runs._LEAST * 2


def test_runs_are_exported_as_one_json_document_a_line(world: MemoryWorld, client: Client) -> None:
    endpoint = an_endpoint(world)
    record(world, endpoint, 1, 2, 3)
    status, text, headers = raw(world, "/runs/export")
    assert status == 200 and headers["Content-Type"] == "application/x-ndjson"
    assert text.endswith("\n") and "Link" not in headers and "X-Next-Cursor" not in headers
    assert [json.loads(line) for line in text.splitlines()] == client("GET", "/runs").body["items"]


def test_an_export_is_walked_by_its_link_with_the_filters_kept(world: MemoryWorld) -> None:
    endpoint = an_endpoint(world)
    record(world, endpoint, *range(0, 10, 2), status=RunStatus.FAILURE)
    record(world, endpoint, *range(1, 10, 2))
    query = {"format": "csv", "status": "failure", "limit": "2", "endpointId": endpoint.id}
    rows: list[list[str]] = []
    for _ in range(3):
        status, text, headers = raw(world, "/runs/export", **query)
        assert status == 200 and headers["Content-Type"] == "text/csv; charset=utf-8"
        rows += csv.reader(io.StringIO(text))
        if "Link" in headers:
            target, relation = headers["Link"].split("; ")
            assert relation == 'rel="next"'
            query = dict(parse_qsl(target.strip("<?>")))
            assert query["cursor"] == headers["X-Next-Cursor"]
    assert "Link" not in headers
    slot, state = rows[0].index("slot"), rows[0].index("status")
    assert [row[slot] for row in rows[1:]] == [f"2025-01-01T00:00:0{s}.000Z" for s in (8, 6, 4, 2, 0)]
    assert {row[state] for row in rows[1:]} == {"failure"}


def test_a_spreadsheet_finds_no_formula_in_an_export_and_every_row_has_every_column(world: MemoryWorld) -> None:
    endpoint = an_endpoint(world)
    told = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", 'a "quoted", thing\r\nwith lines', "ü"]
    for second, message in enumerate(told):
        world.runs.record(replace(a_run(endpoint, second), error_message=message))
    _, text, _ = raw(world, "/runs/export", format="csv")
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert {len(row) for row in rows} == {len(header)} and "errorMessage" in header
    found = [row[header.index("errorMessage")] for row in reversed(rows)]
    assert found == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\rx", 'a "quoted", thing\r\nwith lines', "ü"]
    assert rows[0][header.index("hintId")] == ""


def test_an_export_without_runs_is_a_header_or_nothing(world: MemoryWorld) -> None:
    assert raw(world, "/runs/export")[1] == ""
    assert raw(world, "/runs/export", format="csv")[1].startswith("runId,jobId,endpointId,")


@pytest.mark.parametrize(
    ("query", "status"), [({"format": "xml"}, 422), ({"limit": "1001"}, 422), ({"cursor": "!"}, 400)]
)
def test_a_bad_export_is_refused_as_a_problem_document(world: MemoryWorld, query: dict[str, str], status: int) -> None:
    found, text, headers = raw(world, "/runs/export", **query)
    assert found == status and headers["Content-Type"] == "application/problem+json"
    assert json.loads(text)["status"] == status


def test_a_literal_path_wins_over_a_parameter(client: Client) -> None:
    assert [action.name for action, _ in routes.matching("/runs/export")] == ["exportRuns"]
    assert [action.name for action, _ in routes.matching("/runs/run_1")] == ["getRunDetails"]
    assert routes.matching("/runs/export/more") == []
    assert client("DELETE", "/runs/export").headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("name", ["jobId", "endpointId"])
def test_an_empty_id_is_refused_and_not_looked_up(client: Client, name: str) -> None:
    answer = client("GET", "/runs", query={name: ""})
    assert (answer.status, answer.paths()) == (422, [name])
