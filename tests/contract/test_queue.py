"""What the run queue promises, over the memory queue and over SQS as moto has it."""

from dataclasses import replace
from typing import Any

import pytest

from rubato.adapters.sqs import delay_s, dump_message, load_message
from rubato.domain.lane import Lane
from rubato.domain.messages import AnalysisMessage, JobMessage, RuleMessage, RunMessage
from tests.worlds import MIDNIGHT


@pytest.mark.parametrize(
    ("ahead_ms", "seconds"), [(-5000, 0), (0, 0), (999, 0), (1000, 1), (4600, 4), (900_000, 900), (7_200_000, 900)]
)
def test_a_delay_is_rounded_down_so_that_a_message_is_never_late(ahead_ms: int, seconds: int) -> None:
    assert delay_s(MIDNIGHT + ahead_ms, MIDNIGHT) == seconds


def test_a_message_comes_back_as_it_was_sent_and_unknown_fields_are_ignored() -> None:
    message = RunMessage(endpoint_id="ep_1", due=MIDNIGHT, run_id="run_1", fence=7)
    assert load_message(dump_message(message)) == message
    assert load_message(dump_message(message).replace("{", '{"new":1,', 1)) == message
    follow = JobMessage(job_id="job_1", due=MIDNIGHT)
    assert load_message(dump_message(follow)) == follow
    rule = RuleMessage(job_id="job_1", due=MIDNIGHT)
    assert load_message(dump_message(rule)) == rule
    wake = RunMessage(endpoint_id="ep_1", due=MIDNIGHT)
    assert load_message(dump_message(wake)) == wake
    look = AnalysisMessage(endpoint_id="ep_1", due=MIDNIGHT)
    assert load_message(dump_message(look)) == look
    slow = replace(message, lane=Lane.SLOW)
    assert load_message(dump_message(slow)) == slow


@pytest.mark.parametrize("body", ["", "[]", "null", "{}", '{"endpointId": "ep_1"}', '{"endpointId": "e", "due": "x"}'])
def test_what_is_no_message_is_refused_with_a_value_error(body: str) -> None:
    with pytest.raises(ValueError, match="not a run message"):
        load_message(body)


def test_messages_go_out_in_batches_and_due_ones_are_there_at_once(world: Any) -> None:
    messages = [RunMessage(endpoint_id=f"ep_{n}", due=MIDNIGHT, run_id=f"run_{n}", fence=n) for n in range(23)]
    assert world.box.send(messages, MIDNIGHT) == []
    received: list[RunMessage] = []
    while batch := world.box.sent():
        received += batch
    assert sorted(received, key=lambda message: message.fence) == messages


def test_a_message_that_is_due_later_is_not_there_yet(world: Any) -> None:
    later = RunMessage(endpoint_id="ep_1", due=MIDNIGHT + 60_000, run_id="run_1", fence=1)
    assert world.box.send([later], MIDNIGHT) == []
    assert world.box.sent() == []


def test_each_lane_has_a_queue_of_its_own(world: Any) -> None:
    lanes = (Lane.FAST, Lane.SLOW)
    fast, slow = (
        RunMessage(endpoint_id=f"ep_{lane}", due=MIDNIGHT, run_id="run", fence=1, lane=lane) for lane in lanes
    )
    follow, rule = JobMessage(job_id="job_1", due=MIDNIGHT), RuleMessage(job_id="job_1", due=MIDNIGHT)
    look = AnalysisMessage(endpoint_id="ep_1", due=MIDNIGHT)
    assert world.box.send([slow, rule, fast, look, follow], MIDNIGHT) == []
    assert world.box.sent(Lane.RULES) == [rule]
    assert world.box.sent(Lane.SLOW) == [slow]
    assert world.box.sent(Lane.ANALYSES) == [look]
    assert sorted(map(str, world.box.sent())) == sorted(map(str, [fast, follow]))
