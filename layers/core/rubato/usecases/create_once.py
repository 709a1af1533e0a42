"""Create something once, however often the request for it comes in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rubato.domain.errors import Conflict, RubatoError
from rubato.domain.idempotency import Reservation, Standing
from rubato.domain.instant import HOUR, SECOND
from rubato.ports import World

KEPT_MS = 24 * HOUR
# Longer than the API function may run: by then the holder has answered, or died.
LEASE_MS = 30 * SECOND
_RETRY_AFTER_S = 1

Answer = dict[str, Any]


def create_once(
    world: World, request_id: str, fingerprint: str, create: Callable[[], Answer], public: Callable[[Answer], Answer]
) -> Answer:
    """What `create` gives, or, for 24 h, what it gave to the same request before, as `public` left it to be kept.

    Raises Conflict when the request was another one, or is being worked on. A refusal by `create` lets go of the
    request, so that it may come again corrected. Anything else that `create` raises keeps it reserved for LEASE_MS: it
    may have created half-way. A worker that dies after creating and before keeping the answer leaves a request that
    creates again once its lease has ended; what has a unique name is then refused rather than doubled.
    """
    now = world.clock.now()
    mine = Reservation(
        request_id=request_id,
        fingerprint=fingerprint,
        holder=world.entropy.bytes(10).hex(),
        expires_at=now + LEASE_MS,
    )
    standing = world.idempotency.reserve(mine, now)
    if standing is not None:
        return _repeated(mine, standing)
    try:
        answer = create()
    except RubatoError:
        with _whatever_happens(world, "reservation not released"):
            world.idempotency.release(mine)
        raise
    with _whatever_happens(world, "answer not kept for repeats"):
        world.idempotency.keep(mine, public(answer), world.clock.now() + KEPT_MS)
    return answer


def _repeated(mine: Reservation, standing: Standing) -> Answer:
    if standing.fingerprint != mine.fingerprint:
        raise Conflict("this Idempotency-Key came with another body before; use a new key for a new request")
    if standing.answer is None:
        raise Conflict("a request with this Idempotency-Key is in progress; try again", retry_after_s=_RETRY_AFTER_S)
    return standing.answer


@contextmanager
def _whatever_happens(world: World, warning: str) -> Iterator[None]:
    """What was decided stands, and the caller is told so: to fail now would only invite a repeat."""
    try:
        yield
    except Exception as error:  # noqa: BLE001
        world.telemetry.warn(warning, error=type(error).__name__)
