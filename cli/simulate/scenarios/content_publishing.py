"""Content publishing: exact times, and a cadence that eases with age.

Minute 0 is 9:00 in Berlin on a Thursday in winter. The first attempt to publish meets a busy system; readers come in
numbers from ten minutes after the article until half an hour after it. In the variant publishing fails.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

from cli.simulate.play.record import Record, clock
from cli.simulate.play.scenario import MINUTE, Answer, Scenario, Verdict, Visit
from cli.simulate.scenarios.evidence import Witness

_NINE_IN_BERLIN = round(datetime(2025, 1, 2, 8, tzinfo=UTC).timestamp() * 1000)
_PUBLISHED, _NEWSLETTER = 30, 60
_FOLLOWING = ("publish_article", "purge_cache", "post_to_networks")


class Site:
    """Implements scenario.Targets."""

    def __init__(self, *, publishes: bool = True) -> None:
        self._publishes = publishes

    def answer(self, visit: Visit) -> Answer:
        """By the path."""
        if visit.path == "/articles/next/publish":
            busy = not self._publishes or visit.attempt == 1
            return Answer(status=503 if busy else 200, takes_ms=300, body={"published": not busy})
        if visit.path == "/readers":
            age = visit.at / MINUTE - _PUBLISHED
            return Answer(body={"readersPerMin": 800 if 10 <= age < 30 else 40})
        return Answer(body={"ok": True})


def claims(record: Record) -> Iterator[Verdict]:
    """When the article appears."""
    saw = Witness(record)
    yield saw.ran_at("The article appears at 9:30 in Berlin, to the second.", "publish_article", (_PUBLISHED,))
    attempts = len([call for call in record.calls if call.path == "/articles/next/publish"])
    yield Verdict("A busy system is asked again within the same run.", attempts == 2, f"{attempts} attempts of one run")
    yield saw.in_turn("Cache and networks follow, each as soon as the one before is done.", _FOLLOWING, 30, 31)
    yield saw.ran_at("The newsletter leaves at 10:00.", "send_newsletter", (_NEWSLETTER,))
    yield saw.silent("Readers are not counted before there is an article.", ["count_readers"], until=_PUBLISHED)
    yield saw.kept_to("In its first half hour they are counted every 2 minutes,", "count_readers", 2 * MINUTE, 30, 60)
    yield saw.kept_to("then every 10,", "count_readers", 10 * MINUTE, 61, 150)
    yield saw.kept_to("then every 30,", "count_readers", 30 * MINUTE, 160, 390)
    yield _eases("and each gap is as long as the one before, or longer;", record)
    yield saw.silent("after six hours no more.", ["count_readers"], since=391)
    yield saw.ran_at("What many read goes to the front page, once.", "feature_on_front_page", (40,))
    yield saw.at_rest("In the end everything sleeps or waits for tomorrow.")
    yield saw.by_rules_alone("There is no manual step.")


def claims_when_publishing_fails(record: Record) -> Iterator[Verdict]:
    """All that follows stays away."""
    saw = Witness(record)
    runs = record.of("publish_article")
    attempts = [call for call in record.calls if call.run_id in {run.run_id for run in runs}]
    held = len(runs) == 1 and runs[0].failed and len(attempts) == 4
    spans = ", ".join(f"{clock(run.started)} to {clock(run.finished)}" for run in runs)
    told = f"{len(attempts)} attempts in {len(runs)} runs: {spans or 'none'}"
    yield Verdict("Publishing is tried four times in one run, and then failed.", held, told)
    others = [name for name in record.names() if name != "publish_article"]
    yield saw.silent("Nothing follows, and no newsletter tells of an article that is not there.", others)


def _eases(claim: str, record: Record) -> Verdict:
    slots = [run.slot for run in record.of("count_readers")]
    gaps = [later - earlier for earlier, later in pairwise(slots)]
    told = " ".join(f"{round(gap / MINUTE)}" for gap in gaps)
    return Verdict(claim, gaps == sorted(gaps), f"minutes between runs: {told}")


CONTENT_PUBLISHING = Scenario(
    name="content-publishing",
    blueprint="content-publishing",
    summary="publishing at the minute, and a cadence that eases with age",
    minutes=430,
    targets=Site,
    claims=claims,
    begins=_NINE_IN_BERLIN,
    in_memory=True,
    phases=((0, "before"), (30, "fresh"), (60, "settling"), (150, "ageing"), (391, "old")),
)
DOES_NOT_APPEAR = replace(
    CONTENT_PUBLISHING,
    name="content-publishing/does-not-appear",
    summary="an article that can't be published: tried four times, and nothing follows it",
    minutes=90,
    targets=lambda: Site(publishes=False),
    claims=claims_when_publishing_fails,
    phases=(),
)
