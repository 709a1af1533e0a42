"""Data collection: backing off when the source sets limits.

The source allows 25 pages in each half hour. From minute 60 to 75 it refuses everything, whatever its limit says; from
minute 130 on its pages are empty.
"""

from collections.abc import Iterator
from itertools import pairwise

from cli.drawing.durations import spell
from cli.simulate.play.record import Record, clocks
from cli.simulate.play.scenario import MINUTE, Answer, Scenario, Verdict, Visit
from cli.simulate.scenarios.evidence import Witness

_ALLOWED, _WINDOW = 25, 30  # calls, minutes
_REFUSES = (60, 75)
_EMPTY = 130
_TOO_MANY = 429


class Source:
    """Implements scenario.Targets."""

    def __init__(self) -> None:
        self._calls: dict[int, int] = {}

    def answer(self, visit: Visit) -> Answer:
        """By the path."""
        minute = visit.at / MINUTE
        window = int(minute // _WINDOW)
        if visit.path == "/results":
            return self._results(minute, window)
        if visit.path == "/rate-limit":
            return Answer(body={"remaining": max(_ALLOWED - self._calls.get(window, 0), 0)})
        return Answer(body={"ok": True})

    def _results(self, minute: float, window: int) -> Answer:
        self._calls[window] = self._calls.get(window, 0) + 1
        refuses = _REFUSES[0] <= minute < _REFUSES[1] or self._calls[window] > _ALLOWED
        if refuses:
            return Answer(status=_TOO_MANY, body={"error": "too many requests"})
        return Answer(body={"items": [] if minute >= _EMPTY else ["a", "b"]})


def claims(record: Record) -> Iterator[Verdict]:
    """Window by window."""
    saw = Witness(record)
    yield _never_refused(record)
    yield saw.kept_to("A page a minute while the source has calls to spare,", "result_pages", MINUTE, 0, 17.5)
    yield saw.kept_to("one in five minutes while it has few left,", "result_pages", 5 * MINUTE, 16.5, 30)
    yield saw.kept_to("and a page a minute as soon as it counts anew.", "result_pages", MINUTE, 30.5, 47.5)
    yield _backs_off(record)
    yield saw.silent("After three refusals in a row it rests for half an hour.", ["result_pages"], 68, 97)
    yield saw.kept_to("Then it comes back by itself, at its old pace.", "result_pages", MINUTE, 99, 115)
    yield _details(record)
    told = [run.slot for run in record.of("tell_maintainers")]
    held = len(told) == 1 and 0 <= told[0] - _EMPTY * MINUTE <= 5 * MINUTE
    yield Verdict("Somebody is told once that pages have become empty.", held, clocks(told))
    yield saw.at_rest("In the end nothing is hinted or paused.")
    yield saw.by_rules_alone("There is no manual step.")


def _never_refused(record: Record) -> Verdict:
    pages = record.of("result_pages", until=_REFUSES[0] * MINUTE)
    refused = [run for run in pages if run.status_code == _TOO_MANY]
    claim = f"The limit of {_ALLOWED} pages in {_WINDOW} minutes is never met: the pace eases before."
    return Verdict(claim, not refused, f"{len(pages)} pages in an hour, {len(refused)} refused")


def _backs_off(record: Record) -> Verdict:
    refused = [run.slot for run in record.of("result_pages") if run.status_code == _TOO_MANY]
    gaps = [later - earlier for earlier, later in pairwise(refused)]
    held = gaps == [2 * MINUTE, 4 * MINUTE]
    told = f"refused at {clocks(refused)}: {', '.join(map(spell, gaps))} apart"
    return Verdict("A source that refuses is asked half as often each time.", held, told)


def _details(record: Record) -> Verdict:
    pages = [run for run in record.of("result_pages") if not run.failed]
    details = record.of("details")
    held = len(details) == len(pages) and all(
        0 <= after.started - page.finished <= 2_000 for page, after in zip(pages, details, strict=True)
    )
    told = f"{len(pages)} pages, {len(details)} details"
    return Verdict("Details follow each page that came, and no other.", held, told)


DATA_COLLECTION = Scenario(
    name="data-collection",
    blueprint="data-collection",
    summary="backing off when the source sets limits, and coming back",
    minutes=155,
    targets=Source,
    claims=claims,
    in_memory=True,
    phases=((0, "polite"), (60, "refused"), (99, "back"), (130, "empty pages")),
)
