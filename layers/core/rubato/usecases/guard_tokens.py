"""QuotaGuard: a model's tokens per tenant and day, taken before a call and settled after it.

Whoever dies in between leaves what was taken on the count of the day, and the count ends with the day.
"""

from rubato.domain import quota
from rubato.domain.conversation import Answer, ModelFailed, ModelFault, Question, size_of
from rubato.domain.errors import RubatoError
from rubato.ports import World

# These came back before the model began; a call that broke off may have been charged for.
_FREE = (ModelFault.UNAUTHORIZED, ModelFault.REFUSED, ModelFault.THROTTLED, ModelFault.UNAVAILABLE)


class NoTokensLeft(RubatoError):
    """The call would take the tenant beyond its tokens of the day."""


def ask_within_quota(world: World, tenant_id: str, question: Question) -> Answer:
    """The model's answer; raises NoTokensLeft before anything is asked, ModelFailed."""
    day, taken = quota.day_of(world.clock.now()), size_of(question)
    limit = world.limits.planning.tokens_per_day
    if not world.usage.take_tokens(tenant_id, day, taken, limit):
        raise NoTokensLeft(f"the quota of {limit} tokens a day has no room for another call of the model")
    try:
        answer = world.model.ask(question)
    except ModelFailed as failed:
        if failed.fault in _FREE:
            _settle(world, tenant_id, day, -taken)
        raise
    except Exception:
        _settle(world, tenant_id, day, -taken)  # Rubato's own trouble is not the tenant's
        raise
    _settle(world, tenant_id, day, answer.tokens - taken)
    return answer


def _settle(world: World, tenant_id: str, day: str, difference: int) -> None:
    try:
        world.usage.settle_tokens(tenant_id, day, difference)
    except Exception as error:  # noqa: BLE001 - the reserve stands in for it until the day ends; the answer is not lost
        world.telemetry.warn("tokens not settled", tenantId=tenant_id, error=type(error).__name__)
