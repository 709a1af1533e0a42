"""Answers of the HTTP door, and errors as problem documents (RFC 9457)."""

import json
from dataclasses import dataclass, field
from typing import Any

from rubato.domain import errors

STATUS: dict[type[errors.RubatoError], tuple[int, str]] = {
    errors.Malformed: (400, "Malformed request"),
    errors.Unauthenticated: (401, "Not authenticated"),
    errors.Forbidden: (403, "Not allowed"),
    errors.NotFound: (404, "Not found"),
    errors.Conflict: (409, "Conflict"),
    errors.StaleVersion: (412, "Precondition failed"),
    errors.Invalid: (422, "Invalid input"),
    errors.LimitReached: (429, "Limit reached"),
    errors.Unavailable: (503, "Not available"),
}

# Nobody keeps an answer, guesses its type, or asks again without TLS. The gateway's own refusals carry the same.
_SAFETY = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000",
}


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back to API Gateway: a JSON body or, with a Content-Type among the headers, a text."""

    status: int
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""

    def to_event(self) -> dict[str, Any]:
        """API Gateway's proxy response."""
        kind = "application/json" if self.status < 400 else "application/problem+json"
        headers = {**_SAFETY, **self.headers}
        if self.body is None:
            return {"statusCode": self.status, "headers": headers, "body": self.text}
        text = json.dumps(self.body, separators=(",", ":"), ensure_ascii=False)
        return {"statusCode": self.status, "headers": {"Content-Type": kind, **headers}, "body": text}


def problem(refused: errors.RubatoError, request_id: str) -> Response:
    """An error as RFC 9457 problem details."""
    status, title = STATUS.get(type(refused), (500, "Internal error"))
    response = plain_problem(status, title, refused.code, str(refused), request_id)
    assert response.body is not None
    if isinstance(refused, errors.Invalid):
        response.body["errors"] = [{"path": each.path, "message": each.message} for each in refused.errors]
    if refused.retry_after_s is not None:
        response.headers["Retry-After"] = str(refused.retry_after_s)
    if isinstance(refused, errors.Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def plain_problem(status: int, title: str, code: str, detail: str, request_id: str) -> Response:
    """A problem that no error of the domain stands for."""
    body: dict[str, Any] = {
        "type": f"urn:rubato:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "errors": [],
        "requestId": request_id,
    }
    return Response(status, body)


def wrong_method(path: str, allowed: list[str], request_id: str) -> Response:
    """405, with the methods that the path knows."""
    detail = f"{path} knows {', '.join(allowed)}"
    refused = plain_problem(405, "Method not allowed", "method_not_allowed", detail, request_id)
    refused.headers["Allow"] = ", ".join(allowed)
    return refused
