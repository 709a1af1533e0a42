"""Messages of the run queue: call each target at its time.

May touch: endpoints, runs, audit, usage, jobs and vault (reading), run queue, the open internet, a topic or bus for
notices.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rubato.adapters.deliveries import failures, give_back
from rubato.adapters.sqs import load_message
from rubato.bootstrap import AwsWorld, world
from rubato.usecases.handle_message import handle_message

_DROPPED = ("stale", "duplicate")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A batch of SQS records, each in a thread of its own; those that failed are reported one by one."""
    here = world()
    here.open("endpoints", "runs", "jobs", "queue", "deliveries", "outbound", "usage", "notifications", "vault")
    records = event["Records"]
    with ThreadPoolExecutor(max_workers=max(len(records), 1)) as pool:
        done = list(pool.map(lambda record: _dispatch(here, record, context.aws_request_id), records))
    _flush(here)
    return failures(record for record, is_done in zip(records, done, strict=True) if not is_done)


def _flush(here: AwsWorld) -> None:
    try:
        here.usage.flush()
    except Exception:  # noqa: BLE001 - the runs are made; a figure is lost, and the log says so
        here.telemetry.error("runs not counted")
    here.telemetry.flush()


def _dispatch(here: AwsWorld, record: dict[str, Any], request_id: str) -> bool:
    with here.telemetry.about(requestId=request_id, messageId=record["messageId"]):
        return _handled(here, record)


def _handled(here: AwsWorld, record: dict[str, Any]) -> bool:
    try:
        outcome = handle_message(here, load_message(record["body"]))
    except Exception:  # noqa: BLE001 - one bad message must not take the batch with it; the queue retries it
        here.telemetry.count("dispatch_error")
        here.telemetry.error("dispatch failed")
        return not give_back(here, record)
    here.telemetry.count(outcome)
    (here.telemetry.info if outcome in _DROPPED else here.telemetry.debug)("message handled", outcome=outcome)
    return True
