"""The local stack keeps what its OpenAPI document promises: the gateway and the authorizer included."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis import Case, GenerationMode

from rubato.interface.catalog import CATALOG
from tests import fuzzing
from tests.e2e.conftest import LocalStack

ENDPOINT = {"name": "probe", "request": {"url": "http://127.0.0.1:9/"}, "baseline": {"manual": True}}
OPEN = [("/health", "GET"), ("/openapi.json", "GET"), ("/docs", "GET")]
VALID, BROKEN = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
# Where an id in the path is all that is sent, nothing can break the schema: any text may be an id.
OPERATIONS = [
    (action.path, action.method, mode)
    for action in CATALOG
    for mode in (VALID, BROKEN)
    # A key of the tenant would sign whatever the other tests call.
    if action.name != "createSigningKey"
    and (mode is VALID or action.creates or len(action.takes.model_fields) > len(action.pattern.groupindex))
]
_CASES = 6
SENT: Counter[str] = Counter()


@pytest.fixture(scope="module")
def known(stack: LocalStack) -> Iterator[dict[str, Any]]:
    """Ids of what is there. Nothing calls anything: the endpoint is dormant, and nobody listens on port 9."""
    job_id = stack.client.post("/jobs", json={"name": "fuzzed"}).raise_for_status().json()["jobId"]
    made = stack.client.post(f"/jobs/{job_id}/endpoints", json=ENDPOINT).raise_for_status().json()
    yield {"jobId": job_id, "endpointId": made["endpointId"]}
    stack.client.delete(f"/jobs/{job_id}").raise_for_status()


@pytest.fixture(autouse=True)
def _counted(record_property: Callable[[str, object], None]) -> Iterator[None]:
    before = SENT.total()
    yield
    record_property("schemathesis requests to the local stack", SENT.total() - before)


@pytest.fixture(scope="module")
def api(stack: LocalStack) -> Any:
    """The document as the stack serves it, to be tried at the stack's own address."""
    config = fuzzing.config(max_examples=_CASES, base_url=stack.url)
    return schemathesis.openapi.from_url(f"{stack.url}/openapi.json", config=config)


@pytest.mark.parametrize(("path", "method", "mode"), OPERATIONS)
def test_every_answer_is_as_documented(
    api: Any, stack: LocalStack, known: dict[str, Any], path: str, method: str, mode: GenerationMode
) -> None:
    # What is deleted here would be missing in all cases that follow.
    aims = known if method != "DELETE" or path.endswith("/hints") else {}

    def send(case: Case[Any]) -> None:
        fuzzing.aim(case, aims)
        SENT[case.operation.label] += 1
        case.call_and_validate(headers={"x-api-key": stack.api_key})

    fuzzing.draw(api[path][method], mode, _CASES, send)


@pytest.mark.parametrize(("path", "method"), OPEN)
def test_open_pages_are_as_documented(api: Any, path: str, method: str) -> None:
    def send(case: Case[Any]) -> None:
        SENT[case.operation.label] += 1
        case.call_and_validate()

    fuzzing.draw(api[path][method], VALID, 1, send)
