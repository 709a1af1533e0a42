"""`rubato dlq` against the queues of a stack, over moto's SQS."""

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from cli import dlq as command
from cli.dead_letters import DeadLetterQueue
from cli.deployed import Deployed
from cli.trouble import Trouble
from rubato.adapters.sqs import dump_message, load_message
from rubato.domain.lane import Lane
from rubato.domain.messages import AnalysisMessage, JobMessage, Message, RuleMessage, RunMessage
from tests.worlds import MIDNIGHT

_REGION = "eu-central-1"
RUN = RunMessage(endpoint_id="ep_1", due=MIDNIGHT, run_id="run_1", fence=3)
SLOW = RunMessage(endpoint_id="ep_2", due=MIDNIGHT, run_id="run_2", fence=1, lane=Lane.SLOW)
FOLLOW = JobMessage(job_id="job_1", due=MIDNIGHT)
LOOK = AnalysisMessage(endpoint_id="ep_3", due=MIDNIGHT)
ANALYSES_DEAD = "AnalysisDeadLetterQueueUrl"


class Queues:
    """All queues, for tests to fill and to empty."""

    def __init__(self) -> None:
        self.client: Any = boto3.client("sqs", region_name=_REGION)
        queues = ("RunQueueUrl", "SlowRunQueueUrl", "RuleQueueUrl", "AnalysisQueueUrl")
        names = (*queues, "DeadLetterQueueUrl", "RuleDeadLetterQueueUrl", ANALYSES_DEAD)
        self.urls = {name: self.client.create_queue(QueueName=name)["QueueUrl"] for name in names}

    def bury(self, body: str, where: str = "DeadLetterQueueUrl") -> str:
        """Into a dead-letter queue; gives the message id."""
        sent: str = self.client.send_message(QueueUrl=self.urls[where], MessageBody=body)["MessageId"]
        return sent

    def bodies(self, name: str) -> list[str]:
        """Everything that is visible on a queue now."""
        found: list[str] = []
        while page := self.client.receive_message(QueueUrl=self.urls[name], MaxNumberOfMessages=10).get("Messages"):
            found += [each["Body"] for each in page]
        return found

    def messages(self, name: str) -> list[Message]:
        """The same, read."""
        return [load_message(body) for body in self.bodies(name)]


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queues]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        made = Queues()
        found = Deployed(made.urls, {"region_name": _REGION})
        monkeypatch.setattr(command, "find_stack", lambda *_: found)
        monkeypatch.setattr("cli.dead_letters._WAIT_S", 0)
        yield made


def dlq(*words: str) -> str:
    done = run(*words)
    assert done.exit_code == 0, done.output
    return done.stdout


def run(*words: str) -> Result:
    return CliRunner().invoke(command.app, words)


def listed() -> dict[str, dict[str, Any]]:
    return {each["messageId"]: each for each in json.loads(dlq("list", "--json"))}


def test_dead_letters_are_listed_with_whom_they_concern_and_stay_where_they_are(queues: Queues) -> None:
    ids = [queues.bury(dump_message(message)) for message in (RUN, SLOW, FOLLOW)]
    for times in (1, 2):
        seen = listed()
        assert [seen[each]["received"] for each in ids] == [times] * 3
    assert [(seen[each]["kind"], seen[each]["about"], seen[each]["lane"]) for each in ids] == [
        ("run", "ep_1 run_1", "fast"),
        ("run", "ep_2 run_2", "slow"),
        ("job", "job_1", "fast"),
    ]
    assert all(0 <= seen[each]["ageSeconds"] < 60 for each in ids)
    table = dlq("list")
    assert "ep_1" in table and "job_1" in table


def test_an_unreadable_message_says_why_and_shows_only_its_beginning_without_control_characters(
    queues: Queues,
) -> None:
    message_id = queues.bury("\t[red]no JSON" + "x" * 1000)
    about = listed()[message_id]["about"]
    assert about.startswith("not a run message: JSONDecodeError") and "[red]no JSON" in about
    assert len(about) <= 160 and "\t" not in about
    assert "unreadable" in dlq("list")


def test_an_empty_queue_says_so(queues: Queues) -> None:
    assert "empty" in dlq("list")
    assert dlq("replay").strip() == "0 sent again, 0 discarded, 0 left"


