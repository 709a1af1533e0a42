"""Let a job's rules look at its endpoints, and do what follows.

What is to be done is written down, together with how the rules stand, before any of it is done: one conditional write
decides, so that of two who look at once only one fires, and what a worker that dies leaves undone is done by the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

from rubato.domain.errors import WriteRaced
from rubato.domain.expressions import Unevaluable, evaluate, is_true
from rubato.domain.firing import Worth, decide, next_wake
from rubato.domain.instant import SECOND
from rubato.domain.jobs import Job
from rubato.domain.mentions import mentions_of, wants
from rubato.domain.messages import LOOK_EARLY_MS, NEAR_MS, RuleMessage
from rubato.domain.reasons import reason_of
from rubato.domain.rule_ledger import Ledger
from rubato.domain.rules import Rule
from rubato.ports import World
from rubato.usecases.do_deeds import do_deeds
from rubato.usecases.observe_endpoints import MAX_BODIES_BYTES, Outlook, observe_endpoints
from rubato.usecases.send_messages import NotSent, send_messages

# A look that changed something is followed by another one: rules see what rules did, and a reading that was older than
# somebody else's does not have the last word. Rules that go on changing each other wait for the next run.
MAX_LOOKS = 8

# When this process began its latest look at each job. Of many messages that wait one look is enough; clocks of two
# machines may differ by so much.
_looked: WeakKeyDictionary[World, dict[str, int]] = WeakKeyDictionary()
_SKEW_MS = SECOND
_MAX_LOOKED = 1_000


def evaluate_rules(world: World, job_id: str) -> str:
    """Look until nothing changes; gives the outcome's name. Safe to repeat, at the same time too.

    Raises what the store raises, also when only some of what was decided could be done: the message then comes back.
    """
    for _ in range(MAX_LOOKS):
        # NOTE: the job after the ledger, so that no look with rules of yesterday overwrites what newer ones left.
        ledger = world.rule_ledgers.get(job_id)
        job = world.jobs.get(job_id)
        if job is None or job.holds:
            return "unruled"
        if not _look(world, job, ledger):
            return "ruled"
    world.telemetry.info("rules keep changing each other", jobId=job_id)
    return "ruled"


def answer(world: World, message: RuleMessage) -> str:
    """What the function of rules does with such a message. One that comes early goes back only if it is waited for.

    Nothing is done for one that this process has looked for already: what it tells of was written before it was due.
    """
    now = world.clock.now()
    if message.due - now > LOOK_EARLY_MS:
        if message.due - now > NEAR_MS or world.rule_ledgers.get(message.job_id).wake_at != message.due:
            return "dropped"
        if not send_messages(world, [message], "early message not sent", jobId=message.job_id):
            raise NotSent(message.job_id)
        return "early"
    looked = _looked.setdefault(world, {})
    if looked.get(message.job_id, 0) > message.due + _SKEW_MS:
        return "seen"
    world.clock.sleep_until(message.due)
    began = world.clock.now()
    outcome = evaluate_rules(world, message.job_id)
    if len(looked) >= _MAX_LOOKED:
        looked.clear()
    looked[message.job_id] = began
    return outcome


def worths_of(rules: Sequence[Rule], outlook: Outlook) -> dict[str, Worth]:
    """What each condition is worth over the document, by the rule's name."""
    return {rule.name: _worth(rule, outlook) for rule in rules}


def _look(world: World, job: Job, ledger: Ledger) -> bool:
    """One look; gives whether there may be more to see."""
    if ledger.pending:
        return _settled(world, job, ledger)
    now = world.clock.now()
    outlook = observe_endpoints(world, job, ledger, now)
    worths = worths_of(job.rules, outlook)
    _count_errors(world, worths)
    decided = decide(job.rules, ledger, worths, outlook.present, now)
    decided = _with_wake(world, job, decided, now)
    if decided == ledger:
        return False
    try:
        saved = world.rule_ledgers.save(ledger, decided)
    except WriteRaced:
        return True
    _tell(world, ledger, saved)
    return _settled(world, job, saved) if saved.pending else _has_moved(ledger, saved)


def _settled(world: World, job: Job, ledger: Ledger) -> bool:
    """Do what is pending and write down that it is done; gives True. Raises when some of it could not be done."""
    tried = do_deeds(world, job, ledger.pending)
    failures = [each.failed for each in tried if each.failed is not None]
    after = ledger.done([each.deed.number for each in tried if each.failed is None])
    for each in tried:
        after = after.troubled(each.trouble) if each.trouble is not None else after
    if after != ledger:
        try:
            world.rule_ledgers.save(ledger, after)
        except WriteRaced:
            return True  # somebody else has done the same, and looks on from there
    if failures:
        raise failures[0]
    return True


def _with_wake(world: World, job: Job, ledger: Ledger, now: int) -> Ledger:
    """Put a message on the queue for the moment at which a rule would fire by itself, unless one is on its way.

    What is far off is left to the schedule, which looks at every job with rules.
    """
    wake_at = next_wake(job.rules, ledger, now)
    is_promised = ledger.wake_at is not None and wake_at is not None and now < ledger.wake_at <= wake_at
    if wake_at is None or wake_at - now > NEAR_MS or is_promised:
        return ledger
    message = RuleMessage(job_id=job.job_id, due=wake_at)
    sent = send_messages(world, [message], "rule message not sent", jobId=job.job_id)
    return replace(ledger, wake_at=wake_at if sent else None)


def _tell(world: World, before: Ledger, after: Ledger) -> None:
    known = {(each.name, each.condition): each.fired_count for each in before.states}
    for state in after.states:
        if state.fired_count > known.get((state.name, state.condition), 0):
            world.telemetry.count("rule_fired")
            world.telemetry.info("rule fired", rule=state.name, firedCount=state.fired_count)


def _count_errors(world: World, worths: Mapping[str, Worth]) -> None:
    failed = sum(1 for worth in worths.values() if worth.error is not None)
    if failed:
        world.telemetry.count("rule_error", failed)


def _has_moved(before: Ledger, after: Ledger) -> bool:
    """Whether rules stand otherwise than before, which other rules may see."""
    return before.states != after.states


def _worth(rule: Rule, outlook: Outlook) -> Worth:
    try:
        value = evaluate(rule.when, outlook.document)
    except Unevaluable as error:
        return Worth(error=str(error))
    holds = is_true(value)
    reason = reason_of(rule, holds, outlook.document)
    return Worth(is_true=holds, reason=reason, trouble=_left_out(rule, outlook))


def _left_out(rule: Rule, outlook: Outlook) -> str | None:
    mine = mentions_of([rule.when]) if outlook.unread else None
    names = [name for name in sorted(outlook.unread) if mine is not None and wants(mine.fields_of(name), "body")]
    if not names:
        return None
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"reads null for the body of {names[0]!r}{more}: one look takes {MAX_BODIES_BYTES} bytes of bodies"
