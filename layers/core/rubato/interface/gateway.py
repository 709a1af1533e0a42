"""What API Gateway puts into a request: its id, and the caller that the authorizer found.

The authorizer imports nothing else of the interface: each millisecond of its start is one of somebody's first request.
"""

from typing import Any

from rubato.domain.access import Caller, Scope
from rubato.domain.errors import Unauthenticated
from rubato.domain.hints import ActorKind


def request_id_of(event: dict[str, Any]) -> str:
    """API Gateway's id of the request."""
    return (event.get("requestContext") or {}).get("requestId") or ""


def allow(caller: Caller, method_arn: str) -> dict[str, Any]:
    """A policy for the whole stage: API Gateway caches it by key and not by route. Scopes are checked inside."""
    api_and_stage = "/".join(method_arn.split("/")[:2])
    return {
        "principalId": caller.key_id,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{api_and_stage}/*"}],
        },
        "context": {
            "tenantId": caller.tenant_id,
            "keyId": caller.key_id,
            "kind": caller.kind.value,
            "scopes": " ".join(sorted(caller.scopes)),
        },
    }


def caller_of(event: dict[str, Any]) -> Caller:
    """The caller that the authorizer put into the request; raises Unauthenticated when there is none."""
    given = (event.get("requestContext") or {}).get("authorizer") or {}
    if not given.get("tenantId") or not given.get("keyId"):
        raise Unauthenticated("send a valid API key in x-api-key")
    return Caller(
        tenant_id=given["tenantId"],
        key_id=given["keyId"],
        kind=ActorKind(given["kind"]),
        scopes=frozenset(Scope(scope) for scope in given["scopes"].split()),
    )
