"""How the API itself would spell a job or an endpoint once it is stored: defaults filled in, secrets masked.

The API's own models and merge do the work, so that a comparison can't differ from what a request would lead to. Raises
rubato's Invalid, naming fields, for what the API would refuse.
"""

import json
from collections.abc import Iterable
from typing import Any

from rubato.domain.targets import MASK, mask_headers
from rubato.interface import drafts
from rubato.interface.inputs.endpoints import AddEndpointInput, EndpointFields
from rubato.interface.inputs.jobs import DefaultsInput, JobFields
from rubato.interface.views import endpoints as endpoint_views
from rubato.interface.views import jobs as job_views
from rubato.interface.wire import Wire, read_json

Fields = dict[str, Any]


# What users fill as they like, and so mean whole; a merge patch would keep what they have removed.
_WHOLE = (("request", "headers"), ("request", "body"), ("metadata",))


def new_job(given: Fields) -> Fields:
    """As it would be created."""
    return _spelled_job(read_json(JobFields, json.dumps(given)))


def stored_job(answer: Fields) -> Fields:
    """What an answer of getJob says of its configuration."""
    return new_job(_configured(answer, JobFields))


def changed_job(stored: Fields, given: Fields) -> Fields:
    """As it would be after a merge patch of `given`."""
    replaced = {**stored, "defaults": _without_old_baseline(stored["defaults"], given.get("defaults"))}
    return new_job(drafts.merge_patch(replaced, given))


def new_endpoint(given: Fields, job: Fields) -> Fields:
    """As it would be created in a job of these fields."""
    asked = read_json(AddEndpointInput, json.dumps({**given, "jobId": "new"}))
    whole = drafts.with_defaults(asked, drafts.job_draft(read_json(JobFields, json.dumps(job))))
    return _spelled(whole)


def stored_endpoint(answer: Fields) -> Fields:
    """What an answer of getEndpoint says of its configuration."""
    return _spelled(read_json(EndpointFields, json.dumps(_configured(answer, EndpointFields))))


def changed_endpoint(stored: Fields, patch: Fields) -> Fields:
    """As it would be after a merge patch."""
    replaced = {key: value for key, value in stored.items() if key != "baseline" or not patch.get("baseline")}
    headers = _at(patch, ("request", "headers"))
    if isinstance(headers, dict):
        lowered = {name.lower(): value for name, value in headers.items()}
        patch = {**patch, "request": {**patch["request"], "headers": lowered}}
    return _spelled(read_json(EndpointFields, json.dumps(drafts.merge_patch(replaced, patch))))


def endpoint_patch(stored: Fields, given: Fields) -> Fields:
    """The merge patch that makes of `stored` what `given` means: whole where users fill as they like."""
    patch = json.loads(json.dumps(given))
    for path in _WHOLE:
        before, holder = _at(stored, path[:-1]), _at(patch, path[:-1])
        if isinstance(holder, dict) and isinstance(holder.get(path[-1]), dict):
            old = before.get(path[-1])
            holder[path[-1]] = _as_patch(_respelled(old, holder[path[-1]], path), holder[path[-1]])
    _leave_masked_headers(patch)
    return dict(patch)


def without_nulls(given: Fields) -> Fields:
    """What creating sends: where there is nothing yet, null says nothing."""
    return dict(drafts.merge_patch({}, given))


def without_known_secrets(stored: Fields, given: Fields) -> Fields:
    """`given` with the mask for each secret header that is stored already: as it is stored."""
    known = {name.lower() for name in _at(stored, ("request", "headers")) or ()}
    kept = [name for name in secret_headers(given) if name.lower() in known]
    if not kept:
        return given
    request = given["request"]
    return {**given, "request": {**request, "headers": {**request["headers"], **dict.fromkeys(kept, MASK)}}}


def masked(given: Fields) -> Fields:
    """Fields as a file gives them, with the values of secret headers as the API shows them."""
    headers = _at(given, ("request", "headers"))
    if not isinstance(headers, dict):
        return given
    hidden = dict(mask_headers(tuple(headers.items())))
    return {**given, "request": {**given["request"], "headers": hidden}}


def masked_headers(given: Fields) -> list[str]:
    """The headers whose value is the mask, and so unknown."""
    headers = _at(given, ("request", "headers"))
    return [name for name, value in headers.items() if value == MASK] if isinstance(headers, dict) else []


def secret_headers(given: Fields) -> list[str]:
    """The headers with a value that the API would mask."""
    return [name for name in masked_headers(masked(given)) if name not in masked_headers(given)]


def _spelled(fields: EndpointFields) -> Fields:
    spelled = endpoint_views.config_fields(drafts.endpoint_draft(fields))
    # Names of headers know no case.
    headers = {name.lower(): value for name, value in spelled["request"]["headers"].items()}
    return {**spelled, "request": {**spelled["request"], "headers": headers}}


def _spelled_job(fields: JobFields) -> Fields:
    spelled = job_views.config_fields(drafts.job_draft(fields))
    # What a job does not give new endpoints is null in answers and left out inside.
    return {**spelled, "defaults": DefaultsInput.model_validate(spelled["defaults"]).model_dump(by_alias=True)}


def _configured(answer: Any, model: Any) -> Any:
    """What of an answer can be set; an answer also tells how things stand."""
    if not isinstance(answer, dict) or not (isinstance(model, type) and issubclass(model, Wire)):
        return answer
    known = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    return {name: _configured(value, known[name]) for name, value in answer.items() if name in known}


def _without_old_baseline(defaults: Fields, given: Any) -> Fields:
    is_replaced = isinstance(given, dict) and given.get("baseline")
    return {key: value for key, value in defaults.items() if key != "baseline" or not is_replaced}


def _at(fields: Any, path: Iterable[str]) -> Any:
    for name in path:
        fields = fields.get(name) if isinstance(fields, dict) else None
    return fields


def _respelled(stored: Any, given: Fields, path: tuple[str, ...]) -> Any:
    if path[-1] != "headers" or not isinstance(stored, dict):
        return stored
    spelling = {name.lower(): name for name in given}
    return {spelling.get(name.lower(), name): value for name, value in stored.items()}


def _as_patch(stored: Any, given: Fields) -> Fields:
    """`given`, with a null for each name that goes."""
    old = stored if isinstance(stored, dict) else {}
    inner = {
        name: _as_patch(old.get(name), value) if isinstance(value, dict) else value for name, value in given.items()
    }
    return {**dict.fromkeys(name for name in old if name not in given), **inner}


def _leave_masked_headers(patch: Fields) -> None:
    headers = _at(patch, ("request", "headers"))
    for name in masked_headers(patch):
        del headers[name]
