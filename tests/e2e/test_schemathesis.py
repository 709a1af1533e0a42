"""The local stack keeps what its OpenAPI document promises: the gateway and the authorizer included."""

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis import Case

from tests import fuzzing
from tests.e2e.conftest import LocalStack

ENDPOINT = {"name": "probe", "request": {"url": "http://127.0.0.1:9/"}, "baseline": {"manual": True}}
SENT: Counter[str] = Counter()


@pytest.fixture(scope="module")
def known(stack: LocalStack) -> Iterator[dict[str, Any]]:
    """Ids of what is there. Nothing calls anything: the endpoint is dormant, and nobody listens on port 9."""
    made = stack.client.post("/jobs", json={"name": "fuzzed"}).raise_for_status().json()
    endpoint = stack.client.post(f"/jobs/{made['jobId']}/endpoints", json=ENDPOINT).raise_for_status().json()
    yield {"jobId": made["jobId"], "endpointId": endpoint["endpointId"]}
    stack.client.delete(f"/jobs/{made['jobId']}").raise_for_status()
    sys.stdout.write(f"\nschemathesis: {SENT.total()} requests\n")


@pytest.fixture(scope="module")
def api(stack: LocalStack) -> Any:
    """The schema as the stack serves it, to be tried at the stack's own address."""
    config = fuzzing.config(max_examples=15, boundaries=False, base_url=stack.url)
    return schemathesis.openapi.from_url(f"{stack.url}/openapi.json", config=config)


@schemathesis.pytest.from_fixture("api").parametrize()
def test_every_answer_is_as_documented(case: Case[Any], stack: LocalStack, known: dict[str, Any]) -> None:
    # What is deleted here would be missing in all cases that follow.
    fuzzing.aim(case, known if case.method != "DELETE" or case.path.endswith("/hints") else {})
    SENT[case.operation.label] += 1
    case.call_and_validate(headers={"x-api-key": stack.api_key})
