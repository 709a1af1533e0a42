"""The targets of a scenario behind the port that runs call through, under the virtual clock."""

import json
from urllib.parse import urlsplit

from cli.simulate.play.record import Called
from cli.simulate.play.scenario import Answer, Targets, Visit
from cli.simulate.play.virtual_time import VirtualTime
from rubato.domain.exchange import Call, ErrorKind, Reply

BASE_URL = "http://127.0.0.1:8080"


class PlayedTargets:
    """Implements ports.Outbound: asks the targets, lets their time pass, and remembers every call."""

    def __init__(self, targets: Targets, clock: VirtualTime, begins: int) -> None:
        self.begins = begins
        self.calls: list[Called] = []
        self._targets, self._clock = targets, clock

    def send(self, call: Call) -> Reply:
        """The answer of whoever is at that path."""
        given = dict(call.headers)
        visit = Visit(
            at=self._clock.now() - self.begins,
            method=call.method,
            path=urlsplit(call.url).path,
            body=call.body,
            attempt=int(given["Rubato-Attempt"]),
        )
        answer = self._targets.answer(visit)
        run_id = given["Rubato-Run-Id"]
        self.calls.append(Called(at=visit.at, path=visit.path, run_id=run_id, attempt=visit.attempt, said=answer.body))
        took = min(answer.takes_ms, call.timeout_ms)
        self._clock.sleep_until(self._clock.now() + took)
        return _late(took) if answer.takes_ms > took else _reply(answer, call)


def body_of(answer: Answer) -> bytes:
    """As it goes over the wire."""
    return json.dumps(answer.body, separators=(",", ":"), ensure_ascii=False).encode()


def _reply(answer: Answer, call: Call) -> Reply:
    body = body_of(answer)
    return Reply(
        duration_ms=answer.takes_ms,
        status_code=answer.status,
        headers=(("Content-Type", "application/json"), *answer.headers),
        body=body[: call.max_response_bytes],
        truncated=len(body) > call.max_response_bytes,
    )


def _late(took: int) -> Reply:
    return Reply(duration_ms=took, error_kind=ErrorKind.TIMEOUT, error_message="the target took too long")