def test_all_of_many_messages_are_replayed_each_to_its_lane_and_what_is_unreadable_stays(queues: Queues) -> None:
    many = [RunMessage(endpoint_id=f"ep_{n:02}", due=MIDNIGHT, run_id=f"run_{n:02}", fence=n) for n in range(23)]
    for message in (*many, SLOW):
        queues.bury(dump_message(message))
    poison = queues.bury("poison")
    assert json.loads(dlq("replay", "--json")) == {"replayed": 24, "discarded": 0, "left": 1, "refused": 0}
    assert sorted(queues.messages("RunQueueUrl"), key=str) == sorted(many, key=str)
    assert queues.messages("SlowRunQueueUrl") == [SLOW]
    assert set(listed()) == {poison}
    assert dlq("replay", "--discard").strip() == "0 sent again, 1 discarded, 0 left"
    assert listed() == {}


def test_what_rules_could_not_handle_lies_in_a_queue_of_its_own_and_goes_back_to_theirs(queues: Queues) -> None:
    look = RuleMessage(job_id="job_1", due=MIDNIGHT)
    buried = queues.bury(dump_message(look), "RuleDeadLetterQueueUrl")
    queues.bury(dump_message(RUN))
    assert (listed()[buried]["kind"], listed()[buried]["about"], listed()[buried]["lane"]) == (
        "rules",
        "job_1",
        "rules",
    )
    assert json.loads(dlq("replay", "--json"))["replayed"] == 2
    assert queues.messages("RuleQueueUrl") == [look] and queues.messages("RunQueueUrl") == [RUN]
    assert listed() == {} and queues.bodies("RuleDeadLetterQueueUrl") == []


def test_one_message_can_be_picked_and_the_others_stay_visible(queues: Queues) -> None:
    wanted, other = (queues.bury(dump_message(message)) for message in (RUN, FOLLOW))
    assert json.loads(dlq("replay", "--id", wanted, "--json")) == {
        "replayed": 1,
        "discarded": 0,
        "left": 0,
        "refused": 0,
    }
    assert queues.messages("RunQueueUrl") == [RUN]
    assert set(listed()) == {other}


def test_dead_analyses_lie_in_a_queue_of_their_own_and_go_back_to_the_planners(queues: Queues) -> None:
    run_id, look_id = queues.bury(dump_message(RUN)), queues.bury(dump_message(LOOK), ANALYSES_DEAD)
    seen = listed()
    assert (seen[look_id]["kind"], seen[look_id]["about"], seen[look_id]["lane"]) == ("analysis", "ep_3", "analyses")
    assert set(seen) == {run_id, look_id}
    assert json.loads(dlq("replay", "--json"))["replayed"] == 2
    assert (queues.messages("AnalysisQueueUrl"), queues.messages("RunQueueUrl")) == ([LOOK], [RUN])
    assert listed() == {}


def test_an_unknown_id_is_told_and_nothing_is_moved(queues: Queues) -> None:
    queues.bury(dump_message(RUN))
    done = run("replay", "--id", "nonsense")
    assert isinstance(done.exception, Trouble) and "no message nonsense" in str(done.exception)
    assert queues.bodies("RunQueueUrl") == [] and len(listed()) == 1


def test_what_the_queue_refuses_to_take_back_stays_in_the_dead_letter_queue(
    queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse: Callable[..., Any] = lambda **_: {"Failed": [{"Id": "0"}]}  # noqa: E731
    message_id = queues.bury(dump_message(RUN))
    queue = command._queue("rubato", None, None)
    monkeypatch.setattr(queue._client, "send_message_batch", refuse)
    with queue.taken(10) as letters:
        assert queue.send_again(letters, MIDNIGHT) == 0
    assert set(listed()) == {message_id}


def test_a_stack_that_can_not_be_read_is_told_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    done = run("list", "--stack", "nowhere", "--region", _REGION)
    assert isinstance(done.exception, Trouble) and "can't read the stack 'nowhere'" in str(done.exception)
    assert "credentials" in str(done.exception)


def test_a_stack_of_an_older_version_is_told_plainly() -> None:
    with pytest.raises(Trouble, match="no output SlowRunQueueUrl"):
        Deployed({}, {}).output("SlowRunQueueUrl")


def test_what_could_not_be_removed_is_visible_again_at_once(queues: Queues) -> None:
    queues.bury(dump_message(RUN))
    client: Any = boto3.client("sqs", region_name=_REGION)
    client.delete_message_batch = lambda **asked: {"Failed": [{"Id": each["Id"]} for each in asked["Entries"]]}
    run_urls = {Lane.FAST: queues.urls["RunQueueUrl"], Lane.SLOW: queues.urls["SlowRunQueueUrl"]}
    queue = DeadLetterQueue(client, [queues.urls["DeadLetterQueueUrl"]], run_urls)
    with queue.taken(10) as letters:
        assert queue.send_again(letters, MIDNIGHT) == 1
    assert queues.messages("DeadLetterQueueUrl") == [RUN]
