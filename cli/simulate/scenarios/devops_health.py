"""DevOps health: conditional activation with cooldowns.

The service fails from minute 10 and again from minute 25; each time until two minutes after it was restarted. From
minute 50 tasks pile up, until five minutes after more workers were asked for. In the variant no restart helps.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from cli.simulate.play.record import Record
from cli.simulate.play.scenario import MINUTE, Answer, Scenario, Verdict, Visit
from cli.simulate.scenarios.evidence import Witness

_TROUBLES = (10, 25)
_PILES_UP = 50
_RESTART_TAKES = 2
_WORKERS_TAKE = 5
_ASLEEP = ("error_log_sample", "restart_service", "scale_workers", "operators_channel", "oncall_page")


class Operations:
    """Implements scenario.Targets."""

    def __init__(self, *, restart_helps: bool = True) -> None:
        self._restart_helps = restart_helps
        self._restarts: list[float] = []
        self._scaled_at: float | None = None
        self._answers: dict[str, Callable[[float], Answer]] = {
            "/api/health": self._health,
            "/queue": self._queue,
            "/service/restart": self._restart,
            "/workers/scale": self._scale,
        }

    def answer(self, visit: Visit) -> Answer:
        """By the path; whatever else there is says yes."""
        found = self._answers.get(visit.path)
        return found(visit.at / MINUTE) if found else Answer(body={"ok": True})

    def _fails(self, minute: float) -> bool:
        begun = max((trouble for trouble in _TROUBLES if trouble <= minute), default=None)
        if begun is None:
            return False
        mended = (at + _RESTART_TAKES for at in self._restarts if at >= begun)
        return not (self._restart_helps and any(at <= minute for at in mended))

    def _health(self, minute: float) -> Answer:
        return Answer(body={"errorRate": 0.4 if self._fails(minute) else 0.001, "p95Ms": 180})

    def _queue(self, minute: float) -> Answer:
        done = self._scaled_at is not None and minute >= self._scaled_at + _WORKERS_TAKE
        return Answer(body={"waiting": 5000 if minute >= _PILES_UP and not done else 12})

    def _restart(self, minute: float) -> Answer:
        self._restarts.append(minute)
        return Answer(takes_ms=400, body={"restarting": True})

    def _scale(self, minute: float) -> Answer:
        self._scaled_at = minute
        return Answer(takes_ms=300, body={"workers": 16})


def claims(record: Record) -> Iterator[Verdict]:
    """When restarts help."""
    saw = Witness(record)
    yield saw.kept_to("Until trouble comes the service is looked at every minute.", "api_health", MINUTE, 0, 10)
    yield saw.silent("What investigates, mends and alerts is asleep until then.", _ASLEEP, until=10)
    yield saw.kept_to(
        "In trouble it is looked at every 15 s, from the first observation.", "api_health", 15_000, 10, 15.5
    )
    yield saw.kept_to("In between every minute again.", "api_health", MINUTE, 16, 25.5)
    yield saw.kept_to("So it is the second time.", "api_health", 15_000, 25.25, 35.5)
    sampled = [*range(11, 16), *(minute + 0.25 for minute in range(26, 36))]
    yield saw.ran_at(
        "Errors are sampled each minute once trouble has lasted one, and no longer.",
        "error_log_sample",
        sampled,
    )
    yield saw.ran_at(
        "The service is restarted after three minutes of trouble; the second time only when 20 minutes have passed.",
        "restart_service",
        (13, 33),
    )
    yield saw.ran_at("Operators are told once in half an hour.", "operators_channel", (11,))
    yield saw.ran_at("More workers are asked for once, as soon as tasks pile up.", "scale_workers", (50,))
    yield saw.kept_to("Meanwhile the queue is looked at every minute.", "queue_depth", MINUTE, 50, 56)
    yield saw.silent("Nobody is woken: the remedies helped.", ["oncall_page"])
    yield saw.at_rest("In the end everything sleeps or is back at its baseline.")
    yield saw.by_rules_alone("There is no manual step.")


def claims_when_restarts_are_in_vain(record: Record) -> Iterator[Verdict]:
    """The trouble of minute 10 goes on to the end."""
    saw = Witness(record)
    yield saw.ran_at("Restarts are tried no more often than their cooldown allows.", "restart_service", (13, 33, 53))
    yield saw.ran_at(
        "The engineer on call is woken once, after 15 minutes of trouble of which a restart was no end.",
        "oncall_page",
        (25.25,),
    )
    yield saw.by_rules_alone("There is no manual step.")


DEVOPS_HEALTH = Scenario(
    name="devops-health",
    blueprint="devops-health",
    summary="remedies that wake when they are needed, each with its cooldown",
    minutes=70,
    targets=Operations,
    claims=claims,
    in_memory=True,
    phases=(
        (0, "calm"),
        (10, "trouble"),
        (16, "calm"),
        (25, "trouble again"),
        (36, "calm"),
        (50, "backlog"),
        (57, "calm"),
    ),
)
RESTARTS_IN_VAIN = replace(
    DEVOPS_HEALTH,
    name="devops-health/restarts-in-vain",
    summary="a service that no restart mends: cooldowns hold, and the engineer on call is woken once",
    minutes=60,
    targets=lambda: Operations(restart_helps=False),
    claims=claims_when_restarts_are_in_vain,
    phases=((0, "calm"), (10, "trouble")),
)
