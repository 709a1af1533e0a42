"""Read what the rules of a job want to know of its endpoints, and no more."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from rubato.domain.document import Observed, build_document
from rubato.domain.endpoint import EndpointState
from rubato.domain.jobs import Job
from rubato.domain.mentions import ANY, Mentions, mentions_of, wants
from rubato.domain.rule_checks import MAX_OBSERVED
from rubato.domain.rule_ledger import Ledger
from rubato.domain.rules import targets_of
from rubato.domain.runs import Run
from rubato.ports import World
from rubato.usecases.count_runs import count_runs
from rubato.usecases.pages import every
from rubato.usecases.pool import Pool

# JSON takes many times its length in memory, and one worker has several jobs at a time.
MAX_BODIES_BYTES = 1_000_000
_PARALLEL = 8
_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The document, what the rules read of it, and the job's endpoints that they name, by name: those that exist.

    `unread` are those whose bodies were left out, because all together were too much for one look.
    """

    document: dict[str, Any]
    mentions: Mentions
    endpoint_ids: Mapping[str, str]
    unread: frozenset[str] = frozenset()

    @property
    def present(self) -> frozenset[str]:
        """The names of the endpoints that exist, among those that the rules name."""
        return frozenset(self.endpoint_ids)


def observe_endpoints(world: World, job: Job, ledger: Ledger, now: int) -> Outlook:
    """The document at `now` (ms) of a job whose rules stand so."""
    mentions = mentions_of(rule.when for rule in job.rules)
    endpoint_ids = _named(world, job, mentions)
    read = [name for name in endpoint_ids if mentions.fields_of(name)]
    states = world.endpoints.states([endpoint_ids[name] for name in read], latest=True)

    def observe(name: str) -> tuple[str, Observed | None]:
        state = states.get(endpoint_ids[name])
        return name, _observed(world, endpoint_ids[name], state, mentions.fields_of(name), now) if state else None

    with Pool(_PARALLEL) as pool:
        observed = {name: each for name, each in pool.map(observe, read) if each is not None}
    unread = _beyond_cap(observed)
    observed = {
        name: replace(each, run=_bodiless(each.run)) if name in unread else each for name, each in observed.items()
    }
    document = build_document(job, ledger, observed, now)
    return Outlook(document=document, mentions=mentions, endpoint_ids=endpoint_ids, unread=unread)


def _beyond_cap(observed: Mapping[str, Observed]) -> frozenset[str]:
    """The endpoints, by name, at which the bodies of all before them and their own exceed what one look may hold."""
    left, beyond = MAX_BODIES_BYTES, set()
    for name in sorted(observed):
        run = observed[name].run
        size = len(run.response.body.encode()) if run is not None and run.response is not None else 0
        if size > left:
            beyond.add(name)
        else:
            left -= size
    return frozenset(beyond)


def _bodiless(run: Run | None) -> Run | None:
    return replace(run, response=None) if run is not None else None


def _named(world: World, job: Job, mentions: Mentions) -> dict[str, str]:
    names = targets_of(job.rules) | mentions.endpoints.keys()
    found = world.endpoints.named(job.job_id, sorted(names - {ANY}))
    if ANY in names:
        listed = list(islice(every(lambda after: world.endpoints.of_job(job.job_id, _PAGE, after)), MAX_OBSERVED))
        found |= {each.config.name: each.id for each in world.endpoints.load_many(listed)}
    return found


def _observed(world: World, endpoint_id: str, state: EndpointState, fields: frozenset[str], now: int) -> Observed:
    last = state.last_run
    reads_run = last is not None and wants(fields, "body", "statusCode")
    return Observed(
        state=state,
        endpoint=world.endpoints.load(endpoint_id) if wants(fields, "cadenceMs") else None,
        run=world.runs.get(last.run_id) if last is not None and reads_run else None,
        runs_last_hour=count_runs(world, endpoint_id, now) if wants(fields, "runsLastHour") else None,
    )
