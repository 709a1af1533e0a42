"""Those who take part, each a process: `python -m tests.storm.actors tick|dispatcher|writer NAME FOLDER SEED`."""

import json
import os
import random
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from rubato import bootstrap
from rubato.bootstrap import AwsWorld
from rubato.settings import Settings
from tests.storm.callers import caller
from tests.storm.diary import Diary
from tests.storm.functions import Context, handler
from tests.storm.queue import StormyQueue
from tests.storm.script import chance, writes
from tests.storm.writer import Writer

_TICK_S = 1.0
_WRITE_S = 0.35
_REPLAYED = 0.1


def _enter(name: str, folder: Path, draw: random.Random) -> tuple[AwsWorld, Diary]:
    """Make the world that the functions of this process find, with a stormy queue."""
    diary = Diary(folder / f"{name}.jsonl")
    world = AwsWorld(Settings.from_env(os.environ))
    world.queue = StormyQueue(world.queue, draw, diary)
    bootstrap._world = world
    diary.note(entered=os.getpid())
    return world, diary


def tick(name: str, folder: Path, seed: int) -> None:
    """The tick's own handler, about once a second."""
    draw = chance(seed, name)
    _, diary = _enter(name, folder, draw)
    look = handler("tick")
    while True:
        time.sleep(draw.uniform(0.3, 1.7) * _TICK_S)
        diary.note(tick=look({}, Context()))


def dispatcher(name: str, folder: Path, seed: int) -> None:
    """The dispatcher's own handler on what the queue gives; now and then a message is replayed after it was handled."""
    from rubato.adapters.sqs import open_client

    draw = chance(seed, name)
    world, diary = _enter(name, folder, draw)
    dispatch, client = handler("dispatcher"), open_client(world.settings.region)
    lanes = [(world.settings.queue_url, 1), (world.settings.slow_queue_url, 0)]
    while True:
        for url, wait_s in lanes:
            got = _receive(client, url, wait_s)
            if got:
                told = dispatch({"Records": [_record(url, each) for each in got]}, Context())
                failed = {each["itemIdentifier"] for each in told["batchItemFailures"]}
                diary.note(handled=len(got), failed=len(failed))
                for each in got:
                    _settle(client, url, each, each["MessageId"] in failed, draw, diary)


def _receive(client: Any, url: str | None, wait_s: int) -> list[dict[str, Any]]:
    told = client.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=wait_s, AttributeNames=["ApproximateReceiveCount"]
    )
    found: list[dict[str, Any]] = told.get("Messages", [])
    return found


def _record(url: str | None, message: dict[str, Any]) -> dict[str, Any]:
    """The message as Lambda hands it to the function."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {"ApproximateReceiveCount": "1"}),
        "eventSourceARN": f"arn:aws:sqs:::{(url or '').rpartition('/')[2]}",
    }


def _settle(
    client: Any, url: str | None, message: dict[str, Any], failed: bool, draw: random.Random, diary: Diary
) -> None:
    if failed:
        return
    if draw.random() < _REPLAYED:
        diary.note(fate="replayed")
        client.send_message(QueueUrl=url, MessageBody=message["Body"], DelaySeconds=draw.randrange(8))
    with suppress(ClientError):  # a batch that outlasted the visibility was handed out a second time
        client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def writer(name: str, folder: Path, seed: int) -> None:
    """The API's own door, with a caller's requests."""
    world, diary = _enter(name, folder, chance(seed, name + "/queue"))
    fleet = json.loads((folder / "fleet.json").read_text())
    acting = Writer(world, caller(name), diary, fleet)
    for deed in writes(seed, name, _WRITE_S):
        time.sleep(deed.wait_s)
        acting.do(deed)


_PARTS: dict[str, Callable[[str, Path, int], None]] = {"tick": tick, "dispatcher": dispatcher, "writer": writer}

if __name__ == "__main__":
    _PARTS[sys.argv[1]](sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
