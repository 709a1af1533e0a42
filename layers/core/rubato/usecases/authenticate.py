"""From the headers of a request to the caller."""

from collections.abc import Mapping

from rubato.domain.access import ApiKey, Caller, key_id_of
from rubato.domain.agents import Agent
from rubato.domain.errors import Unauthenticated
from rubato.domain.instant import HOUR
from rubato.ports import World

USE_NOTED_EVERY_MS = HOUR
_BEARER = "bearer "


def authenticate(world: World, headers: Mapping[str, str]) -> Caller:
    """The caller that the key in `x-api-key` or `Authorization: Bearer` stands for; raises Unauthenticated."""
    token = presented_token(headers)
    key_id = key_id_of(token) if token else None
    if token is None or key_id is None:
        raise Unauthenticated("send a valid API key in x-api-key")
    key, agent = standing_key(world, key_id, token)
    _record_use(world, key)
    return Caller(
        tenant_id=key.tenant_id,
        key_id=key.key_id,
        kind=key.kind,
        scopes=key.scopes,
        budget=key.budget,
        delegation=agent.delegation if agent is not None else None,
    )


def standing_key(world: World, key_id: str, token: str | None = None) -> tuple[ApiKey, Agent | None]:
    """The key, and the agent that it belongs to, as they stand now; raises Unauthenticated unless both are in force.

    With a token, also unless it is the key's.
    """
    key = world.keys.get(key_id)
    if key is None or not key.is_valid(world.clock.now()) or (token is not None and not key.matches(token)):
        raise Unauthenticated("this API key is unknown, revoked or expired")
    if key.agent_id is None:
        return key, None
    agent = world.agents.get(key.agent_id)
    if agent is None or agent.retired_at is not None:
        raise Unauthenticated("the agent that this API key belongs to is retired")
    return key, agent


def _record_use(world: World, key: ApiKey) -> None:
    """Once an hour. Nobody is turned away because a note could not be made."""
    now = world.clock.now()
    if key.last_used_at is not None and now - key.last_used_at < USE_NOTED_EVERY_MS:
        return
    try:
        world.keys.record_use(key.key_id, now, now - USE_NOTED_EVERY_MS)
    except Exception as error:  # noqa: BLE001
        world.telemetry.warn("use of a key not noted", keyId=key.key_id, error=type(error).__name__)


def presented_token(headers: Mapping[str, str]) -> str | None:
    """The key as sent; x-api-key wins over Authorization. Header names in any case."""
    lowered = {name.lower(): value for name, value in headers.items()}
    if lowered.get("x-api-key"):
        return lowered["x-api-key"].strip()
    authorization = lowered.get("authorization", "")
    return authorization[len(_BEARER) :].strip() if authorization.lower().startswith(_BEARER) else None
