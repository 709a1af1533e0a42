"""The function of rules: one look for all messages of a job, and only those that failed come back."""

from dataclasses import replace
from typing import Any

import boto3
import pytest

from rubato.adapters.sqs import dump_message, load_message
from rubato.bootstrap import AwsWorld
from rubato.domain.instant import MINUTE
from rubato.domain.messages import Message, RuleMessage
from rubato.domain.rules import read_rules
from rubato.domain.schedule import IntervalBaseline
from rubato.usecases.update_job import update_job
from tests.functions.conftest import Context, event, load
from tests.worlds import ANNE, MIDNIGHT, a_job, an_endpoint


def ruled(world: AwsWorld, when: str = "!(endpoints.probe.status)", **rule: Any) -> str:
    """A job whose rule wants its endpoint every thirty seconds."""
    job = a_job(world)
    an_endpoint(world, IntervalBaseline(5 * MINUTE), job)
    then = [{"proposeInterval": {"endpoint": "probe", "intervalMs": 30_000}}]
    rules = read_rules([{"name": "tighten", "when": when, "then": then, **rule}])
    update_job(world, ANNE, job.job_id, lambda old: replace(old, rules=rules))
    return job.job_id


def record(message: Message | str, number: int) -> dict[str, Any]:
    body = message if isinstance(message, str) else dump_message(message)
    return {**event("rules-sqs-batch")["Records"][0], "messageId": str(number), "body": body}


def hints(world: AwsWorld, job_id: str) -> int:
    endpoint = world.endpoints.load(world.endpoints.named(job_id, ["probe"])["probe"])
    assert endpoint is not None
    return len(endpoint.hints)


def waiting(world: AwsWorld) -> list[Message]:
    """What lies in the queue of rules."""
    url = world.settings.rule_queue_url
    found = boto3.client("sqs", region_name="eu-central-1").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [load_message(each["Body"]) for each in found.get("Messages", ())]


def test_a_message_has_the_rules_of_its_job_look_and_what_is_unreadable_comes_back_alone(world: AwsWorld) -> None:
    job_id = ruled(world)
    batch = event("rules-sqs-batch")
    batch["Records"].append(record(RuleMessage(job_id=job_id, due=MIDNIGHT), 3))
    answer = load("rules").handler(batch, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": batch["Records"][1]["messageId"]}]}
    assert hints(world, job_id) == 1


def test_saving_rules_puts_a_look_on_their_queue(world: AwsWorld) -> None:
    job_id = ruled(world)
    assert waiting(world) == [RuleMessage(job_id=job_id, due=MIDNIGHT)]


def test_many_messages_of_one_job_are_one_look_and_fail_together(
    world: AwsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, looks = ruled(world), []

    def broken(asked: str) -> None:
        looks.append(asked)
        raise ConnectionError("the store is down")

    monkeypatch.setattr(world.rule_ledgers, "get", broken)
    records = [record(RuleMessage(job_id=job_id, due=MIDNIGHT - number), number) for number in range(5)]
    answer = load("rules").handler({"Records": records}, Context())
    assert looks == [job_id]
    assert sorted(each["itemIdentifier"] for each in answer["batchItemFailures"]) == list("01234")


def test_a_look_that_failed_five_times_is_let_go_and_what_is_unreadable_goes_to_the_dead_letters(
    world: AwsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: str) -> None:
        raise ConnectionError("the store is down")

    job_id, warned = ruled(world), []
    monkeypatch.setattr(world.rule_ledgers, "get", broken)
    monkeypatch.setattr(world.telemetry, "warn", lambda message, **_: warned.append(message))
    records = [record(RuleMessage(job_id=job_id, due=MIDNIGHT), 1), record("nonsense", 2)]
    for received in range(1, 6):
        records = [{**each, "attributes": {"ApproximateReceiveCount": str(received)}} for each in records]
        answer = load("rules").handler({"Records": records}, Context())
        kept = sorted(each["itemIdentifier"] for each in answer["batchItemFailures"])
        assert kept == (["1", "2"] if received < 5 else ["2"])
    assert warned == ["message let go"]


def test_a_message_that_is_early_goes_back_to_the_queue_and_looks_at_nothing(world: AwsWorld) -> None:
    job_id = ruled(world)
    waiting(world)
    answer = load("rules").handler(
        {"Records": [record(RuleMessage(job_id=job_id, due=MIDNIGHT + 20 * MINUTE), 1)]}, Context()
    )
    assert answer == {"batchItemFailures": []} and hints(world, job_id) == 0


def test_a_run_that_strayed_into_this_queue_calls_nobody(world: AwsWorld) -> None:
    stray = '{"v": 1, "endpointId": "ep_1", "due": 1735689600000, "runId": "run_1", "fence": 1}'
    answer = load("rules").handler({"Records": [record(stray, 1)]}, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
