"""Find the endpoints that need a look of the planner, through its index, and fan them out over its queue.

A message that is lost is sent again by the next look: the endpoint stays due until it was analysed.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from rubato.domain import watching
from rubato.domain.endpoint import Endpoint
from rubato.domain.errors import NotFound
from rubato.domain.instant import MINUTE
from rubato.domain.messages import AnalysisMessage
from rubato.ports import World
from rubato.usecases.get_job import endpoint_ids
from rubato.usecases.replan import Changed, replan
from rubato.usecases.send_messages import send_messages

_BATCH = 100


def find_endpoints_to_analyse(world: World, deadline: int) -> Counter[str]:
    """Send a message for each, until `deadline` (ms); gives counts. Without a model nothing is read.

    What there was no time for stays due. Each look begins with another shard, so that none is left every time.
    """
    look = _Look(world)
    for page in _pages(world) if world.limits.planning.is_on else ():
        if world.clock.now() >= deadline:
            look.counts["left"] += 1
            break
        look.over(page)
    return look.counts


def _pages(world: World) -> Iterator[list[str]]:
    shards = world.limits.shards
    first = world.clock.now() // MINUTE % shards
    for number in range(shards):
        yield from world.endpoints.looks((first + number) % shards, world.clock.now())


class _Look:
    """One look around: whom it has sent for, and which jobs have heard of a turn."""

    def __init__(self, world: World) -> None:
        self.counts: Counter[str] = Counter()
        self._world = world
        self._sent: set[str] = set()
        self._jobs_told: set[str] = set()

    def over(self, page: Sequence[str]) -> None:
        """Send for those of the page that are due, and for the resting siblings of those that have turned."""
        loaded = self._world.endpoints.load_many([each for each in page if each not in self._sent])
        found = [each for each in loaded if watching.is_due(each, self._world.clock.now())]
        self._send([each.id for each in found])
        for turned in found:
            if turned.state.stirred:
                self._tell_siblings(turned)

    def _tell_siblings(self, turned: Endpoint) -> None:
        """Their look is hurried, as stored, before the turn counts as told."""
        job_id = turned.config.job_id
        if job_id not in self._jobs_told:
            self._jobs_told.add(job_id)
            for chunk in _chunks(endpoint_ids(self._world, job_id)):
                self._send(self._hurry([each for each in chunk if each not in self._sent]))
        _change(self._world, turned.id, lambda latest, _now: latest.with_state(stirred=False))

    def _hurry(self, siblings: Sequence[str]) -> list[str]:
        now = self._world.clock.now()
        loaded = self._world.endpoints.load_many(siblings)
        resting = [each for each in loaded if watching.is_resting(each, now) and watching.hurried(each, now) != each]
        for each in resting:
            _change(self._world, each.id, watching.hurried)
        return [each.id for each in resting if watching.is_due(watching.hurried(each, now), now)]

    def _send(self, endpoints: Sequence[str]) -> None:
        now = self._world.clock.now()
        messages = [AnalysisMessage(endpoint_id=each, due=now) for each in endpoints]
        self._sent.update(endpoints)
        if messages and send_messages(self._world, messages, "endpoints to analyse not sent", count=len(messages)):
            self.counts["sent"] += len(messages)


def _change(world: World, endpoint_id: str, change: Callable[[Endpoint, int], Endpoint]) -> None:
    """A change of the planner's own plan, which moves no run."""
    try:
        replan(world, endpoint_id, lambda latest, now: Changed(change(latest, now), moves=False))
    except NotFound:
        return


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))
