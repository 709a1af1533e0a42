"""The OpenAPI document: true to the catalog, valid, and the one that is committed."""

from typing import Any

import jsonschema_rs
import pytest

from cli.openapi import text_of
from rubato.interface.action import Action
from rubato.interface.catalog import CATALOG
from rubato.interface.openapi import document
from tests.infrastructure.conftest import ROOT
from tests.unit.clients import Client
from tests.worlds import MemoryWorld

DOCUMENT = document("1", "/v1")
OPEN = ("health", "openapi", "docs", "syntheticHealth", "syntheticEcho", "syntheticSlow", "syntheticFlaky")


def operation(action: Action) -> dict[str, Any]:
    """What the document says of an action."""
    found: dict[str, Any] = DOCUMENT["paths"][action.path][action.method.lower()]
    return found


def test_the_committed_document_is_the_one_that_is_served() -> None:
    assert (ROOT / "docs/openapi.json").read_text() == text_of(), (
        "docs/openapi.json is not what the catalog gives; refresh it: .venv/bin/rubato openapi > docs/openapi.json"
    )


def test_it_is_valid_and_so_is_every_schema_in_it() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    for schema in DOCUMENT["components"]["schemas"].values():
        whole = {**schema, "components": DOCUMENT["components"]}
        jsonschema_rs.meta.validate(whole)
        jsonschema_rs.validator_for(whole)


def test_every_action_and_every_open_page_has_one_operation_of_its_name() -> None:
    names = [each["operationId"] for methods in DOCUMENT["paths"].values() for each in methods.values()]
    assert sorted(names) == sorted([*(action.name for action in CATALOG), *OPEN])


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    found = set(_references(DOCUMENT))
    for reference in found:
        node: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
    schemas = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert schemas <= found


@pytest.mark.parametrize("action", CATALOG, ids=lambda action: action.name)
def test_an_action_tells_its_scope_marks_parameters_and_errors(action: Action) -> None:
    told = operation(action)
    assert told["x-rubato-scope"] == action.scope and (action.scope or "Any valid key") in told["description"]
    assert told["x-rubato-read-only"] == action.read_only and told["x-rubato-destructive"] == action.destructive
    parameters = {(each["name"], each["in"]) for each in told["parameters"]}
    assert {(name, "path") for name in action.pattern.groupindex} <= parameters
    assert all(each["description"] for each in told["parameters"])
    assert (("If-Match", "header") in parameters) == (action.method == "PATCH")
    assert (("Idempotency-Key", "header") in parameters) == action.creates
    assert ("403" in told["responses"]) == (action.scope is not None)
    expected = {"401", "422", "429", str(action.status)} | ({"404"} if action.pattern.groupindex else set())
    assert expected <= set(told["responses"])
    assert ("412" in told["responses"]) == (action.method == "PATCH")
    assert ("415" in told["responses"]) == (action.method in ("POST", "PUT", "PATCH"))


@pytest.mark.parametrize("action", CATALOG, ids=lambda action: action.name)
def test_every_field_of_an_action_is_a_parameter_or_in_the_body_with_its_meaning(action: Action) -> None:
    told = operation(action)
    parameters = {each["name"] for each in told["parameters"]}
    body: dict[str, Any] = {}
    for content in told.get("requestBody", {"content": {}})["content"].values():
        body = DOCUMENT["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
        assert body["additionalProperties"] is False
    for name, field in action.takes.model_fields.items():
        spelled = field.alias or name
        assert spelled in parameters or spelled in body["properties"]
        assert (spelled in body.get("properties", {})) <= (spelled not in action.pattern.groupindex)
    # A field that says the same as what it refers to says it there.
    assert all("$ref" in field or field["description"] for field in body.get("properties", {}).values())


def test_a_creating_request_and_its_answer_are_described_to_the_field() -> None:
    told = DOCUMENT["paths"]["/jobs/{jobId}/endpoints"]["post"]
    assert told["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/AddEndpointInput")
    schema = DOCUMENT["components"]["schemas"]["AddEndpointInput"]
    assert schema["required"] == ["name", "request"] and "jobId" not in schema["properties"]
    assert "ETag" in told["responses"]["201"]["headers"]
    view = DOCUMENT["components"]["schemas"]["EndpointView"]["properties"]
    assert view["createdAt"] == {"type": "string", "format": "date-time", "description": "When it was created."}


BASELINES = [
    ({"intervalMs": 60_000}, True),
    ({"intervalMs": 60_000, "cron": None, "timezone": None}, True),
    ({"cron": "0 9 * * *", "timezone": "Europe/Berlin"}, True),
    ({"cron": "@daily"}, True),
    ({"after": ["login"]}, True),
    ({"manual": True}, True),
    ({}, False),
    ({"intervalMs": 60_000, "manual": True}, False),
    ({"intervalMs": 60_000, "timezone": "UTC"}, False),
    ({"intervalMs": 0}, False),
    ({"manual": False}, False),
    ({"cron": "every day"}, False),
    ({"cron": "* * * *"}, False),
    ({"after": []}, False),
    ({"after": [" login"]}, False),
    ({"after": ["two\nlines"]}, False),
    ({"every": 5}, False),
]


@pytest.mark.parametrize(("baseline", "valid"), BASELINES, ids=str)
def test_the_schema_of_a_baseline_takes_what_the_api_takes(baseline: dict[str, Any], valid: bool) -> None:
    schema = {"$ref": "#/components/schemas/BaselineInput", "components": DOCUMENT["components"]}
    assert jsonschema_rs.validator_for(schema).is_valid(baseline) == valid
    answer = Client(MemoryWorld())("POST", "/schedules/preview", {"baseline": baseline})
    assert answer.status == (200 if valid else 422)


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [each for value in node.values() for each in _references(value)]
    return [each for value in node for each in _references(value)] if isinstance(node, list) else []
