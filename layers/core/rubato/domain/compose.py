"""The call that a claimed run makes: the configured request and what Rubato adds to it."""

import json

from rubato import __version__
from rubato.domain.endpoint import Claim, EndpointConfig, TargetRequest
from rubato.domain.exchange import Call, Headers
from rubato.domain.instant import to_iso


def compose(config: EndpointConfig, claim: Claim) -> Call:
    """The attempt's call. The run id is the same on every attempt, so a target can tell a repetition."""
    request = config.request
    body, content_type = encode_body(request)
    given = {name.lower() for name, _ in request.headers}
    added: list[tuple[str, str]] = []
    if "user-agent" not in given:
        added.append(("User-Agent", f"Rubato/{__version__}"))
    if content_type and "content-type" not in given:
        added.append(("Content-Type", content_type))
    return Call(
        method=request.method,
        url=request.url,
        headers=(*added, *request.headers, *_identification(claim)),
        body=body,
        timeout_ms=config.timeout_ms,
        max_response_bytes=config.max_response_bytes,
        follow_redirects=request.follow_redirects,
    )


def encode_body(request: TargetRequest) -> tuple[bytes | None, str | None]:
    """The bytes to send and their default content type: text as it is, any other value as JSON."""
    if request.body is None:
        return None, None
    if isinstance(request.body, str):
        return request.body.encode(), "text/plain; charset=utf-8"
    return json.dumps(request.body, separators=(",", ":"), ensure_ascii=False).encode(), "application/json"


def _identification(claim: Claim) -> Headers:
    return (
        ("Idempotency-Key", claim.run_id),
        ("Rubato-Run-Id", claim.run_id),
        ("Rubato-Attempt", str(claim.attempt)),
        ("Rubato-Slot", to_iso(claim.plan.slot)),
    )
