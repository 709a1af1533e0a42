"""From an exchange to its record: what was asked and came back, with secrets masked."""

from rubato.domain.endpoint import Endpoint
from rubato.domain.exchange import Call, ErrorKind, Reply
from rubato.domain.runs import Attempt, ReceivedResponse, Run, SentRequest, Verdict
from rubato.domain.targets import mask_headers


def compile_run(
    endpoint: Endpoint, call: Call, reply: Reply, verdict: Verdict, *, started_at: int, finished_at: int
) -> Run:
    """The record of the claimed run that has just ended. Times in ms since the epoch."""
    config, claim = endpoint.config, endpoint.state.claim
    assert claim is not None
    latest = Attempt(
        attempt=claim.attempt,
        started_at=started_at,
        duration_ms=reply.duration_ms,
        status_code=reply.status_code,
        error_kind=verdict.error_kind,
        error_message=verdict.error_message,
    )
    return Run(
        run_id=claim.run_id,
        tenant_id=config.tenant_id,
        job_id=config.job_id,
        endpoint_id=config.endpoint_id,
        slot=claim.plan.slot,
        due_at=claim.plan.due,
        source=claim.plan.source,
        status=verdict.status,
        started_at=claim.lost[0] if claim.lost else started_at,
        attempt=claim.attempt,
        finished_at=finished_at,
        hint_id=claim.plan.hint_id,
        error_kind=verdict.error_kind,
        error_message=verdict.error_message,
        status_code=reply.status_code,
        attempts=(*lost_attempts(claim.lost), latest),
        request=_sent(call),
        response=_received(reply),
    )


def lost_attempts(started: tuple[int, ...]) -> tuple[Attempt, ...]:
    """The attempts whose workers died, from their start times."""
    return tuple(
        Attempt(attempt=number, started_at=at, error_kind=ErrorKind.LOST, error_message="its worker died")
        for number, at in enumerate(started, start=1)
    )


def _sent(call: Call) -> SentRequest:
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
