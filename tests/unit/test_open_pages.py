"""What is answered without a key, and how every route answers the methods that it does not know."""

import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from rubato import __version__
from rubato.interface import openapi
from rubato.interface.catalog import CATALOG
from rubato.interface.http import handle
from tests.unit.clients import Client
from tests.worlds import ANNE, MemoryWorld

OPEN = ("/health", "/openapi.json", "/docs")
ROUTES = sorted({action.path.replace("{", "").replace("}", "") for action in CATALOG}) + list(OPEN)


@pytest.fixture
def stranger() -> Client:
    return Client(MemoryWorld(), None)


@pytest.fixture
def client() -> Client:
    return Client(MemoryWorld(), ANNE)


def test_a_stranger_gets_the_openapi_document(stranger: Client) -> None:
    answer = stranger("GET", "/openapi.json")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.body == json.loads(openapi.as_text(openapi.document(__version__, "/v1")))


def test_the_docs_name_every_action_its_route_and_its_scope(stranger: Client) -> None:
    page = stranger("GET", "/docs")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    for action in CATALOG:
        assert f'<h3 id="{action.name}">' in page.text
        assert (
            f"<code>{action.method} {action.path}</code> ({f'scope {action.scope}' if action.scope else 'any key'}"
            in page.text
        )


def test_the_docs_are_well_formed_and_load_nothing(stranger: Client) -> None:
    page = stranger("GET", "/docs")
    tree = ElementTree.fromstring(page.text.partition("\n")[2])
    assert tree.get("lang") == "en"
    names = {element.tag for element in tree.iter()}
    assert not names & {"script", "link", "img", "iframe", "object", "embed"}
    addresses = {element.get(name) for element in tree.iter() for name in ("src", "href") if element.get(name)}
    assert all(address == "openapi.json" or str(address).startswith("#") for address in addresses)
    assert not re.search(r"url\(|@import", page.text)


def test_every_link_in_the_docs_leads_somewhere(stranger: Client) -> None:
    tree = ElementTree.fromstring(stranger("GET", "/docs").text.partition("\n")[2])
    targets = [str(element.get("id")) for element in tree.iter() if element.get("id")]
    assert len(targets) == len(set(targets))
    links = {str(element.get("href")) for element in tree.iter("a")} - {"openapi.json"}
    assert links <= {f"#{target}" for target in targets}


def test_the_policy_of_the_docs_forbids_everything_but_their_own_style(stranger: Client) -> None:
    policy = stranger("GET", "/docs").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "script" not in policy


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
def test_documents_may_be_kept_for_a_while_and_checked(stranger: Client, path: str) -> None:
    first = stranger("GET", path)
    assert first.headers["Cache-Control"] == "public, max-age=300"
    again = stranger("GET", path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.text) == (304, "")


@pytest.mark.parametrize("path", OPEN)
def test_open_pages_know_head_and_refuse_other_methods(stranger: Client, path: str) -> None:
    got, headed = stranger("GET", path), stranger("HEAD", path)
    assert (headed.status, headed.text) == (200, "")
    assert {**headed.headers} == {**got.headers}
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        refused = stranger(method, path)
        assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
        assert refused.body["code"] == "method_not_allowed" and refused.body["requestId"] == "req-1"


def test_head_answers_as_get_does_without_the_body(client: Client) -> None:
    job_id = client("POST", "/jobs", {"name": "shop"}).body["jobId"]
    got, headed = client("GET", f"/jobs/{job_id}"), client("HEAD", f"/jobs/{job_id}")
    assert (headed.status, headed.text, headed.headers) == (200, "", got.headers)
    assert client("HEAD", "/jobs/job_x").status == 404 and client("HEAD", "/jobs/job_x").text == ""
    assert client("HEAD", "/jobs", query={"nope": "1"}).status == 422


@pytest.mark.parametrize("path", ROUTES)
def test_every_route_names_its_methods_and_every_answer_its_request(client: Client, path: str) -> None:
    for spelled in (path, f"{path}/"):
        refused, asked = client("TRACE", spelled), client("OPTIONS", spelled)
        assert refused.status == 405 and asked.status == 204
        assert refused.headers["Allow"] == asked.headers["Allow"]
        assert "OPTIONS" in asked.headers["Allow"]
        assert ("GET" in asked.headers["Allow"]) == ("HEAD" in asked.headers["Allow"])
        assert refused.headers["X-Request-Id"] == asked.headers["X-Request-Id"] == "req-1"


@pytest.mark.parametrize("path", ["/", "/nope", "/jobs/a/b/c", "/docs/x", "/openapi.json/x", "//jobs", ""])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_an_unknown_path_is_not_found_whatever_the_method(client: Client, method: str, path: str) -> None:
    answer = client(method, path)
    assert (answer.status, answer.headers["X-Request-Id"]) == (404, "req-1")
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("kind", "status"),
    [("application/json", 201), ("application/json; charset=utf-8", 201), ("Application/JSON;charset=UTF-8", 201),
     ("application/merge-patch+json", 201), ("text/plain", 415), ("", 415), ("application/jsonx", 415),
     ("application/xml", 415), ("multipart/form-data; boundary=x", 415)],
)  # fmt: skip
def test_a_body_counts_as_json_only_when_it_says_so(client: Client, kind: str, status: int) -> None:
    answer = client("POST", "/jobs", {"name": "shop"}, headers={"Content-Type": kind})
    assert answer.status == status
    assert answer.body.get("code") == ("unsupported_media_type" if status == 415 else None)
    assert answer.headers["X-Request-Id"] == "req-1"


def test_other_routes_do_not_wait_for_the_schemas() -> None:
    program = (
        "import sys; from tests.worlds import *; from tests.unit.clients import Client; "
        "assert Client(MemoryWorld())('GET', '/jobs').status == 200; "
        "print(sorted(name for name in sys.modules if name.startswith('rubato.interface.')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "rubato.interface.http" in done.stdout
    assert not any(f"rubato.interface.{name}" in done.stdout for name in ("openapi", "docs_page", "schemas"))


def test_a_number_without_a_fraction_is_an_integer_however_it_is_written(client: Client) -> None:
    for spelled in ("60000", "60000.0", "6e4"):
        answer = client("POST", "/schedules/preview", raw=f'{{"baseline": {{"intervalMs": {spelled}}}}}')
        assert answer.status == 200
    assert client("POST", "/schedules/preview", raw='{"baseline": {"intervalMs": 60000.5}}').status == 422


@pytest.mark.parametrize(("text", "status"), [("true", 200), ("false", 200), ("yes", 422), ("1", 422), ("", 422)])
def test_a_flag_in_a_query_is_true_or_false(client: Client, text: str, status: int) -> None:
    assert client("GET", "/jobs", query={"isSynthetic": text}).status == status


def test_the_documents_name_the_address_before_their_own_route() -> None:
    for full, server in (("/v1/openapi.json", "/v1"), ("/scheduler/openapi.json", "/scheduler"), ("", "/v1")):
        event = {"httpMethod": "GET", "path": "/openapi.json", "requestContext": {"path": full}}
        answer = handle(MemoryWorld(), event, on_crash=lambda: None)
        assert json.loads(answer["body"])["servers"] == [{"url": server}]
