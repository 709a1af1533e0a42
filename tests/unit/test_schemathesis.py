"""The HTTP door keeps what the OpenAPI document promises, whatever is sent."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from schemathesis import Case

from rubato.domain.access import ALL_SCOPES, Caller
from rubato.domain.hints import ActorKind
from tests import fuzzing
from tests.unit.clients import Client
from tests.worlds import ANNE, MemoryWorld, Stage, a_key
from tests.wsgi import Wsgi

APP = Wsgi(MemoryWorld())
SCHEMA = schemathesis.openapi.from_wsgi("/v1/openapi.json", APP, config=fuzzing.config(max_examples=10))
ENDPOINT = {"name": "probe", "request": {"url": "http://127.0.0.1/x"}, "baseline": {"intervalMs": 60_000}}


def furnished() -> tuple[MemoryWorld, Caller, dict[str, Any]]:
    """A world where something ran, whoever calls, and the ids of what is there."""
    world = MemoryWorld()
    key, _ = a_key(world, "acme", label="own", kind=ActorKind.HUMAN, scopes=ALL_SCOPES)
    caller = replace(ANNE, key_id=key.key_id)
    client = Client(world, caller)
    job_id = client("POST", "/jobs", {"name": "shop"}).body["jobId"]
    endpoint_id = client("POST", f"/jobs/{job_id}/endpoints", ENDPOINT).body["endpointId"]
    client("POST", f"/endpoints/{endpoint_id}/hints/interval", {"intervalMs": 30_000})
    Stage(world).play_seconds(61)
    run_id = client("GET", "/runs").body["items"][0]["runId"]
    key_id = client("POST", "/api-keys", {"label": "x", "kind": "agent", "scopes": ["jobs:read"]}).body["keyId"]
    signing = client("POST", "/signing-keys", {"endpointId": endpoint_id}).body["signingKeyId"]
    client("PUT", f"/jobs/{job_id}/secrets/API_KEY", {"value": "hunter2-hunter2"})
    ids = {"jobId": job_id, "endpointId": endpoint_id, "runId": run_id, "keyId": key_id, "signingKeyId": signing}
    return world, caller, ids


def _answers_as_documented(case: Case[Any]) -> None:
    if fuzzing.is_valid(case):
        # What is refused changes nothing, so the world before will do for it.
        APP.world, APP.caller, known = furnished()
        fuzzing.aim(case, known)
    case.call_and_validate(headers={"x-api-key": APP.key})


def _test_of(path: str, method: str) -> Any:
    """NOTE: schemathesis 4.32 gives all its tests one node id on pytest 9.2, and xdist runs one test of an id."""
    only = SCHEMA.include(path=path, method=method)
    return only.parametrize()(lambda case: _answers_as_documented(case))


for _path, _methods in SCHEMA.raw_schema["paths"].items():
    for _method in _methods:
        _name = "_".join(re.findall(r"\w+", f"{_method} {_path}"))
        globals()[f"test_answers_are_as_documented_{_name}"] = _test_of(_path, _method)


@pytest.fixture(autouse=True)
def _counted(record_property: Callable[[str, object], None]) -> Iterator[None]:
    before = APP.requests
    yield
    record_property("schemathesis requests in memory", APP.requests - before)
