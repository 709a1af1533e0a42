"""What the OpenAPI document says of the targets at /synthetic. They are no actions: no key, no tool, no scope."""

from typing import Any

from rubato.interface.synthetic import (
    DEFAULT_DELAY_MS,
    DEFAULT_FAILURE_RATE,
    FAILURE_STATUS,
    MAX_DELAY_MS,
    MAX_ECHO_BYTES,
    MAX_SEED,
)

Json = dict[str, Any]

_TEXT = {"type": "string"}
_OK = {"const": "ok"}
_BYPASSES = "For monitoring the deployment itself. Throttled; 404 where the deployment switches these targets off."


def _operation(name: str, summary: str, answer: dict[str, Json], *errors: int, **rest: Any) -> Json:
    headers = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
    shape = {"type": "object", "required": list(answer), "properties": answer}
    success = {"description": "Success.", "headers": headers, "content": {"application/json": {"schema": shape}}}
    return {
        "operationId": name,
        "summary": summary,
        "description": _BYPASSES,
        "tags": ["synthetic"],
        "security": [],
        **rest,
        "responses": {"200": success} | {str(status): _PROBLEMS[status] for status in (404, *errors)},
        "x-rubato-read-only": True,
    }


def _problem(description: str) -> Json:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}


def _parameter(name: str, about: str, **shape: Any) -> Json:
    return {"name": name, "in": "query", "required": False, "description": about, "schema": shape}


_PROBLEMS = {
    404: {"$ref": "#/components/responses/NotFound"},
    413: _problem("The body is too long."),
    422: {"$ref": "#/components/responses/Invalid"},
    FAILURE_STATUS: _problem("It fails on purpose (code synthetic_failure), or too many call it."),
}
TAG = {"name": "synthetic", "description": "Targets for monitoring Rubato by itself; no key is needed."}
PATHS: dict[str, Json] = {
    "/synthetic/health": {
        "get": _operation("syntheticHealth", "Answer at once.", {"status": _OK, "version": _TEXT}, FAILURE_STATUS)
    },
    "/synthetic/echo": {
        "post": _operation(
            "syntheticEcho",
            "Give back what was sent, without credentials.",
            {
                "method": {"const": "POST"},
                "path": _TEXT,
                "query": {"type": "object", "description": "A parameter that came more than once is a list."},
                "headers": {"type": "object", "description": "By name in lower case, without credentials."},
                "body": {"description": "JSON where the body is JSON, else text; null without a body."},
            },
            413,
            FAILURE_STATUS,
            requestBody={
                "required": False,
                "description": f"Anything, up to {MAX_ECHO_BYTES} bytes.",
                "content": {"application/json": {"schema": {}}, "text/plain": {"schema": _TEXT}},
            },
        )
    },
    "/synthetic/slow": {
        "get": _operation(
            "syntheticSlow",
            "Answer after a while.",
            {"status": _OK, "delayMs": {"type": "integer"}},
            422,
            FAILURE_STATUS,
            parameters=[
                _parameter(
                    "delayMs",
                    "How long to wait, in milliseconds.",
                    type="integer",
                    minimum=0,
                    maximum=MAX_DELAY_MS,
                    default=DEFAULT_DELAY_MS,
                )
            ],
        )
    },
    "/synthetic/flaky": {
        "get": _operation(
            "syntheticFlaky",
            f"Fail by chance, with {FAILURE_STATUS}, which Rubato retries.",
            {"status": _OK, "failureRate": {"type": "number"}, "draw": {"type": "number"}},
            422,
            FAILURE_STATUS,
            parameters=[
                _parameter(
                    "failureRate",
                    "The part of the requests that fail; a plain decimal number.",
                    type="number",
                    minimum=0,
                    maximum=1,
                    default=DEFAULT_FAILURE_RATE,
                ),
                _parameter(
                    "seed",
                    "Draw by this text, Rubato-Run-Id and Rubato-Attempt alone: the same request, the same answer.",
                    type="string",
                    minLength=1,
                    maxLength=MAX_SEED,
                ),
            ],
        )
    },
}
