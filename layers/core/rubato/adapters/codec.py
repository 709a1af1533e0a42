"""Domain values to plain JSON-able values and back, as the stores keep them. Short names: bytes are billed."""

from typing import Any

from rubato.domain.endpoint import Claim, EndpointState, LastRun, Pause, Plan, RunStatus, Skip, Source, TargetRequest
from rubato.domain.exchange import Attempt, ErrorKind
from rubato.domain.hints import Actor, ActorKind, Hint, HintKind
from rubato.domain.runs import ReceivedResponse, SentRequest

Plain = dict[str, Any]


def dump_request(request: TargetRequest) -> Plain:
    """The configured request."""
    return {
        "url": request.url,
        "method": request.method,
        "headers": [list(pair) for pair in request.headers],
        "body": request.body,
        "followRedirects": request.follow_redirects,
    }


def load_request(plain: Plain) -> TargetRequest:
    """The configured request."""
    return TargetRequest(
        url=plain["url"],
        method=plain["method"],
        headers=_pairs(plain["headers"]),
        body=plain["body"],
        follow_redirects=plain["followRedirects"],
    )


def dump_actor(actor: Actor) -> str:
    """`kind/id`."""
    return f"{actor.kind.value}/{actor.id}"


def load_actor(text: str) -> Actor:
    """`kind/id`."""
    kind, _, identifier = text.partition("/")
    return Actor(id=identifier, kind=ActorKind(kind))


def dump_plan(plan: Plan | None) -> Plain | None:
    """A planned run."""
    if plan is None:
        return None
    plain: Plain = {"s": plan.slot, "d": plan.due - plan.slot, "c": plan.source.value, "g": int(plan.on_grid)}
    if plan.trigger != "cadence":
        plain["t"] = plan.trigger
    if plan.hint_id is not None:
        plain["h"] = plan.hint_id
    return plain


def load_plan(plain: Plain | None) -> Plan | None:
    """A planned run."""
    if plain is None:
        return None
    return Plan(
        slot=plain["s"],
        due=plain["s"] + plain["d"],
        source=Source(plain["c"]),
        trigger=plain.get("t", "cadence"),
        hint_id=plain.get("h"),
        on_grid=bool(plain["g"]),
    )


def dump_claim(claim: Claim | None) -> Plain | None:
    """A claim."""
    if claim is None:
        return None
    plain: Plain = {
        "r": claim.run_id,
        "p": dump_plan(claim.plan),
        "f": claim.fence,
        "l": claim.lease_until,
        "a": claim.attempt,
        "s": claim.started_at,
    }
    if claim.tried:
        plain["x"] = [dump_attempt(attempt) for attempt in claim.tried]
    if claim.retry_at is not None:
        plain["w"] = claim.retry_at
    if claim.given_up:
        plain["g"] = 1
    return plain


def load_claim(plain: Plain | None) -> Claim | None:
    """A claim."""
    if plain is None:
        return None
    plan = load_plan(plain["p"])
    assert plan is not None
    return Claim(
        run_id=plain["r"],
        plan=plan,
        fence=plain["f"],
        lease_until=plain["l"],
        attempt=plain["a"],
        started_at=plain["s"],
        tried=tuple(load_attempt(each) for each in plain.get("x", ())),
        retry_at=plain.get("w"),
        given_up=bool(plain.get("g")),
    )


def dump_pause(pause: Pause | None) -> Plain | None:
    """A pause."""
    if pause is None:
        return None
    return {"since": pause.since, "by": dump_actor(pause.by), "until": pause.until, "reason": pause.reason}


def load_pause(plain: Plain | None) -> Pause | None:
    """A pause."""
    if plain is None:
        return None
    return Pause(since=plain["since"], by=load_actor(plain["by"]), until=plain["until"], reason=plain["reason"])


def dump_last_run(last: LastRun | None) -> Plain | None:
    """The latest finished run."""
    if last is None:
        return None
    return {"r": last.run_id, "s": last.status.value, "b": last.started_at, "e": last.finished_at}


def load_last_run(plain: Plain | None) -> LastRun | None:
    """The latest finished run."""
    if plain is None:
        return None
    return LastRun(run_id=plain["r"], status=RunStatus(plain["s"]), started_at=plain["b"], finished_at=plain["e"])


