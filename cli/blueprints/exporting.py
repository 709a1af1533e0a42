"""From the API's answers to a blueprint that leads to the same. Pure."""

from typing import Any

from cli.blueprints import spelling, variables
from cli.blueprints.order import in_order
from cli.blueprints.stored import Stored

Fields = dict[str, Any]

# Partly given, the rest stays at its default; everything else is given whole.
_MERGED = ("request", "clamp", "retry", "notifications", "planner", "defaults")


def export(stored: Stored, *, full: bool = False) -> Fields:
    """`{"job": ..., "endpoints": [...]}`, endpoints in the order of who waits for whom.

    What is at its default is left out unless `full`; a masked header says `***`, which means: as it is stored.
    """
    job = spelling.stored_job(stored.job)
    endpoints = {each["name"]: spelling.stored_endpoint(each) for each in stored.endpoints}
    plain = spelling.new_job({"name": job["name"]})
    told = [_endpoint(endpoints[name], job, full) for name in in_order(endpoints.values())]
    brief = job if full else {**_differing(job, plain, ("name",)), **_rules(job)}
    found: Fields = variables.escape({"job": brief, "endpoints": told})
    return found


def hidden_headers(blueprint: Fields) -> list[str]:
    """`endpoint: header` of each header whose value is not known."""
    return [f"{each['name']}: {header}" for each in blueprint["endpoints"] for header in spelling.masked_headers(each)]


def _endpoint(endpoint: Fields, job: Fields, full: bool) -> Fields:
    if full:
        return endpoint
    least = {"name": endpoint["name"], "request": {"url": endpoint["request"]["url"]}}
    has_default = job["defaults"].get("baseline") is not None
    plain = spelling.new_endpoint(least | ({} if has_default else {"baseline": endpoint["baseline"]}), job)
    always = ("name", "request", "baseline")
    told = _differing(endpoint, plain, always)
    return {**told, "request": {"url": endpoint["request"]["url"], **told["request"]}}


def _rules(job: Fields) -> Fields:
    """Each without what is at its default."""
    rules = job.get("rules")
    if not rules:
        return {}
    least = [{"name": rule["name"], "when": rule["when"]} for rule in rules]
    plain = spelling.new_job({"name": job["name"], "rules": least})["rules"]
    return {"rules": [_differing(each, bare, ("name", "when")) for each, bare in zip(rules, plain, strict=True)]}


def _differing(fields: Fields, plain: Fields, always: tuple[str, ...]) -> Fields:
    return {
        key: _parts(value, plain.get(key)) if key in _MERGED else value
        for key, value in fields.items()
        if key in always or value != plain.get(key)
    }


def _parts(value: Any, plain: Any) -> Any:
    if not isinstance(value, dict) or not isinstance(plain, dict):
        return value
    return {key: each for key, each in value.items() if each != plain.get(key)}
