"""What the planner's model may call. There is nothing else that it can do, whatever it says or was told to say."""

from typing import Any

from rubato.domain.conversation import Tool

Json = dict[str, Any]

MAX_STEPS = 15
MAX_HISTORY = 10
MAX_REASONING = 2000
_MAX_TTL_MINUTES = 10_080
_YEAR_MS = 366 * 86_400_000

_ENDPOINT: Json = {
    "type": "string",
    "maxLength": 255,
    "description": "Name of a sibling endpoint of this job; left out, the endpoint under analysis.",
}
_REASON: Json = {"type": "string", "minLength": 1, "maxLength": 500, "description": "Why, in one sentence."}
_TTL: Json = {"type": "integer", "minimum": 1, "maximum": _MAX_TTL_MINUTES}
_BODY: Json = {"type": "boolean", "description": "Show the beginning of the body (false)."}
_TIME = "ISO 8601 with Z or an offset"


def _tool(name: str, description: str, properties: Json, *required: str) -> Tool:
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return Tool(name=name, description=description, schema={**schema, "required": list(required)})


SUBMIT = _tool(
    "submit_analysis",
    "End the analysis. Call it last, also when nothing is to be done.",
    {
        "reasoning": {"type": "string", "minLength": 1, "maxLength": MAX_REASONING},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "nextAnalysisIn": {"type": "integer", "minimum": 5, "maximum": 1440, "description": "Minutes."},
    },
    "reasoning",
    "confidence",
    "nextAnalysisIn",
)

QUERIES = (
    _tool(
        "get_latest_response",
        "The latest run of an endpoint: status, duration, and on request the body's beginning.",
        {"endpoint": _ENDPOINT, "includeBody": _BODY},
    ),
    _tool(
        "get_response_history",
        "The latest runs of an endpoint, newest first.",
        {
            "endpoint": _ENDPOINT,
            "limit": {"type": "integer", "minimum": 1, "maximum": MAX_HISTORY},
            "includeBody": _BODY,
        },
    ),
    _tool(
        "get_sibling_responses",
        "The latest run of each of several siblings.",
        {
            "names": {"type": "array", "items": _ENDPOINT, "minItems": 1, "maxItems": MAX_HISTORY},
            "includeBody": _BODY,
        },
        "names",
    ),
)

ACTIONS = (
    _tool(
        "propose_interval",
        "Run an endpoint at another interval for a while, within its clamp; the baseline returns by itself.",
        {
            "endpoint": _ENDPOINT,
            "intervalMs": {"type": "integer", "minimum": 1, "maximum": _YEAR_MS},
            "ttlMinutes": _TTL,
            "reason": _REASON,
        },
        "intervalMs",
        "ttlMinutes",
        "reason",
    ),
    _tool(
        "propose_next_time",
        "Run an endpoint once, beside its rhythm: exactly one of runAt and runInMs.",
        {
            "endpoint": _ENDPOINT,
            "runAt": {"type": "string", "maxLength": 40, "description": _TIME},
            "runInMs": {"type": "integer", "minimum": 0, "maximum": _YEAR_MS},
            "ttlMinutes": _TTL,
            "reason": _REASON,
        },
        "ttlMinutes",
        "reason",
    ),
    _tool(
        "pause_until",
        "Pause an endpoint, or end a pause that rules or you made.",
        {
            "endpoint": _ENDPOINT,
            "until": {
                "type": ["string", "null"],
                "maxLength": 40,
                "description": f'{_TIME}, "indefinite", or null to resume.',
            },
            "reason": _REASON,
        },
        "until",
        "reason",
    ),
    _tool(
        "clear_hints",
        "End the live hints that rules or you gave an endpoint; those of people stay.",
        {"endpoint": _ENDPOINT, "reason": _REASON},
        "reason",
    ),
)

TOOLS = (*QUERIES, *ACTIONS, SUBMIT)
BY_NAME = {tool.name: tool for tool in TOOLS}