def dump_hint(hint: Hint | None) -> Plain | None:
    """A hint, as the run that it caused keeps it."""
    if hint is None:
        return None
    return {
        "hintId": hint.hint_id,
        "kind": hint.kind.value,
        "author": dump_actor(hint.author),
        "createdAt": hint.created_at,
        "expiresAt": hint.expires_at,
        "firstSlot": hint.first_slot,
        "intervalMs": hint.interval_ms,
        "reason": hint.reason,
    }


def load_hint(plain: Plain | None) -> Hint | None:
    """A hint, as the run that it caused keeps it."""
    if plain is None:
        return None
    return Hint(
        hint_id=plain["hintId"],
        kind=HintKind(plain["kind"]),
        author=load_actor(plain["author"]),
        created_at=plain["createdAt"],
        expires_at=plain["expiresAt"],
        first_slot=plain["firstSlot"],
        interval_ms=plain["intervalMs"],
        reason=plain["reason"],
    )


def dump_progress(state: EndpointState) -> Plain | None:
    """What other endpoints of the job ask about this one, and what it heard of them."""
    plain: Plain = {}
    if state.outcome is not None:
        plain["o"] = state.outcome.value
    if state.succeeded_at is not None:
        plain["s"] = state.succeeded_at
    if state.heard:
        plain["h"] = [list(pair) for pair in state.heard]
    if state.passed is not None:
        plain["p"] = state.passed
    if state.last_skip is not None:
        plain["k"] = [state.last_skip.slot, state.last_skip.reason]
    if state.stirred:
        plain["t"] = 1
    if state.look_floor is not None:
        plain["f"] = state.look_floor
    return plain or None


def load_progress(plain: Plain | None) -> Plain:
    """The fields of the state, by name."""
    plain = plain or {}
    return {
        "outcome": RunStatus(plain["o"]) if "o" in plain else None,
        "succeeded_at": plain.get("s"),
        "heard": tuple((name, at) for name, at in plain.get("h", ())),
        "passed": plain.get("p"),
        "stirred": bool(plain.get("t")),
        "look_floor": plain.get("f"),
        "last_skip": Skip(slot=plain["k"][0], reason=plain["k"][1]) if "k" in plain else None,
    }


def dump_attempt(attempt: Attempt) -> Plain:
    """One attempt of a run."""
    return {
        "attempt": attempt.attempt,
        "startedAt": attempt.started_at,
        "durationMs": attempt.duration_ms,
        "statusCode": attempt.status_code,
        "errorKind": attempt.error_kind.value if attempt.error_kind else None,
        "errorMessage": attempt.error_message,
    }


def load_attempt(plain: Plain) -> Attempt:
    """One attempt of a run."""
    return Attempt(
        attempt=plain["attempt"],
        started_at=plain["startedAt"],
        duration_ms=plain["durationMs"],
        status_code=plain["statusCode"],
        error_kind=ErrorKind(plain["errorKind"]) if plain["errorKind"] else None,
        error_message=plain["errorMessage"],
    )


def dump_sent(sent: SentRequest | None) -> Plain | None:
    """A request as sent."""
    if sent is None:
        return None
    return {"method": sent.method, "url": sent.url, "headers": [list(p) for p in sent.headers], "body": sent.body}


def load_sent(plain: Plain | None) -> SentRequest | None:
    """A request as sent."""
    if plain is None:
        return None
    return SentRequest(method=plain["method"], url=plain["url"], headers=_pairs(plain["headers"]), body=plain["body"])


def dump_received(received: ReceivedResponse | None) -> Plain | None:
    """A response as received."""
    if received is None:
        return None
    return {
        "statusCode": received.status_code,
        "headers": [list(p) for p in received.headers],
        "body": received.body,
        "truncated": received.truncated,
    }


def load_received(plain: Plain | None) -> ReceivedResponse | None:
    """A response as received."""
    if plain is None:
        return None
    return ReceivedResponse(
        status_code=plain["statusCode"],
        headers=_pairs(plain["headers"]),
        body=plain["body"],
        truncated=plain["truncated"],
    )


def _pairs(plain: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in plain)
