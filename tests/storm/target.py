"""The target of a storm, a process of its own: answers as the path says, and writes a log of every call."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from cli.target import Answer, Call, Target
from tests.storm.diary import Diary
from tests.storm.script import share

_HANG_S = 2.5


def _slow(call: Call) -> Answer:
    time.sleep(0.3 + 1.2 * share(call.run_id, "slow"))
    return Answer()


def _flaky(call: Call) -> Answer:
    return Answer(503 if share(call.run_id, call.attempt, "flaky") < 0.4 else 200)


def _hang(call: Call) -> Answer:
    if share(call.run_id, call.attempt, "hang") < 0.3:
        time.sleep(_HANG_S)
    return Answer()


def _logged(diary: Diary, behave: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
    def route(call: Call) -> Answer:
        answer = behave(call)
        facts = {"run": call.run_id, "attempt": call.attempt, "slot": call.slot, "status": answer.status}
        # The end is taken before the answer goes out: whoever acts on the answer acts later.
        diary.note(at=call.at, until=time.time() * 1000, **facts)
        return answer

    return route


def main(log: str) -> None:
    """Print the URL and serve until standard input ends."""
    diary = Diary(Path(log))
    behaviours = {"/ok": lambda _call: Answer(), "/slow": _slow, "/flaky": _flaky, "/hang": _hang}
    with Target({path: _logged(diary, behave) for path, behave in behaviours.items()}) as target:
        sys.stdout.write(target.url + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
