"""A blueprint as a file says it."""

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from cli.blueprints import variables
from cli.blueprints.notation import read_json, read_yaml
from cli.trouble import Trouble

Fields = dict[str, Any]

_PROSE = ("description", "assumptions")
_PARTS = ("job", "endpoints", *_PROSE)
_YAML = (".yaml", ".yml")
_DEEPEST = 100  # No field of the API is nested like that, and each level costs a call.


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """The job's fields and each endpoint's, in the API's own spelling. `origin` names the file in messages.

    `lists_endpoints` is whether the file has a list of them, be it an empty one: only then it says which there are.
    """

    origin: str
    job: Fields
    endpoints: tuple[Fields, ...]
    lists_endpoints: bool

    def place(self, endpoint: str) -> str:
        """Where the file says something of that endpoint: `endpoints[2]`."""
        names = [each["name"] for each in self.endpoints]
        return f"endpoints[{names.index(endpoint)}]"


def read_blueprint(path: str, values: Mapping[str, str]) -> Blueprint:
    """Of a JSON or YAML file, `-` for the standard input. Raises Trouble that names file, place and remedy."""
    origin = "standard input" if path == "-" else path
    return blueprint_of(parsed(_text(path), origin), origin, values)


def blueprint_of(content: Any, origin: str, values: Mapping[str, str]) -> Blueprint:
    """Of a parsed document."""
    if not isinstance(content, dict):
        raise Trouble(f'{origin}: must be an object such as {{"job": {{"name": "shop"}}, "endpoints": []}}')
    unknown = content.keys() - set(_PARTS)
    if unknown:
        raise Trouble(f"{origin}: unknown {', '.join(sorted(map(str, unknown)))}; there is {', '.join(_PARTS)}")
    _refuse_what_is_not_json(content, "", origin)
    job, endpoints = content.get("job"), content.get("endpoints", [])
    _check_shape(job, endpoints, origin)
    filled = _filled({"job": job, "endpoints": endpoints}, values, origin)
    _refuse_twins(filled["endpoints"], origin)
    return Blueprint(
        origin=origin,
        job=filled["job"],
        endpoints=tuple(filled["endpoints"]),
        lists_endpoints="endpoints" in content,
    )


def _text(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"{path}: can't be read: {error}") from None


def parsed(text: str, origin: str) -> Any:
    """The document in a text, JSON or YAML as its name or else its looks say. Raises Trouble for what is none."""
    is_yaml = origin.endswith(_YAML) or (not origin.endswith(".json") and not text.lstrip().startswith("{"))
    try:
        return read_yaml(text) if is_yaml else read_json(text)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise Trouble(f"{origin}: is no {'YAML' if is_yaml else 'JSON'}: {error}") from None


def _refuse_what_is_not_json(value: Any, path: str, origin: str, depth: int = 0) -> None:
    """YAML has more types than JSON: numbers as names, and what tags such as !!timestamp ask for."""
    if depth > _DEEPEST:
        raise Trouble(f"{origin}: is nested more than {_DEEPEST} levels deep")
    if isinstance(value, dict):
        for key, each in value.items():
            if not isinstance(key, str):
                raise Trouble(f"{origin}: {path or 'top'}: the name {key!r} is no text in YAML; put it in quotes")
            _refuse_what_is_not_json(each, f"{path}.{key}" if path else key, origin, depth + 1)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            _refuse_what_is_not_json(each, f"{path}[{index}]", origin, depth + 1)
    elif not isinstance(value, str | int | float | None):
        raise Trouble(f"{origin}: {path}: {value} is a {type(value).__name__} in YAML; put it in quotes")


def _check_shape(job: Any, endpoints: Any, origin: str) -> None:
    if not isinstance(job, dict) or not isinstance(job.get("name"), str):
        raise Trouble(f'{origin}: job.name is required: "job": {{"name": "shop"}}')
    if not isinstance(endpoints, list):
        raise Trouble(f"{origin}: endpoints must be a list")
    for index, endpoint in enumerate(endpoints):
        if not isinstance(endpoint, dict) or not isinstance(endpoint.get("name"), str):
            raise Trouble(f'{origin}: endpoints[{index}].name is required: {{"name": "front page", ...}}')


def _filled(content: Fields, values: Mapping[str, str], origin: str) -> Fields:
    wanted = variables.names_in(content)
    missing, useless = sorted(wanted - values.keys()), sorted(values.keys() - wanted)
    if missing:
        options = " ".join(f"--set {name}=..." for name in missing)
        raise Trouble(f"{origin}: has no value for {', '.join(f'${{{name}}}' for name in missing)}; add {options}")
    if useless:
        there = ", ".join(f"${{{name}}}" for name in sorted(wanted)) or "no variables"
        raise Trouble(f"{origin}: --set {useless[0]} is used nowhere in it; it has {there}")
    return cast(Fields, variables.fill(content, values))


def _refuse_twins(endpoints: list[Fields], origin: str) -> None:
    twins = [name for name, count in Counter(each["name"] for each in endpoints).items() if count > 1]
    if twins:
        raise Trouble(f"{origin}: endpoints: two are named {twins[0]!r}; names are unique in a job")
