"""What API Gateway puts into a request: its id, and the caller that the authorizer found.

The authorizer imports nothing else of the interface: each millisecond of its start is one of somebody's first request.
"""

import json
from typing import Any

from rubato.domain.access import Caller, Door, Scope
from rubato.domain.agents import Delegation
from rubato.domain.budget import UNLIMITED, Budget
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
        "context": context_of(caller),
    }


def context_of(caller: Caller) -> dict[str, str]:
    """The caller as API Gateway carries it: flat, of ASCII texts."""
    context = {
        "tenantId": caller.tenant_id,
        "keyId": caller.key_id,
        "kind": caller.kind.value,
        "scopes": " ".join(sorted(caller.scopes)),
    }
    if caller.budget != UNLIMITED:
        context["budget"] = json.dumps(caller.budget.to_plain())
    if caller.delegation is not None:
        acting = caller.delegation
        context["delegation"] = json.dumps([acting.agent_id, acting.agent_name, acting.owner])
    return context


def caller_of(event: dict[str, Any], door: Door) -> Caller:
    """The caller that the authorizer put into the request, come in by this door; raises Unauthenticated without one."""
    given = (event.get("requestContext") or {}).get("authorizer") or {}
    if not given.get("tenantId") or not given.get("keyId"):
        raise Unauthenticated("send a valid API key in x-api-key")
    return Caller(
        tenant_id=given["tenantId"],
        key_id=given["keyId"],
        kind=ActorKind(given["kind"]),
        scopes=frozenset(Scope(scope) for scope in given["scopes"].split()),
        budget=Budget.from_plain(json.loads(given["budget"])) if "budget" in given else UNLIMITED,
        delegation=_delegation(given),
        door=door,
    )


def noted(caller: Caller) -> dict[str, str]:
    """What a line in the log tells of the caller. No names: those are in the audit trail."""
    told = {"tenantId": caller.tenant_id, "callerKeyId": caller.key_id}
    if caller.door is not None:
        told["door"] = caller.door.value
    return {**told, "callerAgentId": caller.delegation.agent_id} if caller.delegation is not None else told


def _delegation(given: dict[str, Any]) -> Delegation | None:
    if "delegation" not in given:
        return None
    agent_id, name, owner = json.loads(given["delegation"])
    return Delegation(agent_id=agent_id, agent_name=name, owner=owner)
