"""The HTTP door over the memory world: what a client sends and gets."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from rubato.domain.access import Scope
from rubato.domain.exchange import Reply
from tests.unit.clients import Client
from tests.worlds import ANNE, MIDNIGHT, MemoryWorld, Stage

ENDPOINT = {"name": "probe", "request": {"url": "http://127.0.0.1/x"}, "baseline": {"intervalMs": 60_000}}


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def client(world: MemoryWorld) -> Client:
    return Client(world)


@pytest.fixture
def job_id(client: Client) -> str:
    return str(client("POST", "/jobs", {"name": "shop"}).body["jobId"])


@pytest.fixture
def endpoint_id(client: Client, job_id: str) -> str:
    return str(client("POST", f"/jobs/{job_id}/endpoints", ENDPOINT).body["endpointId"])


def test_an_endpoint_is_answered_with_its_next_run(client: Client, job_id: str) -> None:
    answer = client("POST", f"/jobs/{job_id}/endpoints", ENDPOINT)
    assert answer.status == 201
    assert answer.body["nextRunAt"] == "2025-01-01T00:01:00.000Z"
    assert answer.body["source"] == "baseline-interval"
    assert answer.body["state"] == "active" and answer.body["whyNotRunning"] is None


def test_a_cron_baseline_echoes_its_zone(client: Client, job_id: str) -> None:
    answer = client("POST", f"/jobs/{job_id}/endpoints", {**ENDPOINT, "baseline": {"cron": "0 9 * * *"}})
    assert answer.body["baseline"] == {"cron": "0 9 * * *", "timezone": "UTC"}
    assert answer.body["nextRunAt"] == "2025-01-01T09:00:00.000Z"


def test_a_dormant_endpoint_says_why_it_does_not_run(client: Client, job_id: str) -> None:
    answer = client("POST", f"/jobs/{job_id}/endpoints", {**ENDPOINT, "baseline": {"manual": True}})
    assert answer.body["nextRunAt"] is None and answer.body["state"] == "dormant"
    assert "manual" in answer.body["whyNotRunning"]


def test_a_jobs_defaults_fill_what_an_endpoint_leaves_out(client: Client) -> None:
    defaults = {"baseline": {"intervalMs": 5000}, "clamp": {"minIntervalMs": 2000}, "timeoutMs": 4000}
    job = client("POST", "/jobs", {"name": "shop", "defaults": defaults}).body
    assert job["defaults"]["baseline"]["intervalMs"] == 5000
    bare = {key: value for key, value in ENDPOINT.items() if key != "baseline"}
    made = client("POST", f"/jobs/{job['jobId']}/endpoints", bare).body
    assert (made["baseline"], made["timeoutMs"]) == ({"intervalMs": 5000}, 4000)
    assert made["clamp"]["minIntervalMs"] == 2000


BAD_ENDPOINTS: list[tuple[dict[str, Any], list[str]]] = [
    ({"baseline": {}}, ["baseline"]),
    ({"baseline": {"intervalMs": 1000, "manual": True}}, ["baseline"]),
    ({"baseline": {"intervalMs": 999}}, ["baseline.intervalMs"]),
    ({"baseline": {"intervalMs": "60000"}}, ["baseline.intervalMs"]),
    ({"baseline": {"intervalMs": 60000.5}}, ["baseline.intervalMs"]),
    ({"baseline": {"intervalMs": True}}, ["baseline.intervalMs"]),
    ({"baseline": {"manual": False}}, ["baseline.manual"]),
    ({"baseline": {"cron": "5/15 * * * *"}}, ["baseline.cron"]),
    ({"baseline": {"cron": "* * * * *", "timezone": "Mars/Base"}}, ["baseline.timezone"]),
    ({"baseline": {"cron": "0 0 31 2 *"}}, ["baseline.cron"]),
    ({"baseline": None}, ["baseline"]),
    ({"clamp": {"minIntervalMs": 5000, "maxIntervalMs": 4000}}, ["clamp.minIntervalMs"]),
    ({"timeoutMs": 999}, ["timeoutMs"]),
    ({"timeoutMs": 600_001}, ["timeoutMs"]),
    ({"jitterMs": 60_000}, ["jitterMs"]),
    ({"maxResponseBytes": 262_145}, ["maxResponseBytes"]),
    ({"successCodes": ["2xx"]}, ["successCodes"]),
    ({"successCodes": ["299-200"]}, ["successCodes"]),
    ({"tier": "gold"}, ["tier"]),
    ({"metadata": {"x": "y" * 5000}}, ["metadata"]),
    ({"nam": "typo"}, ["nam"]),
    ({"name": ""}, ["name"]),
    ({"name": "two\nlines"}, ["name"]),
    ({"name": "x" * 256}, ["name"]),
    ({"request": {"url": "http://127.0.0.1/", "method": "GET", "body": "x"}}, ["request.body"]),
    ({"request": {"url": "http://127.0.0.1/", "method": "TRACE"}}, ["request.method"]),
    ({"request": {"url": "ftp://example.com/"}}, ["request.url"]),
    ({"request": {"url": "http://169.254.169.254/latest/meta-data"}}, ["request.url"]),
    ({"request": {"url": "http://2852039166/"}}, ["request.url"]),
    ({"request": {"url": "http://[::ffff:169.254.169.254]/"}}, ["request.url"]),
    ({"request": {"url": "http://10.0.0.1/"}}, ["request.url"]),
    ({"request": {"url": "http://user:pw@example.com/"}}, ["request.url"]),
    ({"request": {"url": "http://127.0.0.1/", "headers": {"Host": "x"}}}, ["request.headers.Host"]),
    ({"request": {"url": "http://127.0.0.1/", "headers": {"Rubato-Attempt": "9"}}}, ["request.headers.Rubato-Attempt"]),
    ({"request": {"url": "http://127.0.0.1/", "headers": {"A": "b\r\nC: d"}}}, ["request.headers.A"]),
]


@pytest.mark.parametrize(("changes", "paths"), BAD_ENDPOINTS, ids=lambda value: str(value)[:60])
def test_a_bad_endpoint_is_refused_with_the_field_named(
    client: Client, job_id: str, changes: dict[str, Any], paths: list[str]
) -> None:
    answer = client("POST", f"/jobs/{job_id}/endpoints", {**ENDPOINT, **changes})
    assert (answer.status, answer.paths()) == (422, paths)
    assert client("GET", f"/jobs/{job_id}/endpoints").body["items"] == []


def test_every_broken_field_is_named_at_once(client: Client, job_id: str) -> None:
    answer = client("POST", f"/jobs/{job_id}/endpoints", {"name": 5, "timeoutMs": 1, "x": 1})
    assert set(answer.paths()) >= {"name", "timeoutMs", "x", "request"}


@pytest.mark.parametrize(
    ("raw", "status"),
    [("{", 400), ("", 400), ("nonsense", 400), ('{"name": NaN}', 400), ("[]", 422), ('"x"', 422), ("null", 422)],
)
def test_a_body_that_is_no_json_object_is_refused(client: Client, raw: str, status: int) -> None:
    assert client("POST", "/jobs", raw=raw).status == status


def test_a_foreign_media_type_is_refused(client: Client) -> None:
    answer = client("POST", "/jobs", raw="name=shop", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 415


def test_a_wrong_method_names_the_right_ones(client: Client) -> None:
    answer = client("PUT", "/jobs")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    assert answer.body["code"] == "method_not_allowed" and answer.body["requestId"] == "req-1"


def test_health_needs_no_key(world: MemoryWorld) -> None:
    assert Client(world, None)("GET", "/health").status == 200


def test_a_write_scope_implies_the_read_of_its_family(world: MemoryWorld, job_id: str) -> None:
    writer = Client(world, replace(ANNE, scopes=frozenset({Scope.JOBS_WRITE})))
    assert writer("GET", f"/jobs/{job_id}").status == 200
    reader = Client(world, replace(ANNE, scopes=frozenset({Scope.JOBS_READ})))
    assert reader("DELETE", f"/jobs/{job_id}").status == 403


def test_a_patch_merges_objects_and_null_clears(client: Client, endpoint_id: str) -> None:
    client("PATCH", f"/endpoints/{endpoint_id}", {"metadata": {"a": 1, "b": {"c": 2}}, "description": "x"})
    patch = {"metadata": {"a": None, "b": {"d": 3}}, "description": None, "request": {"headers": {"X-A": "1"}}}
    answer = client("PATCH", f"/endpoints/{endpoint_id}", patch)
    assert answer.status == 200
    assert answer.body["metadata"] == {"b": {"c": 2, "d": 3}}
    assert answer.body["description"] is None
    assert answer.body["request"]["url"] == "http://127.0.0.1/x" and answer.body["request"]["headers"] == {"X-A": "1"}


def test_a_patch_replaces_the_baseline_whole_and_replans_at_once(client: Client, endpoint_id: str) -> None:
    answer = client("PATCH", f"/endpoints/{endpoint_id}", {"baseline": {"cron": "30 * * * *"}})
    assert answer.body["baseline"] == {"cron": "30 * * * *", "timezone": "UTC"}
    assert answer.body["nextRunAt"] == "2025-01-01T00:30:00.000Z"


def test_a_patch_that_breaks_a_rule_changes_nothing(client: Client, endpoint_id: str) -> None:
    client("PATCH", f"/endpoints/{endpoint_id}", {"clamp": {"maxIntervalMs": 90_000}})
    answer = client("PATCH", f"/endpoints/{endpoint_id}", {"clamp": {"minIntervalMs": 100_000}, "description": "x"})
    assert (answer.status, answer.paths()) == (422, ["clamp.minIntervalMs"])
    stored = client("GET", f"/endpoints/{endpoint_id}").body
    assert stored["description"] is None and stored["clamp"] == {"minIntervalMs": None, "maxIntervalMs": 90_000}


def test_other_edits_move_nothing(world: MemoryWorld, client: Client, endpoint_id: str) -> None:
    before = client("GET", f"/endpoints/{endpoint_id}").body["nextRunAt"]
    world.clock.instant += 20_000
    assert client("PATCH", f"/endpoints/{endpoint_id}", {"description": "x"}).body["nextRunAt"] == before


def test_secret_header_values_are_masked_and_a_mask_is_not_stored(client: Client, job_id: str) -> None:
    headers = {"Authorization": "Bearer abc", "X-Token": "def", "X-Plain": "ghi"}
    made = client(
        "POST", f"/jobs/{job_id}/endpoints", {**ENDPOINT, "request": {"url": "http://127.0.0.1/", "headers": headers}}
    ).body
    assert made["request"]["headers"] == {"Authorization": "***", "X-Token": "***", "X-Plain": "ghi"}
    echoed = client("PATCH", f"/endpoints/{made['endpointId']}", {"request": made["request"]})
    assert echoed.status == 422 and "request.headers.Authorization" in echoed.paths()


def test_secrets_reach_the_target_but_not_the_record(world: MemoryWorld, client: Client, job_id: str) -> None:
    request = {"url": "http://127.0.0.1/", "headers": {"Authorization": "Bearer abc"}}
    client("POST", f"/jobs/{job_id}/endpoints", {**ENDPOINT, "request": request})
    world.outbound.answer = lambda _call: Reply(duration_ms=1, status_code=200, headers=(("Set-Cookie", "sid=abc"),))
    Stage(world).play_seconds(61)
    assert dict(world.outbound.calls[0][1].headers)["Authorization"] == "Bearer abc"
    run = client("GET", "/runs").body["items"][0]
    details = client("GET", f"/runs/{run['runId']}").body
    assert "abc" not in json.dumps(details)
    assert details["request"]["headers"]["Authorization"] == "***"


def test_a_stale_if_match_is_refused_and_a_fresh_one_is_not(client: Client, job_id: str, endpoint_id: str) -> None:
    for path in (f"/jobs/{job_id}", f"/endpoints/{endpoint_id}"):
        tag = client("GET", path).headers["ETag"]
        assert client("PATCH", path, {"description": "a"}, headers={"If-Match": tag}).status == 200
        stale = client("PATCH", path, {"description": "b"}, headers={"If-Match": tag})
        assert (stale.status, stale.body["code"]) == (412, "precondition_failed")
        assert client("GET", path).body["description"] == "a"


def test_a_duplicate_name_is_a_conflict(client: Client, job_id: str, endpoint_id: str) -> None:
    answer = client("POST", f"/jobs/{job_id}/endpoints", ENDPOINT)
    assert answer.status == 409 and "probe" in answer.body["detail"]


def test_run_now_answers_with_the_run_and_refuses_a_second_while_it_is_in_flight(
    client: Client, endpoint_id: str
) -> None:
    first = client("POST", f"/endpoints/{endpoint_id}/run")
    assert first.status == 202
    second = client("POST", f"/endpoints/{endpoint_id}/run", {})
    assert second.status == 409 and first.body["runId"] in second.body["detail"]
    assert client("GET", f"/runs/{first.body['runId']}").body["status"] == "running"
    assert client("GET", "/runs", query={"status": "running"}).body["items"][0]["source"] == "manual"


def test_a_run_shows_what_was_asked_and_answered(world: MemoryWorld, client: Client, endpoint_id: str) -> None:
    Stage(world).play_seconds(61)
    run = client("GET", "/runs", query={"endpointId": endpoint_id}).body["items"][0]
    details = client("GET", f"/runs/{run['runId']}").body
    assert details["slot"] == details["dueAt"] == "2025-01-01T00:01:00.000Z"
    assert (details["latenessMs"], details["status"], details["source"]) == (0, "success", "baseline-interval")
    assert details["response"] == {"statusCode": 200, "headers": {}, "body": "ok", "truncated": False}
    assert [each["attempt"] for each in details["attempts"]] == [1]


def test_runs_of_a_deleted_endpoint_stay_readable(world: MemoryWorld, client: Client, endpoint_id: str) -> None:
    Stage(world).play_seconds(61)
    assert client("DELETE", f"/endpoints/{endpoint_id}", query={"reason": "done"}).status == 204
    assert client("GET", f"/endpoints/{endpoint_id}").status == 404
    runs = client("GET", "/runs", query={"endpointId": endpoint_id}).body["items"]
    assert len(runs) == 1 and client("GET", f"/runs/{runs[0]['runId']}").status == 200
    Stage(world).play_seconds(600)
    assert len(world.outbound.calls) == 1


def test_naming_the_status_that_a_job_has_makes_an_endpoint_follow_that_did_not(
    world: MemoryWorld, client: Client, job_id: str, endpoint_id: str
) -> None:
    before = world.endpoints.load(endpoint_id)
    assert before is not None
    client("PATCH", f"/jobs/{job_id}", {"status": "paused"})
    # As if the store had failed while the endpoints were to follow, and the second look had been lost.
    world.endpoints._endpoints[endpoint_id] = before
    assert client("PATCH", f"/jobs/{job_id}", {"name": "still"}).status == 200
    assert client("GET", f"/endpoints/{endpoint_id}").body["state"] == "active"
    assert client("PATCH", f"/jobs/{job_id}", {"status": "paused"}).status == 200
    assert client("GET", f"/endpoints/{endpoint_id}").body["state"] == "paused"


def test_an_archived_job_stops_and_active_restores_it(
    world: MemoryWorld, client: Client, job_id: str, endpoint_id: str
) -> None:
    assert client("DELETE", f"/jobs/{job_id}", query={"reason": "over"}).body["status"] == "archived"
    stage = Stage(world)
    stage.play_seconds(200)
    assert world.outbound.calls == []
    stored = client("GET", f"/endpoints/{endpoint_id}").body
    assert stored["state"] == "paused" and "job" in stored["whyNotRunning"]
    assert client("PATCH", f"/jobs/{job_id}", {"status": "active"}).status == 200
    stage.play_seconds(241)
    assert world.outbound.seconds() == [200, 240]


def test_lists_are_paged_with_cursors_that_belong_to_their_list(client: Client, world: MemoryWorld) -> None:
    for name in "abc":
        client("POST", "/jobs", {"name": name, "tags": [name]})
        world.clock.instant += 1
    first = client("GET", "/jobs", query={"limit": "2"}).body
    second = client("GET", "/jobs", query={"limit": "2", "cursor": first["nextCursor"]}).body
    assert [job["name"] for job in first["items"] + second["items"]] == ["c", "b", "a"]
    assert second["nextCursor"] is None
    assert [job["name"] for job in client("GET", "/jobs", query={"tag": "b"}).body["items"]] == ["b"]
    foreign = client("GET", "/runs", query={"cursor": first["nextCursor"]})
    assert (foreign.status, foreign.body["code"]) == (400, "malformed")
    assert client("GET", "/jobs", query={"cursor": "!!"}).status == 400


@pytest.mark.parametrize(
    ("query", "path"),
    [({"limit": "0"}, "limit"), ({"limit": "201"}, "limit"), ({"limit": "x"}, "limit"), ({"status": "odd"}, "status"),
     ({"since": "yesterday"}, "since"), ({"since": "2025-01-01T00:00:00"}, "since"), ({"nope": "1"}, "nope")],
)  # fmt: skip
def test_a_bad_query_is_refused_with_the_parameter_named(client: Client, query: dict[str, str], path: str) -> None:
    answer = client("GET", "/runs", query=query)
    assert (answer.status, answer.paths()) == (422, [path])


def test_health_of_a_job_follows_its_endpoints(
    world: MemoryWorld, client: Client, job_id: str, endpoint_id: str
) -> None:
    assert client("GET", f"/jobs/{job_id}").body["health"] == "unknown"
    Stage(world).play_seconds(61)
    job = client("GET", f"/jobs/{job_id}").body
    assert (job["health"], job["endpointCount"], job["failingCount"]) == ("healthy", 1, 0)
    assert job["lastRunAt"] == "2025-01-01T00:01:00.000Z"
    world.outbound.answer = lambda _call: Reply(duration_ms=1, status_code=503)
    Stage(world).play_seconds(121)
    assert client("GET", f"/jobs/{job_id}").body["health"] == "failing"


def test_the_audit_tells_who_changed_what_without_secrets(world: MemoryWorld, client: Client, endpoint_id: str) -> None:
    client("PATCH", f"/endpoints/{endpoint_id}", {"request": {"headers": {"X-Api-Key": "abc"}}, "timeoutMs": 5000})
    newest = world.trail.of_subject(endpoint_id, 1, None).items[0]
    assert (newest.actor.id, newest.action) == ("key_anne", "updateEndpointConfig")
    assert newest.before["timeoutMs"] == 30_000 and newest.after["timeoutMs"] == 5000
    assert "abc" not in str(newest)


def test_an_endpoint_added_to_a_paused_job_waits_with_it(client: Client, job_id: str) -> None:
    client("PATCH", f"/jobs/{job_id}", {"status": "paused"})
    made = client("POST", f"/jobs/{job_id}/endpoints", ENDPOINT).body
    assert made["state"] == "paused" and made["nextRunAt"] is None
    assert client("GET", f"/jobs/{job_id}/endpoints", query={"state": "paused"}).body["items"][0]["name"] == "probe"


def test_ids_in_paths_are_taken_literally(client: Client) -> None:
    for path in ("/endpoints/..%2f..", "/endpoints/%00", "/runs/run_x", "/runs/" + "A" * 500):
        assert client("GET", path).status == 404


def test_times_are_iso_in_utc_with_milliseconds(client: Client, job_id: str) -> None:
    assert client("GET", f"/jobs/{job_id}").body["createdAt"] == "2025-01-01T00:00:00.000Z"
    assert MIDNIGHT % 1000 == 0


def test_a_jobs_default_baseline_is_replaced_whole_and_checked_at_the_door(client: Client) -> None:
    made = client("POST", "/jobs", {"name": "j", "defaults": {"baseline": {"intervalMs": 60_000}}}).body
    patched = client("PATCH", f"/jobs/{made['jobId']}", {"defaults": {"baseline": {"cron": "0 * * * *"}}})
    assert patched.status == 200 and patched.body["defaults"]["baseline"]["cron"] == "0 * * * *"
    bad = client("POST", "/jobs", {"name": "j", "defaults": {"baseline": {"cron": "61 * * * *"}}})
    assert (bad.status, bad.paths()) == (422, ["defaults.baseline.cron"])


def test_a_secret_header_is_rotated_in_any_spelling(client: Client, job_id: str) -> None:
    request = {"url": "http://127.0.0.1/", "headers": {"Authorization": "Bearer old", "X-A": "1"}}
    made = client("POST", f"/jobs/{job_id}/endpoints", {**ENDPOINT, "request": request}).body
    rotated = client(
        "PATCH", f"/endpoints/{made['endpointId']}", {"request": {"headers": {"authorization": "Bearer new"}}}
    )
    assert rotated.body["request"]["headers"] == {"authorization": "***", "X-A": "1"}


def test_a_patch_that_changes_nothing_is_no_new_version(client: Client, endpoint_id: str) -> None:
    before = client("GET", f"/endpoints/{endpoint_id}").body
    assert client("PATCH", f"/endpoints/{endpoint_id}", {}).body == before


def test_an_archived_jobs_endpoints_take_no_run_now(client: Client, job_id: str, endpoint_id: str) -> None:
    client("DELETE", f"/jobs/{job_id}")
    assert client("POST", f"/endpoints/{endpoint_id}/run").status == 409


def test_a_number_that_json_cannot_write_is_refused(client: Client, job_id: str) -> None:
    raw = json.dumps({**ENDPOINT, "metadata": {"n": 0}}).replace('"n": 0', '"n": 1e999')
    assert client("POST", f"/jobs/{job_id}/endpoints", raw=raw).status == 400


def test_a_forged_cursor_is_malformed_whatever_is_in_it(client: Client) -> None:
    for plain in (b"[" * 1500, b"{}", b'["x", ""]', b"[1,2,3]"):
        cursor = base64.urlsafe_b64encode(plain).rstrip(b"=").decode()
        assert client("GET", "/runs", query={"cursor": cursor}).status in (400, 422)


def test_fields_have_one_spelling(client: Client, job_id: str, endpoint_id: str) -> None:
    for method, path, body in (
        ("POST", "/jobs", {"name": "j", "is_synthetic": True}),
        ("POST", f"/endpoints/{endpoint_id}/hints/interval", {"interval_ms": 5000}),
        ("POST", f"/endpoints/{endpoint_id}/hints/interval", {"intervalMs": 5000, "endpoint_id": "x"}),
    ):
        assert client(method, path, body).status == 422
    assert client("GET", "/runs", query={"job_id": job_id}).status == 422


def test_an_edit_of_something_else_leaves_a_clamped_run_where_it_is(
    world: MemoryWorld, client: Client, job_id: str
) -> None:
    made = client("POST", f"/jobs/{job_id}/endpoints", {**ENDPOINT, "baseline": {"intervalMs": 25_000}}).body
    path = f"/endpoints/{made['endpointId']}"
    Stage(world).play_seconds(25)
    clamped = client("PATCH", path, {"clamp": {"minIntervalMs": 60_000}}).body
    assert (clamped["nextRunAt"], clamped["source"]) == ("2025-01-01T00:01:25.000Z", "clamped-min")
    world.clock.instant += 55_000
    edited = client("PATCH", path, {"description": "x", "timeoutMs": 4000}).body
    assert (edited["nextRunAt"], edited["source"]) == ("2025-01-01T00:01:25.000Z", "clamped-min")


def test_headers_beyond_what_a_record_holds_are_refused(client: Client, job_id: str) -> None:
    request = {"url": "http://127.0.0.1/", "headers": {f"X-{n}": "v" * 5000 for n in range(4)}}
    answer = client("POST", f"/jobs/{job_id}/endpoints", {**ENDPOINT, "request": request})
    assert (answer.status, answer.paths()) == (422, ["request.headers"])
