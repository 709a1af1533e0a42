"""Schemathesis over the OpenAPI document: what it may assume of a format, and what it checks in each answer."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, GenerationMode, Response

_ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
_CRONS = ("* * * * *", "*/5 9-17 * * MON-FRI", "0 0 1,15 * *", "30 2 29 2 *", "@daily", "0 9 * JAN-MAR 0")
_CODES = ("200", "200-299", "100-599", "404")
_CONDITIONS = ("endpoints.probe.status", "body > `5`", "length(endpoints.*.body) > `1`", "!(now) || rules.x.firedCount")
_HOSTS = ("api.example.com", "*.shop.example:8443", "http://10.0.0.7:8080", "[2001:db8::1]", "xn--mnchen-3ya.example")
_FIRST, _LAST = datetime(1970, 1, 1), datetime(8999, 1, 1)  # noqa: DTZ001 - the Z is added below
_TIMES = st.datetimes(_FIRST, _LAST).map(lambda moment: f"{moment.isoformat()}Z")

# What a format stands for beyond its pattern; a validator may ignore it, who writes a request may not.
schemathesis.openapi.format("date-time", _TIMES)
schemathesis.openapi.format("cron", st.sampled_from(_CRONS))
schemathesis.openapi.format("iana-time-zone", st.sampled_from(_ZONES))
schemathesis.openapi.format("status-code-range", st.sampled_from(_CODES))
schemathesis.openapi.format("secret-host", st.sampled_from(_HOSTS))
schemathesis.openapi.format("uri", st.from_regex(r"\Ahttps?://127\.0\.0\.1/[a-z0-9/]{0,20}(\?[a-z]=[a-z0-9])?\Z"))
schemathesis.openapi.format(
    "header-name", st.from_regex(r"\Ax-[a-z]{1,12}\Z").filter(lambda name: "rubato" not in name)
)

schemathesis.openapi.format("jmespath", st.sampled_from(_CONDITIONS))

# Rules that join fields, or look at what is stored, at the clock, or into a database that grows each year (time zones,
# Unicode): JSON Schema can't say them, so a request that satisfies the schema may still break them. Whatever else
# refuses such a request is a fault in the schema.
BEYOND_THE_SCHEMA = (
    r"is above (clamp\.|retry\.)?max",
    r"is below (clamp\.|this deployment's floor)",
    r"must stay below baseline\.intervalMs",
    r"is required: give one, or set defaults\.baseline on the job",
    r"must lie between the years|is in the past|has passed|is later than until|after the key",
    r"takes no body",
    r"globally routable|is this machine|only inside a network|metadata service|not a host name|not an IPv|port \d+ does",
    r"is the endpoint itself|the job has no endpoint",
    r"runs backwards|would never fire",
    r"is not in the IANA database",
    r"must be printable|remove spaces, control characters",
    r"bytes as JSON; at most|bytes; at most|the job has no secret|write a secret as|a secret may stand only",
    r"hints",
    r"can't have keys:read|a key of kind agent|no agent '|no job '",
    r"the job has another rule named|is longer than 366 days",
)


@schemathesis.check
def refused_only_beyond_the_schema(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """What satisfies the schema is refused for a stated reason that the schema can't say, or accepted."""
    if not is_valid(case) or response.status_code != 422:
        return
    for each in response.json()["errors"]:
        known = any(re.search(rule, each["message"]) for rule in BEYOND_THE_SCHEMA)
        assert known, f"{case.operation.label} accepts this by its schema, yet: {each}"


def config(max_examples: int, *, base_url: str | None = None) -> schemathesis.Config:
    """The same cases in each run."""
    where = {"base-url": base_url} if base_url else {}
    # Asking every route without a key, too, belongs to test_http: the emulator takes a second to refuse.
    live = {"ignored_auth": {"enabled": False}} if base_url else {}
    return schemathesis.Config.from_dict(
        {
            **where,
            "generation": {"max-examples": max_examples, "deterministic": True, "with-security-parameters": False},
            # What the schema can't say is known here, see above.
            "checks": {"positive_data_acceptance": {"enabled": False}, **live},
        }
    )


def draw(operation: Any, mode: GenerationMode, count: int, send: Callable[[Case[Any]], None]) -> None:
    """Send `count` drawn cases of an operation, the same in each run, without the edges that a whole run adds."""

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case: Case[Any]) -> None:
        send(case)

    each()


def is_valid(case: Case[Any]) -> bool:
    """Whether a case satisfies the document; the others break it somewhere, on purpose."""
    return case.meta is not None and case.meta.generation.mode.is_positive


def aim(case: Case[Any], known: dict[str, Any]) -> None:
    """Let a valid case meet what exists: drawn ids never do."""
    if is_valid(case):
        for name in case.path_parameters.keys() & known.keys():
            case.path_parameters[name] = known[name]
