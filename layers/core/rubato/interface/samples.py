"""Sample values for a JSON Schema, to be read by people."""

from typing import Any

Json = dict[str, Any]
_BY_FORMAT = {
    "date-time": "2030-01-01T00:00:00Z",
    "uri": "https://example.com/",
    "cron": "0 9 * * *",
    "jmespath": "endpoints.probe.status == 'failure'",
    "iana-time-zone": "Europe/Berlin",
}
_NUMBER = 60_000


def sample_of(document: Json, shape: Json) -> Any:
    """A value with the required fields only; with the first field where none is required."""
    if "$ref" in shape:
        name = shape["$ref"].rpartition("/")[2]
        return sample_of(document, document["components"]["schemas"][name])
    if "examples" in shape:
        return shape["examples"][0]
    if shape.get("properties"):
        return _object(document, shape)
    if "anyOf" in shape:
        return sample_of(document, shape["anyOf"][0])
    if shape.get("type") == "array":
        return [sample_of(document, shape["items"])]
    return _plain(shape)


def _object(document: Json, shape: Json) -> Json:
    chosen = shape.get("oneOf", [{}])[0].get("required", ())
    required = [*shape.get("required", ()), *chosen] or list(shape["properties"])[:1]
    return {name: sample_of(document, shape["properties"][name]) for name in required}


def _plain(shape: Json) -> Any:
    for fixed in ("const", "default"):
        if fixed in shape:
            return shape[fixed]
    if "enum" in shape:
        return shape["enum"][0]
    if shape.get("type") == "integer":
        return max(shape.get("minimum", 0), min(shape.get("maximum", _NUMBER), _NUMBER))
    if shape.get("type") == "boolean":
        return True
    return _BY_FORMAT.get(shape.get("format", ""), "text")
