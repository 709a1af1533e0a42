"""Check a job's rules before they are stored, against the endpoints that they name."""

from rubato.domain.endpoint import Endpoint
from rubato.domain.jobs import Job
from rubato.domain.mentions import ANY, mentions_of
from rubato.domain.rule_checks import check_actions, check_expressions, warnings_of
from rubato.domain.rules import targets_of
from rubato.ports import World


def check_rules(world: World, before: Job, after: Job) -> None:
    """Raise Invalid, naming each field; rules that did not change are not looked at again."""
    if after.rules == before.rules:
        return
    check_expressions(after.rules)
    check_actions(after.rules, before.rules, _named(world, after), world.limits.min_interval_ms, world.clock.now())


def rule_warnings(world: World, job: Job, endpoint_count: int) -> list[tuple[str, str]]:
    """(rule, what is odd about it) for the rules of a job with so many endpoints."""
    if not job.rules:
        return []
    names = targets_of(job.rules) | mentions_of(rule.when for rule in job.rules).endpoints.keys()
    present = world.endpoints.named(job.job_id, sorted(names - {ANY}))
    return warnings_of(job.rules, frozenset(present), endpoint_count)


def _named(world: World, job: Job) -> dict[str, Endpoint]:
    """Of a job that is not stored yet, none."""
    names = sorted(targets_of(job.rules)) if job.job_id else []
    found = world.endpoints.load_many(list(world.endpoints.named(job.job_id, names).values())) if names else []
    return {endpoint.config.name: endpoint for endpoint in found}
