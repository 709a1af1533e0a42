"""On a schedule, wake rules and find the endpoints that a model should look at; from its queue, have it look at one.

May touch: endpoints, jobs (reading), runs (reading), audit, usage, analyses, all queues, the model and its key.
"""

from typing import Any

from rubato.adapters.deliveries import failures, give_back
from rubato.adapters.sqs import load_message
from rubato.bootstrap import AwsWorld, world
from rubato.usecases.handle_message import handle_message
from rubato.usecases.run_planner import run_planner

# Left for what is in hand to be sent before Lambda ends the invocation.
_RESERVE_MS = 10_000


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """EventBridge's scheduled event, or a batch of SQS records; of these, those that failed are reported."""
    here = world()
    here.open("endpoints", "jobs", "runs", "usage", "analyses", "queue", "deliveries")
    with here.telemetry.about(requestId=context.aws_request_id):
        done = _analyse(here, event["Records"]) if "Records" in event else _look_around(here, context)
    here.telemetry.flush()
    return done


def _look_around(here: AwsWorld, context: Any) -> dict[str, Any]:
    counts = run_planner(here, here.clock.now() + context.get_remaining_time_in_millis() - _RESERVE_MS)
    here.telemetry.info("planner looked around", **counts)
    return dict(counts)


def _analyse(here: AwsWorld, records: list[dict[str, Any]]) -> dict[str, Any]:
    return failures([record for record in records if not _handled(here, record)])


def _handled(here: AwsWorld, record: dict[str, Any]) -> bool:
    try:
        outcome = handle_message(here, load_message(record["body"]))
    except Exception:  # noqa: BLE001 - the queue tries it again
        here.telemetry.count("analysis_error")
        here.telemetry.error("analysis not made")
        return not give_back(here, record)
    here.telemetry.count(outcome)
    return True
