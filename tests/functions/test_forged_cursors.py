"""Cursors are not signed: whoever has one can write another. None leads to another tenant, and none breaks anything."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import pytest

from rubato.bootstrap import AwsWorld
from rubato.domain.access import Caller
from rubato.domain.instant import MINUTE, SECOND
from rubato.domain.schedule import IntervalBaseline
from rubato.usecases.manage_signing_keys import create_signing_key
from tests.functions.conftest import Context, event, load
from tests.unit.histories import a_run
from tests.worlds import ANNE, MALLORY, a_job, a_key, an_endpoint

HANDLER = load("api").handler


def ask(caller: Caller, path: str, **query: str) -> tuple[int, Any]:
    asked = {**event("api-list-runs"), "path": path, "queryStringParameters": query or None}
    asked["requestContext"]["authorizer"] = {
        "tenantId": caller.tenant_id,
        "keyId": caller.key_id,
        "kind": caller.kind.value,
        "scopes": " ".join(caller.scopes),
    }
    answer = HANDLER(asked, Context())
    return answer["statusCode"], json.loads(answer["body"])


def a_tenant(world: AwsWorld, caller: Caller) -> list[str]:
    """Two of everything that is listed; gives the lists."""
    job, _ = a_job(world, caller), a_job(world, caller, name="other")
    endpoints = [an_endpoint(world, IntervalBaseline(MINUTE), job, caller, name=name) for name in ("a", "b")]
    for second in (10, 20):
        world.runs.record(a_run(endpoints[0], second))
        world.clock.sleep_until(world.clock.now() + SECOND)
        a_key(world, caller.tenant_id)
        create_signing_key(world, caller, an_endpoint(world, None, job, caller, name=f"later {second}").id)
    patch = {**event("api-create-job"), "httpMethod": "PATCH", "path": f"/endpoints/{endpoints[0].id}"}
    for text in ("one", "two"):
        patch["requestContext"]["authorizer"] |= {"tenantId": caller.tenant_id, "keyId": caller.key_id}
        assert HANDLER({**patch, "body": json.dumps({"description": text})}, Context())["statusCode"] == 200
    return [
        "/jobs",
        f"/jobs/{job.job_id}/endpoints",
        "/runs",
        f"/endpoints/{endpoints[0].id}/events",
        "/api-keys",
        "/signing-keys",
    ]


def taken_apart(cursor: str) -> list[str]:
    parts: list[str] = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return parts


def forged(cursor: str, position: str) -> str:
    plain = json.dumps([taken_apart(cursor)[0], position])
    return urlsafe_b64encode(plain.encode()).rstrip(b"=").decode()


@pytest.fixture
def lists(world: AwsWorld) -> list[tuple[str, str, str]]:
    """(Mallory's list, a cursor of it, the position in a cursor of the same list of Anne's)."""
    found = []
    for own, foreign in zip(a_tenant(world, MALLORY), a_tenant(world, ANNE), strict=True):
        cursors = [ask(caller, path, limit="1")[1]["nextCursor"] for caller, path in ((MALLORY, own), (ANNE, foreign))]
        found.append((own, cursors[0], taken_apart(cursors[1])[1]))
    return found


def test_a_cursor_opens_no_other_list_and_no_position_shows_another_tenant(lists: list[tuple[str, str, str]]) -> None:
    for path, cursor, position in lists:
        assert all((ask(MALLORY, path, cursor=each)[0] == 200) == (path == other) for other, each, _ in lists)
        everything = [json.dumps(item) for item in ask(MALLORY, path, limit="200")[1]["items"]]
        status, page = ask(MALLORY, path, limit="200", cursor=forged(cursor, position))
        assert status == 200, path
        assert {json.dumps(item) for item in page["items"]} <= set(everything), path
        assert not any("acme" in item for item in everything)


def test_a_position_that_no_store_takes_is_refused_and_not_looked_up(lists: list[tuple[str, str, str]]) -> None:
    for path, cursor, _ in lists:
        for position in ("\ud800", "n#\udfff", "x" * 1025, ""):
            assert ask(MALLORY, path, cursor=forged(cursor, position))[0] == 400, (path, ascii(position))
        for position in ("\x00", "~", "x" * 1024, "run_", "n#", " "):
            status, page = ask(MALLORY, path, cursor=forged(cursor, position))
            assert status == 200 and "items" in page, (path, position)


def test_the_longest_names_are_paged_like_any_other(world: AwsWorld) -> None:
    """Whoever may add endpoints can't make the list of a job unreadable for everybody else."""
    job = a_job(world)
    names = [letter * 254 + end for letter in ("\U0001f600", "\uff71", "ü") for end in "ab"]
    for name in names:
        an_endpoint(world, IntervalBaseline(MINUTE), job, name=name)
    found, cursor = [], None
    for _ in names:
        status, page = ask(ANNE, f"/jobs/{job.job_id}/endpoints", limit="1", **({"cursor": cursor} if cursor else {}))
        assert status == 200
        found += [item["name"] for item in page["items"]]
        cursor = page["nextCursor"]
    assert sorted(found) == sorted(names) and cursor is None
