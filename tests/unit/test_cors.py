"""Which web pages may call the API from a browser: none, until a deployment says so."""

from dataclasses import replace

import pytest

from rubato.settings import Settings
from tests.unit.clients import Answer, Client
from tests.worlds import ANNE, MemoryWorld

APP = "https://app.example.com"


def a_client(*origins: str, known: bool = True) -> Client:
    """A client of a deployment that allows these origins."""
    world = MemoryWorld()
    world.limits = replace(world.limits, cors_origins=origins)
    return Client(world, ANNE if known else None)


def cors_of(answer: Answer) -> dict[str, str]:
    """The headers that a browser looks at."""
    return {
        name: value for name, value in answer.headers.items() if name.startswith("Access-Control") or name == "Vary"
    }


def preflight(client: Client, origin: str, path: str = "/jobs") -> Answer:
    """What a browser asks before it sends a request with a key."""
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    return client("OPTIONS", path, headers=asked)


def test_without_the_parameter_no_answer_has_a_cors_header() -> None:
    client = a_client()
    answers = [preflight(client, APP), client("GET", "/jobs", headers={"Origin": APP}), client("GET", "/health")]
    assert [cors_of(answer) for answer in answers] == [{}, {}, {}]


def test_a_page_of_an_allowed_origin_may_send_keys_and_json_and_read_what_it_needs() -> None:
    client = a_client("https://other.example.com", APP)
    asked = preflight(client, APP)
    assert asked.status == 204 and asked.headers["Access-Control-Allow-Origin"] == APP
    assert asked.headers["Access-Control-Allow-Methods"] == "GET, HEAD, POST, PATCH, DELETE"
    allowed = asked.headers["Access-Control-Allow-Headers"].split(", ")
    of_agents = {"mcp-protocol-version", "mcp-method", "mcp-name"}
    assert set(allowed) == {"content-type", "x-api-key", "authorization", "idempotency-key", "if-match"} | of_agents
    assert asked.headers["Access-Control-Max-Age"] == "600" and asked.headers["Vary"] == "Origin"
    answer = client("GET", "/jobs", headers={"Origin": APP})
    assert answer.status == 200 and answer.headers["Access-Control-Allow-Origin"] == APP
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert set(exposed) == {"ETag", "Retry-After", "X-Request-Id", "Link", "X-Next-Cursor"}


@pytest.mark.parametrize(
    "origin", ["https://evil.example.com", "http://app.example.com", APP + ".evil.com", "null", ""]
)
def test_a_page_of_another_origin_may_nothing(origin: str) -> None:
    client = a_client(APP)
    for answer in (preflight(client, origin), client("GET", "/jobs", headers={"Origin": origin})):
        assert cors_of(answer) == {"Vary": "Origin"}


def test_a_star_allows_every_page() -> None:
    client = a_client("*")
    assert preflight(client, "https://anyone.example").headers["Access-Control-Allow-Origin"] == "*"
    assert cors_of(client("GET", "/jobs", headers={"Origin": APP}))["Access-Control-Allow-Origin"] == "*"


def test_errors_can_be_read_by_the_page_too() -> None:
    stranger = a_client(APP, known=False)
    client = a_client(APP)
    refused = [
        stranger("GET", "/jobs", headers={"Origin": APP}),
        client("GET", "/nope", headers={"Origin": APP}),
        client("PUT", "/jobs", headers={"Origin": APP}),
        client("POST", "/jobs", raw="x", headers={"Origin": APP, "Content-Type": "text/plain"}),
        client("POST", "/jobs", {}, headers={"Origin": APP}),
    ]
    assert [answer.status for answer in refused] == [401, 404, 405, 415, 422]
    assert all(answer.headers["Access-Control-Allow-Origin"] == APP for answer in refused)


def test_the_parameter_lists_origins_with_commas() -> None:
    def origins(text: str) -> tuple[str, ...]:
        return Settings.from_env({"CORS_ALLOWED_ORIGINS": text}).limits.cors_origins

    assert origins("") == () and origins("*") == ("*",)
    assert origins(f"{APP},http://localhost:3000") == (APP, "http://localhost:3000")
