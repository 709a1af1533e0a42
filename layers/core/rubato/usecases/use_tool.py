"""One call of a tool by the planner's model: judged, carried out under the endpoint's own bounds, told as data.

A tool knows endpoints by their names within the analysed endpoint's job. No argument reaches any other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rubato.domain.access import Caller
from rubato.domain.analysis import cut
from rubato.domain.arguments import checked
from rubato.domain.briefing import spell
from rubato.domain.conversation import ToolCall, ToolResult
from rubato.domain.endpoint import Endpoint
from rubato.domain.errors import Invalid, RubatoError
from rubato.domain.hints import AUTOMATIC, ActorKind
from rubato.domain.instant import from_iso, to_iso
from rubato.domain.planner_tools import BY_NAME
from rubato.domain.runs import Run
from rubato.ports import RunFilter, World
from rubato.usecases import steer_endpoint

PLANNER_KEY = "planner"
_LATEST_BODY, _OTHER_BODY = 4_000, 600
_HISTORY = 5
_MAX_ERROR = 500
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """At which an analysis sits: its world, which a dry run has changed nothing in, and its endpoint."""

    world: World
    endpoint: Endpoint

    @property
    def caller(self) -> Caller:
        """The planner, in the endpoint's tenant."""
        tenant = self.endpoint.config.tenant_id
        return Caller(tenant_id=tenant, key_id=PLANNER_KEY, kind=ActorKind.PLANNER, scopes=frozenset())

    def find(self, name: str | None) -> str:
        """The id of the endpoint of that name in the job, by default of the analysed one. Raises Invalid."""
        config = self.endpoint.config
        if name is None or name == config.name:
            return self.endpoint.id
        found = self.world.endpoints.named(config.job_id, [name])
        if name not in found:
            raise Invalid.field("endpoint", f"this job has no endpoint named {name!r}; names, not ids, are wanted")
        return found[name]


def use_tool(desk: Desk, call: ToolCall) -> ToolResult:
    """What the model is told. Whatever it does wrong is an answer that says so; raises what the store raises."""
    tool = BY_NAME.get(call.name)
    if tool is None:
        return _refused(call, f"there is no tool {call.name!r}; use one of {', '.join(BY_NAME)}")
    try:
        told = _TOOLS[tool.name](desk, checked(tool.schema, call.arguments))
    except RubatoError as refused:
        return _refused(call, str(refused))
    return ToolResult(call_id=call.call_id, text=_fenced(told))


def _refused(call: ToolCall, why: str) -> ToolResult:
    return ToolResult(call_id=call.call_id, text=_fenced({"error": cut(why, _MAX_ERROR)}), is_error=True)


def _fenced(told: Json) -> str:
    return f"<data>{spell(told)}</data>"


def _get_latest_response(desk: Desk, given: Json) -> Json:
    runs = _latest(desk, desk.find(given.get("endpoint")), 1, given, _LATEST_BODY)
    return {"latest": runs[0] if runs else "it has not run yet"}


def _get_response_history(desk: Desk, given: Json) -> Json:
    return {"runs": _latest(desk, desk.find(given.get("endpoint")), given.get("limit", _HISTORY), given, _OTHER_BODY)}


def _get_sibling_responses(desk: Desk, given: Json) -> Json:
    found = {name: desk.find(name) for name in given["names"]}
    return {name: _latest(desk, endpoint_id, 1, given, _OTHER_BODY) for name, endpoint_id in found.items()}


def _propose_interval(desk: Desk, given: Json) -> Json:
    endpoint, hint = steer_endpoint.hint_interval(
        desk.world,
        desk.caller,
        desk.find(given.get("endpoint")),
        interval_ms=given["intervalMs"],
        ttl_minutes=given["ttlMinutes"],
        reason=given["reason"],
    )
    return {**_planned(endpoint), "expiresAt": to_iso(hint.expires_at)}


def _propose_next_time(desk: Desk, given: Json) -> Json:
    run_at, run_in_ms = given.get("runAt"), given.get("runInMs")
    if (run_at is None) == (run_in_ms is None):
        raise Invalid.field("runAt", "give exactly one of runAt and runInMs")
    endpoint, hint = steer_endpoint.hint_one_shot(
        desk.world,
        desk.caller,
        desk.find(given.get("endpoint")),
        run_at=from_iso(run_at, "runAt") if run_at is not None else None,
        run_in_ms=run_in_ms,
        ttl_minutes=given["ttlMinutes"],
        reason=given["reason"],
    )
    return {**_planned(endpoint), "expiresAt": to_iso(hint.expires_at)}


def _pause_until(desk: Desk, given: Json) -> Json:
    endpoint_id, until = desk.find(given.get("endpoint")), given["until"]
    if until is None:
        return _planned(steer_endpoint.resume_endpoint(desk.world, desk.caller, endpoint_id, reason=given["reason"]))
    instant = None if until == "indefinite" else from_iso(until, "until")
    return _planned(
        steer_endpoint.pause_endpoint(desk.world, desk.caller, endpoint_id, until=instant, reason=given["reason"])
    )


def _clear_hints(desk: Desk, given: Json) -> Json:
    endpoint, count = steer_endpoint.clear_hints(
        desk.world,
        desk.caller,
        desk.find(given.get("endpoint")),
        reason=given["reason"],
        only_by=lambda author: author.kind in AUTOMATIC,
    )
    return {**_planned(endpoint), "cleared": count}


def _submit_analysis(_desk: Desk, _given: Json) -> Json:
    return {"ended": True}


def _planned(endpoint: Endpoint) -> Json:
    planned = endpoint.state.next
    return {
        "endpoint": endpoint.config.name,
        "nextRunAt": to_iso(planned.due) if planned else "nothing is planned",
        "source": planned.source.value if planned else None,
    }


def _latest(desk: Desk, endpoint_id: str, limit: int, given: Json, body_chars: int) -> list[Json]:
    found = desk.world.runs.of_endpoint(endpoint_id, RunFilter(), limit, None).items
    return [_told(desk, run, body_chars if given.get("includeBody") else 0) for run in found]


def _told(desk: Desk, run: Run, body_chars: int) -> Json:
    told: Json = {
        "at": to_iso(run.slot),
        "source": run.source.value,
        "status": run.status.value,
        "statusCode": run.status_code,
        "durationMs": run.duration_ms,
        "errorKind": run.error_kind.value if run.error_kind else None,
        "error": cut(run.error_message or "", _OTHER_BODY),
    }
    return {**told, "untrustedBody": _body(desk, run.run_id, body_chars)} if body_chars else told


def _body(desk: Desk, run_id: str, limit: int) -> str:
    run = desk.world.runs.get(run_id)
    return cut(run.response.body, limit) if run is not None and run.response is not None else ""


_TOOLS: dict[str, Callable[[Desk, Json], Json]] = {
    "get_latest_response": _get_latest_response,
    "get_response_history": _get_response_history,
    "get_sibling_responses": _get_sibling_responses,
    "propose_interval": _propose_interval,
    "propose_next_time": _propose_next_time,
    "pause_until": _pause_until,
    "clear_hints": _clear_hints,
    "submit_analysis": _submit_analysis,
}
