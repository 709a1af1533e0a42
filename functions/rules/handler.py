"""Messages of the rule queue: let each job's rules look at its endpoints, and do what follows.

May touch: jobs (reading), rules, endpoints, runs (reading), audit, run queue, rule queue.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rubato.adapters.deliveries import failures, give_back
from rubato.adapters.sqs import load_rule_message
from rubato.bootstrap import AwsWorld, world
from rubato.domain.messages import RuleMessage, by_look
from rubato.usecases.evaluate_rules import answer


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A batch of SQS records; those of one job are one look. Records that failed are reported one by one."""
    here = world()
    here.open("jobs", "rule_ledgers", "endpoints", "runs", "trail", "queue", "deliveries")
    records = {record["messageId"]: record for record in event["Records"]}
    messages = {message_id: _read(here, record) for message_id, record in records.items()}
    looks = by_look({message_id: each for message_id, each in messages.items() if each is not None}, here.clock.now())
    with ThreadPoolExecutor(max_workers=max(len(looks), 1)) as pool:
        done = list(pool.map(lambda look: _look(here, look[0], context.aws_request_id), looks))
    failed = [message_id for message_id, each in messages.items() if each is None]
    failed += [message_id for look, ok in zip(looks, done, strict=True) if not ok for message_id in look[1]]
    kept = [records[message_id] for message_id in failed if give_back(here, records[message_id])]
    here.telemetry.flush()
    return failures(kept)


def _read(here: AwsWorld, record: dict[str, Any]) -> RuleMessage | None:
    try:
        return load_rule_message(record["body"])
    except ValueError:
        here.telemetry.count("dispatch_error")
        here.telemetry.error("rule message unreadable")
        return None


def _look(here: AwsWorld, message: RuleMessage, request_id: str) -> bool:
    with here.telemetry.about(requestId=request_id, jobId=message.job_id):
        try:
            outcome = answer(here, message)
        except Exception:  # noqa: BLE001 - one job must not take the others with it; the queue brings it back
            here.telemetry.count("dispatch_error")
            here.telemetry.error("rules failed")
            return False
        here.telemetry.debug("message handled", outcome=outcome)
        return True
