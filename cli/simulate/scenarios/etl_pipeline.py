"""ETL pipeline: order, retries, a gate, and lag that is made good.

Five hours from midnight UTC. Hour 1: a source is busy twice. Hour 2: the check of quality fails. Hour 3: that source is
down. The lag of each is made good by a backfill, and hour 4 is as good as hour 0.
"""

from collections.abc import Iterator
from itertools import pairwise

from cli.simulate.play.record import Ran, Record, clocks
from cli.simulate.play.scenario import MINUTE, Answer, Scenario, Verdict, Visit
from cli.simulate.scenarios.evidence import Witness

_STEPS = ("transform", "load", "check_quality")
_TAKES_MS = {
    "/extract/orders": 20_000,
    "/extract/customers": 40_000,
    "/transform": 60_000,
    "/load": 30_000,
    "/check": 5_000,
    "/backfill": 100_000,
}
_BUSY, _WRONG, _DOWN = 1, 2, 3  # hours


class Warehouse:
    """Implements scenario.Targets. Its data is as old as the latest check, or backfill, that was good."""

    def __init__(self) -> None:
        self._good_at = 0.0

    def answer(self, visit: Visit) -> Answer:
        """By the path and the hour."""
        minute, status = visit.at / MINUTE, self._status(visit)
        if status == 200 and visit.path in ("/check", "/backfill"):
            self._good_at = minute
        lag = {"lagMinutes": round(minute - self._good_at, 1)} if visit.path == "/lag" else {"rows": 1000}
        return Answer(status=status, takes_ms=_TAKES_MS.get(visit.path, 200), body=lag)

    def _status(self, visit: Visit) -> int:
        hour = visit.at // (60 * MINUTE)
        if visit.path == "/extract/orders":
            busy = hour == _DOWN or (hour == _BUSY and visit.attempt <= 2)
            return 503 if busy else 200
        return 422 if visit.path == "/check" and hour == _WRONG else 200


def claims(record: Record) -> Iterator[Verdict]:
    """Hour by hour."""
    saw = Witness(record)
    for hour, last in ((0, "extract_customers"), (_BUSY, "extract_customers"), (4, "extract_orders")):
        claim = f"Hour {hour}: each step begins when those before it are done."
        yield saw.in_turn(claim, (last, *_STEPS), hour * 60, hour * 60 + 30)
    yield _retried(record)
    failed = [run.endpoint for run in _within(record, _WRONG, *record.names()) if run.failed]
    told = ", ".join(failed) or "no failure"
    yield Verdict("Hour 2: the check fails, and it alone.", failed == ["check_quality"], told)
    later = [run.endpoint for run in _within(record, _DOWN, "transform", "load")]
    told = ", ".join(later) or "no run"
    yield Verdict("Hour 3: without both extracts nothing is transformed or loaded.", not later, told)
    yield saw.ran_at("The dashboard is refreshed from good data only.", "refresh_dashboard", (30, 90, 270))
    yield saw.kept_to("Lag is measured every 15 minutes,", "measure_lag", 15 * MINUTE, 0, 141)
    yield saw.kept_to("and every 2 while it is too long.", "measure_lag", 2 * MINUTE, 140, 152.5)
    yield saw.ran_at("Ten minutes of it start a backfill, and so do ten minutes of new lag.", "backfill", (150, 237))
    yield _told_hourly(record)
    yield saw.at_rest("In the end everything sleeps or is back at its baseline.")
    yield saw.by_rules_alone("There is no manual step.")


def _within(record: Record, hour: int, *names: str) -> list[Ran]:
    return record.of(*names, since=hour * 60 * MINUTE, until=(hour + 1) * 60 * MINUTE)


def _retried(record: Record) -> Verdict:
    runs = _within(record, _BUSY, "extract_orders")
    attempts = [call.at for call in record.calls if call.run_id in {run.run_id for run in runs}]
    claim = "Hour 1: a busy source is asked again within the run, which then succeeds."
    held = len(runs) == 1 and len(attempts) == 3 and not runs[0].failed
    return Verdict(claim, held, f"{len(runs)} runs, attempts at {clocks(attempts)}")


def _told_hourly(record: Record) -> Verdict:
    slots = [run.slot for run in record.of("data_team_channel")]
    failed = [run.finished for run in record.of("check_quality") if run.failed]
    gaps = [later - earlier for earlier, later in pairwise(slots)]
    prompt = bool(slots) and len(failed) == 1 and 0 <= slots[0] - failed[0] <= 2_000
    held = prompt and all(gap >= 60 * MINUTE for gap in gaps)
    return Verdict("People are told at once when a step failed, and not more than once an hour.", held, clocks(slots))


ETL_PIPELINE = Scenario(
    name="etl-pipeline",
    blueprint="etl-pipeline",
    summary="steps in order, with retries, a gate, and lag that is made good",
    minutes=299,
    targets=Warehouse,
    claims=claims,
    in_memory=True,
    phases=((0, "good"), (60, "busy source"), (120, "wrong data"), (180, "source down"), (240, "good")),
)
