"""From an exchange to its record: what was asked and came back, with secrets masked."""

from rubato.domain.endpoint import Endpoint
from rubato.domain.exchange import Attempt, Call, Reply
from rubato.domain.hints import find_hint
from rubato.domain.placeholders import hidden
from rubato.domain.runs import ReceivedResponse, Run, SentRequest, Verdict
from rubato.domain.targets import mask_headers


def compile_run(
    endpoint: Endpoint, call: Call, reply: Reply | None, verdict: Verdict, attempts: tuple[Attempt, ...], ended_at: int
) -> Run:
    """The record of the claimed run that has just ended after `attempts`; `ended_at` in ms since the epoch."""
    config, claim = endpoint.config, endpoint.state.claim
    assert claim is not None
    return Run(
        run_id=claim.run_id,
        tenant_id=config.tenant_id,
        job_id=config.job_id,
        endpoint_id=config.endpoint_id,
        slot=claim.plan.slot,
        due_at=claim.plan.due,
        source=claim.plan.source,
        status=verdict.status,
        started_at=attempts[0].started_at,
        attempt=claim.attempt,
        finished_at=ended_at,
        hint_id=claim.plan.hint_id,
        hint=find_hint(endpoint.hints, claim.plan.hint_id),
        error_kind=verdict.error_kind,
        error_message=verdict.error_message,
        status_code=attempts[-1].status_code,
        attempts=attempts,
        request=_sent(call),
        response=_received(reply) if reply else None,
    )


def _sent(call: Call) -> SentRequest:
    call = hidden(call)
    body = call.body.decode(errors="replace") if call.body is not None else None
    return SentRequest(method=call.method, url=call.url, headers=mask_headers(call.headers), body=body)


def _received(reply: Reply) -> ReceivedResponse | None:
    if reply.status_code is None:
        return None
    return ReceivedResponse(
        status_code=reply.status_code,
        headers=mask_headers(reply.headers),
        body=reply.body.decode(errors="replace"),
        truncated=reply.truncated,
    )
