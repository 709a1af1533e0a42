"""Rules on the local stack: a changed answer changes the tempo at once, and once, whoever looks how often."""

import time
from datetime import datetime
from typing import Any

from cli.target import Answer, Call, Target
from tests.e2e.conftest import LocalStack
from tests.e2e.test_load import aws, outputs_of
from tests.e2e.test_loop import add, job
from tests.e2e.watchers import until

__all__ = ["job"]  # a fixture

_LOOKS = 30
_SURGE = {
    "name": "surge",
    "when": "endpoints.traffic.body.visitors > `2000`",
    "cooldown": "1h",
    "then": [
        {"proposeInterval": {"endpoint": "traffic", "intervalMs": 60_000, "ttlMinutes": 10}},
        {"proposeNextTime": {"endpoint": "slack", "runInMs": 0}},
    ],
}


def test_a_changed_answer_is_a_hint_within_two_seconds_of_the_runs_end_and_fires_once(
    stack: LocalStack, job: str
) -> None:
    answers = {"text": '{"visitors": 1000}'}

    def traffic(_call: Call) -> Answer:
        return Answer(text=answers["text"])

    with Target({"/traffic": traffic}) as target:
        probe = add(stack, job, "traffic", target.url + "/traffic", {"intervalMs": 3_600_000})
        slack = add(stack, job, "slack", target.url + "/slack", {"manual": True})
        stack.client.patch(f"/jobs/{job}", json={"rules": [_SURGE]}).raise_for_status()
        _run_now(stack, probe)
        until(lambda: target.calls("/traffic"), 20, "the calm run")
        answers["text"] = '{"visitors": 5000}'
        run = until(lambda: _ended(stack, _run_now(stack, probe)), 20, "the run that saw it")
        (hint,) = until(lambda: _endpoint(stack, probe)["hints"], 20, "the hint")
        assert _ms(hint["createdAt"]) - _ms(run["finishedAt"]) <= 2000
        assert (hint["authorKind"], hint["author"]) == ("rule", "surge")
        until(lambda: target.calls("/slack"), 20, "the alert")
        _look_often(stack, job)
        until(lambda: _drained(stack), 30, "the last look")
        assert len(target.calls("/slack")) == 1
        events = stack.client.get(f"/endpoints/{slack['endpointId']}/events").json()["items"]
        assert [each["action"] for each in events if each["actorKind"] == "rule"] == ["scheduleOneShotRun"]
        found = stack.client.get(f"/jobs/{job}").json()
        assert found["ruleErrors"] == found["ruleWarnings"] == []


def _run_now(stack: LocalStack, probe: dict[str, Any]) -> str:
    """The run's id."""
    return str(stack.client.post(f"/endpoints/{probe['endpointId']}/run").raise_for_status().json()["runId"])


def _ended(stack: LocalStack, run_id: str) -> dict[str, Any]:
    def read() -> dict[str, Any] | None:
        run = stack.client.get(f"/runs/{run_id}").json()
        return run if run.get("finishedAt") else None

    return until(read, 20, "the end of the run")


def _endpoint(stack: LocalStack, made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = stack.client.get(f"/endpoints/{made['endpointId']}").raise_for_status().json()
    return found


def _look_often(stack: LocalStack, job: str) -> None:
    """As if its message had come again and again, on many workers."""
    body = f'{{"v": 1, "rulesOf": "{job}", "due": {round(time.time() * 1000)}}}'
    entries = [{"Id": str(number), "MessageBody": body} for number in range(10)]
    for _ in range(_LOOKS // 10):
        aws(stack, "sqs").send_message_batch(QueueUrl=outputs_of(stack)["RuleQueueUrl"], Entries=entries)


def _drained(stack: LocalStack) -> bool:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = aws(stack, "sqs").get_queue_attributes(QueueUrl=outputs_of(stack)["RuleQueueUrl"], AttributeNames=names)
    return all(int(answer["Attributes"][name]) == 0 for name in names)


def _ms(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1000
