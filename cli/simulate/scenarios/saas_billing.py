"""SaaS usage and billing: calendar cycles and a dunning sequence.

Minute 0 is 23:00 in New York on the last day of January. An invoice is not paid; in the variant it is paid after two
days, between the reminders. On the second day a customer has nearly used up their plan. One look at the payments fails,
half a day after the first reminder, and one at the usage, while it is near the limit.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

from cli.simulate.play.record import Record, clocks
from cli.simulate.play.scenario import MINUTE, Answer, Scenario, Verdict, Visit
from cli.simulate.scenarios.evidence import Witness

_ELEVEN_IN_NEW_YORK = round(datetime(2025, 2, 1, 4, tzinfo=UTC).timestamp() * 1000)
HOUR, DAY = 60, 1440  # minutes
_MIDNIGHT = HOUR
_STEPS = ("close_month", "issue_invoices", "charge_cards")
_DUNNING = ("first_reminder", "second_reminder", "suspend_account")
_NEAR = (DAY, DAY + 6 * HOUR)
# The minute from which on one look fails, by path.
_FAILS_FROM = {"/payments": DAY + 13 * HOUR, "/usage": DAY + 3 * HOUR}


class Billing:
    """Implements scenario.Targets."""

    def __init__(self, *, pays_on_day: float | None = None) -> None:
        self._pays_at = None if pays_on_day is None else pays_on_day * DAY
        self._charged = False
        self._fails_from = dict(_FAILS_FROM)

    def answer(self, visit: Visit) -> Answer:
        """By the path."""
        minute = visit.at / MINUTE
        if visit.path in self._fails_from and minute >= self._fails_from[visit.path]:
            del self._fails_from[visit.path]
            return Answer(status=503, body={"error": "under maintenance"})
        if visit.path == "/charges":
            self._charged = True
        if visit.path == "/payments":
            unpaid = self._charged and (self._pays_at is None or minute < self._pays_at)
            return Answer(body={"overdue": 1 if unpaid else 0})
        if visit.path == "/usage":
            return Answer(body={"usedPercent": 91 if _NEAR[0] <= minute < _NEAR[1] else 35})
        return Answer(body={"ok": True})


def claims(record: Record) -> Iterator[Verdict]:
    """When nobody pays."""
    saw = Witness(record)
    yield from _month(record)
    seen = _seen_unpaid(record)
    for name, days in zip(_DUNNING, (1, 3, 5), strict=True):
        yield saw.ran_at(
            f"{name} comes once, {days} d after payment was seen to be missing.", name, (seen + days * DAY,)
        )
    yield saw.shrugged_off("watch_payments", HOUR * MINUTE)
    yield saw.kept_to("Meanwhile payments are looked at every hour.", "watch_payments", HOUR * MINUTE, seen, 6 * DAY)
    yield from _usage(record)
    yield saw.by_rules_alone("There is no manual step.")


def claims_when_paid(record: Record) -> Iterator[Verdict]:
    """After two days, and so after the first reminder."""
    saw = Witness(record)
    yield from _month(record)
    yield saw.ran_at("One reminder is sent.", "first_reminder", (_seen_unpaid(record) + DAY,))
    yield saw.silent("Once it is paid there is no second one, and no suspension.", _DUNNING[1:])
    yield saw.shrugged_off("watch_payments", HOUR * MINUTE)
    looks = [run.slot for run in record.of("watch_payments", since=2 * DAY * MINUTE)]
    gaps = {later - earlier for earlier, later in pairwise(looks[1:])}
    yield Verdict("Payments are looked at every six hours again.", gaps == {6 * HOUR * MINUTE}, clocks(looks))
    yield saw.at_rest("In the end everything sleeps or is back at its baseline.")


def _month(record: Record) -> Iterator[Verdict]:
    saw = Witness(record)
    yield saw.ran_at("The month is closed at midnight in New York.", "close_month", (_MIDNIGHT,))
    yield saw.in_turn("Invoices and charges follow, once, in their order.", _STEPS, 0, 6 * DAY)


def _usage(record: Record) -> Iterator[Verdict]:
    saw = Witness(record)
    since, until = _NEAR
    yield saw.kept_to("Usage is metered every hour,", "meter_usage", HOUR * MINUTE, 0, since)
    near = "and every quarter of an hour near a plan's limit,"
    yield saw.kept_to(near, "meter_usage", 15 * MINUTE, since + HOUR, until)
    yield saw.shrugged_off("meter_usage", 15 * MINUTE)
    warned = [run.slot for run in record.of("usage_warning")]
    held = len(warned) == 1 and since * MINUTE <= warned[0] <= (since + HOUR) * MINUTE
    yield Verdict("of which its owner is warned once.", held, clocks(warned))


def _seen_unpaid(record: Record) -> float:
    """The first look at payments after cards were charged, in minutes: its end, when rules see it; else the play's."""
    charged = min((run.finished for run in record.of("charge_cards")), default=record.until)
    looks = [run.finished for run in record.of("watch_payments", since=charged)]
    return min(looks, default=record.until) / MINUTE


SAAS_BILLING = Scenario(
    name="saas-billing",
    blueprint="saas-billing",
    summary="calendar months, and a dunning sequence for what stays unpaid",
    minutes=5 * DAY + 12 * HOUR,
    targets=Billing,
    claims=claims,
    begins=_ELEVEN_IN_NEW_YORK,
    in_memory=True,
    phases=((0, "last hour"), (60, "billed"), (DAY + 7 * HOUR, "reminded")),
)
PAID_IN_BETWEEN = replace(
    SAAS_BILLING,
    name="saas-billing/paid-in-between",
    summary="an invoice that is paid after the first reminder: the dunning sequence stops",
    minutes=3 * DAY + 12 * HOUR,
    targets=lambda: Billing(pays_on_day=2),
    claims=claims_when_paid,
    phases=(),
)
