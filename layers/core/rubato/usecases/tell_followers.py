"""Those that follow an endpoint (`after`) hear of its successes, whatever dies on the way.

The truth is the followed endpoint's own state: when it last succeeded. Telling somebody twice changes nothing.
"""

from collections.abc import Iterable

from rubato.domain.endpoint import Endpoint
from rubato.domain.instant import SECOND
from rubato.domain.lease import hear
from rubato.domain.messages import TellMessage
from rubato.domain.references import followed
from rubato.ports import World
from rubato.usecases.pool import Pool
from rubato.usecases.replan import Changed, replanned
from rubato.usecases.send_messages import NotSent, send_messages

_PARALLEL = 8
_SECOND_LOOK_MS = 30 * SECOND
# Longer than a run's end takes between looking for followers and being written.
_AFTER_EDIT_MS = 5 * SECOND


def followers_of(world: World, endpoint: Endpoint) -> list[str]:
    """Who is to hear of the success of `endpoint`; a second look is put on the queue before its end is written."""
    found = world.endpoints.followers(endpoint.config.job_id, endpoint.config.name)
    if found:
        _promise(world, [endpoint.id], _SECOND_LOOK_MS)
    return found


def tell(world: World, followers: Iterable[str], name: str, finished_at: int) -> bool:
    """The endpoint of that name has succeeded, and its end is written. Gives whether everybody could be told."""

    def told(latest: Endpoint, _now: int) -> Changed:
        return Changed(hear(latest, name, finished_at))

    with Pool(_PARALLEL) as pool:
        return all(list(pool.map(lambda each: replanned(world, each, told, "follower not told"), followers)))


def take_second_look_at_followers(world: World, message: TellMessage) -> str:
    """What the dispatcher does with such a message. Writes nothing where all is well.

    Raises NotSent when somebody could not be told and a further look could not be promised: the message comes back.
    """
    endpoint = world.endpoints.load(message.endpoint_id)
    if endpoint is None or endpoint.state.succeeded_at is None:
        return "told"
    config = endpoint.config
    followers = world.endpoints.followers(config.job_id, config.name)
    told = tell(world, followers, config.name, endpoint.state.succeeded_at)
    if not told and not _promise(world, [endpoint.id], _SECOND_LOOK_MS):
        raise NotSent(endpoint.id)
    return "told"


def ask_those_followed(world: World, endpoint: Endpoint) -> None:
    """A follower is new: a success that ended just while it was stored may have missed it, and is told once more."""
    names = followed(endpoint.config)
    if names:
        found = world.endpoints.named(endpoint.config.job_id, names)
        _promise(world, list(found.values()), _AFTER_EDIT_MS)


def _promise(world: World, endpoint_ids: list[str], wait_ms: int) -> bool:
    due = world.clock.now() + wait_ms
    messages = [TellMessage(endpoint_id=each, due=due) for each in endpoint_ids]
    return send_messages(world, messages, "second look at followers not sent", count=len(messages))
