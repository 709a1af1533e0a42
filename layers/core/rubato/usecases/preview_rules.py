"""What a job's rules would do now, or over a document that somebody made up. Changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rubato.domain.access import Caller, Scope
from rubato.domain.expressions import Unevaluable, evaluate, is_true, shown
from rubato.domain.firing import Blocked, Worth, advance
from rubato.domain.jobs import Job
from rubato.domain.rule_ledger import Ledger
from rubato.domain.rules import Rule, RuleAction
from rubato.ports import World
from rubato.usecases.lookup import find_job
from rubato.usecases.observe_endpoints import Outlook, observe_endpoints


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One rule's. `value` is None also for what is missing or too large, `blocked_by` for one that would fire."""

    name: str
    value: Any
    held_ms: int
    blocked_by: Blocked | None
    actions: tuple[RuleAction, ...]
    error: str | None


def preview_rules(
    world: World, caller: Caller, job_id: str, document: Mapping[str, Any] | None = None
) -> list[Preview]:
    """`document` stands in for its parts of the present one. Raises NotFound.

    Values may be of what targets answered: only who may read runs is shown them.
    """
    job = find_job(world, caller, job_id)
    ledger = world.rule_ledgers.get(job_id)
    now = world.clock.now()
    outlook = observe_endpoints(world, job, ledger, now)
    outlook = replace(outlook, document={**outlook.document, **(document or {})})
    previews = [_preview(job, rule, ledger, outlook, now) for rule in job.rules]
    return previews if caller.may(Scope.RUNS_READ) else [replace(each, value=None) for each in previews]


def _preview(job: Job, rule: Rule, ledger: Ledger, outlook: Outlook, now: int) -> Preview:
    value, error = None, None
    try:
        value = evaluate(rule.when, outlook.document)
    except Unevaluable as refused:
        error = str(refused)
    step = advance(rule, ledger.state_of(rule), Worth(is_true=is_true(value), error=error), outlook.present, now)
    blocked = Blocked.JOB if job.holds else step.blocked_by
    return Preview(
        name=rule.name,
        value=shown(value),
        held_ms=step.state.held_ms(now),
        blocked_by=blocked,
        actions=() if job.holds else step.actions,
        error=error,
    )
