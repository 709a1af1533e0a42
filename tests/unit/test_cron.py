"""Cron expressions: what is accepted, what is refused, and what happens when clocks change."""

import subprocess
import sys
import time
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from rubato.domain.cron import CronExpression
from rubato.domain.errors import Invalid


def ms(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def slots(expression: str, zone: str, start: str, count: int) -> list[str]:
    cron, found, at = CronExpression.parse(expression, zone), [], ms(start)
    for _ in range(count):
        following = cron.next_after(at)
        assert following is not None
        found.append(cron.local(following))
        at = following
    return found


COUNT = "write five: minute, hour, day of month, month, day of week (seconds and years are not supported)"
NICKNAMES = "choose from @hourly, @daily, @weekly, @monthly, @yearly"
OTHERS = "with `*`, ranges, lists and steps (no R, H, L, W, # or ?)"
MINUTES = f"write numbers 0-59, {OTHERS}"
DAYS = f"write numbers 1-31, {OTHERS}"
WEEKDAYS = f"write numbers 0-7 or SUN-SAT, {OTHERS}"

REFUSED = {
    "": f"has 0 fields; {COUNT}",
    "  ": f"has 0 fields; {COUNT}",
    "* * * *": f"has 4 fields; {COUNT}",
    "* * * * * *": f"has 6 fields; {COUNT}",
    "0 0 0 1 1 * 2030": f"has 7 fields; {COUNT}",
    "@reboot": f"unknown nickname '@reboot'; {NICKNAMES}",
    "@annually": f"unknown nickname '@annually'; {NICKNAMES}",
    "@midnight": f"unknown nickname '@midnight'; {NICKNAMES}",
    "@every 5m": f"unknown nickname '@every 5m'; {NICKNAMES}",
    "@wee\N{KELVIN SIGN}ly": f"unknown nickname '@wee\N{KELVIN SIGN}ly'; {NICKNAMES}",
    "9" * 5000 + " * * * *": "is longer than 255 characters; write lists as ranges or steps",
    "60 * * * *": "minute: 60 is outside 0-59",
    "0-60 * * * *": "minute: 60 is outside 0-59",
    "* 24 * * *": "hour: 24 is outside 0-23",
    "* * 0 * *": "day of month: 0 is outside 1-31",
    "* * 32 * *": "day of month: 32 is outside 1-31",
    "* * * 0 *": "month: 0 is outside 1-12",
    "* * * 13 *": "month: 13 is outside 1-12",
    "* * * * 8": "day of week: 8 is outside 0-7",
    "5/15 * * * *": "minute: '5/15' steps from a single number; write 5-59/15",
    "0 2/6 * * *": "hour: '2/6' steps from a single number; write 2-23/6",
    "0 0 * MAR/3 *": "month: 'MAR/3' steps from a single number; write 3-12/3",
    "0 0 * * MON/2": "day of week: 'MON/2' steps from a single number; write 1-6/2",
    "0 0 * * 7/2": "day of week: '7/2' steps from a single number; write 0-6/2",
    "30-10 * * * *": "minute: the range '30-10' runs backwards; write 30-59,0-10",
    "0 22-6 * * *": "hour: the range '22-6' runs backwards; write 22-23,0-6",
    "* * * NOV-FEB *": "month: the range 'NOV-FEB' runs backwards; write 11-12,1-2",
    "* * * * FRI-SUN": "day of week: the range 'FRI-SUN' runs backwards; write 5-6,0",
    "* * * * 7-3": "day of week: the range '7-3' runs backwards; write 0-3",
    "*/0 * * * *": "minute: '*/0' needs a whole step of 1 or more after the slash",
    "*/ * * * *": "minute: '*/' needs a whole step of 1 or more after the slash",
    "5/0 * * * *": "minute: '5/0' needs a whole step of 1 or more after the slash",
    "*/2.5 * * * *": "minute: '*/2.5' needs a whole step of 1 or more after the slash",
    "0-30/2/3 * * * *": "minute: '0-30/2/3' needs a whole step of 1 or more after the slash",
    "1,,2 * * * *": f"minute: '' is not understood; {MINUTES}",
    "-5 * * * *": f"minute: '-5' is not understood; {MINUTES}",
    "+5 * * * *": f"minute: '+5' is not understood; {MINUTES}",
    "1-2-3 * * * *": f"minute: '1-2-3' is not understood; {MINUTES}",
    "R * * * *": f"minute: 'R' is not understood; {MINUTES}",
    "H * * * *": f"minute: 'H' is not understood; {MINUTES}",
    "H/5 * * * *": f"minute: 'H/5' is not understood; {MINUTES}",
    "JAN * * * *": f"minute: 'JAN' is not understood; {MINUTES}",
    "٣ * * * *": f"minute: '٣' is not understood; {MINUTES}",
    "* * L * *": f"day of month: 'L' is not understood; {DAYS}",
    "* * 15W * *": f"day of month: '15W' is not understood; {DAYS}",
    "* * ? * *": f"day of month: '?' is not understood; {DAYS}",
    "* * * MON *": f"month: 'MON' is not understood; write numbers 1-12 or JAN-DEC, {OTHERS}",
    "* * * * 5#2": f"day of week: '5#2' is not understood; {WEEKDAYS}",
    "* * * * L5": f"day of week: 'L5' is not understood; {WEEKDAYS}",
    "* * * * \N{LATIN SMALL LETTER LONG S}un": f"day of week: '\N{LATIN SMALL LETTER LONG S}un' is not understood; {WEEKDAYS}",
    "0 0 31 2 *": "day of month: no chosen month has a day 31, so it would never fire; choose 1-29",
    "0 0 30,31 feb *": "day of month: no chosen month has a day 30, so it would never fire; choose 1-29",
    "0 0 31 4,6,9,11 *": "day of month: no chosen month has a day 31, so it would never fire; choose 1-30",
    "0 0 30 2 */2": "day of month: no chosen month has a day 30, so it would never fire; choose 1-29",
}


@pytest.mark.parametrize("expression", REFUSED)
def test_a_bad_expression_is_refused_with_the_field_and_the_remedy(expression: str) -> None:
    with pytest.raises(Invalid) as refused:
        CronExpression.parse(expression)
    (error,) = refused.value.errors
    assert (error.path, error.message) == ("baseline.cron", REFUSED[expression])


NOT_A_NAME = "is not a zone's name but an offset, an abbreviation or something else"
UNKNOWN = "is not in the IANA database"
ZONES_REFUSED = {
    **dict.fromkeys(["EST", "CET", "MST7MDT", "GMT", "UTC+2", "GMT+1", "+02:00", "Z", "utc", ""], NOT_A_NAME),
    **dict.fromkeys(["Etc/GMT+5", "Etc/GMT-14", "Etc/GMT0", "Europe", "Japan", "Europe/Berlin ", "UTC\n"], NOT_A_NAME),
    **dict.fromkeys(["../../etc/passwd", "Europe/../UTC", "/etc/localtime", "Europe//Berlin", "UTC\0"], NOT_A_NAME),
    **dict.fromkeys(["posix/Europe/Berlin", "right/Europe/Berlin"], NOT_A_NAME),
    **dict.fromkeys(["Mars/Base", "europe/berlin", "America/Argentina", "Europe/" + "A" * 300], UNKNOWN),
}


@pytest.mark.parametrize("zone", ZONES_REFUSED)
def test_a_zone_is_utc_or_area_and_city(zone: str) -> None:
    with pytest.raises(Invalid) as refused:
        CronExpression.parse("* * * * *", zone)
    (error,) = refused.value.errors
    expected = f"{zone!r} {ZONES_REFUSED[zone]}; write UTC or Area/City, such as Europe/Berlin"
    assert (error.path, error.message) == ("baseline.timezone", expected)


@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC", "America/Port-au-Prince", "America/Argentina/Buenos_Aires"])
def test_a_zone_is_kept_as_given(zone: str) -> None:
    assert CronExpression.parse("* * * * *", zone).timezone == zone


def test_an_expression_is_kept_as_given_but_for_its_spaces() -> None:
    assert CronExpression.parse("  0  9 *\t* mon-Fri ").expression == "0 9 * * mon-Fri"
    assert CronExpression.parse("@Daily").expression == "@Daily"


@pytest.mark.parametrize(
    ("expression", "start", "expected"),
    [
        ("0 * * * *", "2025-01-01T00:00:00", ["2025-01-01T01:00", "2025-01-01T02:00"]),
        ("0 * * * *", "2024-12-31T23:59:59.999", ["2025-01-01T00:00", "2025-01-01T01:00"]),
        ("*/20 * * * *", "2025-01-01T00:00:31", ["2025-01-01T00:20", "2025-01-01T00:40"]),
        ("5-59/15 0 * * *", "2025-01-01T00:20:00", ["2025-01-01T00:35", "2025-01-01T00:50"]),
        ("0 9 * * MON-FRI", "2025-01-03T09:00:00", ["2025-01-06T09:00", "2025-01-07T09:00"]),
        ("0 0 * * 7", "2025-01-01T00:00:00", ["2025-01-05T00:00", "2025-01-12T00:00"]),
        ("0 0 * * 5-7", "2025-01-01T00:00:00", ["2025-01-03T00:00", "2025-01-04T00:00", "2025-01-05T00:00"]),
        ("0 0 * jul,DEC *", "2025-07-31T00:00:00", ["2025-12-01T00:00", "2025-12-02T00:00"]),
        ("0 0 29 feb *", "2025-01-01T00:00:00", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        # The rarest of all: 2100 is no leap year.
        ("0 0 29 2 */7", "2088-01-01T00:00:00", ["2088-02-29T00:00", "2128-02-29T00:00"]),
        ("@hourly", "2025-01-01T00:00:00", ["2025-01-01T01:00", "2025-01-01T02:00"]),
        ("@daily", "2025-01-01T00:00:00", ["2025-01-02T00:00", "2025-01-03T00:00"]),
        ("@weekly", "2025-01-01T00:00:00", ["2025-01-05T00:00", "2025-01-12T00:00"]),
        ("@monthly", "2025-01-01T00:00:00", ["2025-02-01T00:00", "2025-03-01T00:00"]),
        ("@YEARLY", "2025-01-01T00:00:00", ["2026-01-01T00:00", "2027-01-01T00:00"]),
        # Neither day field begins with a star: one of them is enough, also when the other excludes nothing.
        ("0 0 13 * 5", "2025-06-01T00:00:00", ["2025-06-06T00:00", "2025-06-13T00:00", "2025-06-20T00:00"]),
        ("0 0 15 * 5", "2025-06-13T00:00:00", ["2025-06-15T00:00", "2025-06-20T00:00"]),
        ("0 0 1-31 * 5", "2025-06-01T00:00:00", ["2025-06-02T00:00", "2025-06-03T00:00"]),
        ("0 0 13 * SUN-SAT", "2025-06-01T00:00:00", ["2025-06-02T00:00", "2025-06-03T00:00"]),
        ("0 0 5,* * 1", "2025-06-02T00:00:00", ["2025-06-03T00:00", "2025-06-04T00:00"]),
        ("0 0 31 2 5", "2025-02-22T00:00:00", ["2025-02-28T00:00", "2026-02-06T00:00"]),
        ("0 0 31 2 0-7", "2025-02-27T00:00:00", ["2025-02-28T00:00", "2026-02-01T00:00"]),
        # One of them begins with a star, be it with a step: both must match.
        ("0 0 */2 * 5", "2025-06-01T00:00:00", ["2025-06-13T00:00", "2025-06-27T00:00"]),
        ("0 0 13 * */5", "2025-06-01T00:00:00", ["2025-06-13T00:00", "2025-07-13T00:00"]),
        ("0 0 *,5 * 1", "2025-06-02T00:00:00", ["2025-06-09T00:00", "2025-06-16T00:00"]),
    ],
)
def test_slots_in_utc(expression: str, start: str, expected: list[str]) -> None:
    assert slots(expression, "UTC", start, len(expected)) == [f"{slot}:00+00:00" for slot in expected]


CLOCK_CHANGES = [
    # Berlin, 30 March 2025: 02:00 becomes 03:00.
    ("30 2 * * *", "Europe/Berlin", "2025-03-29T12:00:00", ["2025-03-30T03:00:00+02:00", "2025-03-31T02:30:00+02:00"]),
    ("0,30 2 * * *", "Europe/Berlin", "2025-03-29T12:00:00", ["2025-03-30T03:00:00+02:00", "2025-03-31T02:00:00+02:00"]),
    ("15 2,3 * * *", "Europe/Berlin", "2025-03-29T12:00:00", ["2025-03-30T03:00:00+02:00", "2025-03-30T03:15:00+02:00"]),
    ("0 2,3 * * *", "Europe/Berlin", "2025-03-29T12:00:00", ["2025-03-30T03:00:00+02:00", "2025-03-31T02:00:00+02:00"]),
    ("30 * * * *", "Europe/Berlin", "2025-03-30T00:00:00", ["2025-03-30T01:30:00+01:00", "2025-03-30T03:30:00+02:00"]),
    ("*/30 2 * * *", "Europe/Berlin", "2025-03-29T12:00:00", ["2025-03-31T02:00:00+02:00", "2025-03-31T02:30:00+02:00"]),
    ("30 2 30 3 *", "Europe/Berlin", "2025-01-01T00:00:00", ["2025-03-30T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]),
    # Berlin, 26 October 2025: 03:00 becomes 02:00 again.
    ("30 2 * * *", "Europe/Berlin", "2025-10-25T12:00:00", ["2025-10-26T02:30:00+02:00", "2025-10-27T02:30:00+01:00"]),
    ("30 2 * * *", "Europe/Berlin", "2025-10-26T01:00:00", ["2025-10-27T02:30:00+01:00"]),
    ("30 * * * *", "Europe/Berlin", "2025-10-26T00:00:00", ["2025-10-26T02:30:00+02:00", "2025-10-26T02:30:00+01:00"]),
    ("*/30 2 * * *", "Europe/Berlin", "2025-10-26T00:40:00", ["2025-10-26T02:00:00+01:00", "2025-10-26T02:30:00+01:00"]),
    # A yearly expression in the repeated hour: its second pass is not the next year's.
    ("*/30 2 26 10 *", "Europe/Berlin", "2025-10-26T00:40:00", ["2025-10-26T02:00:00+01:00", "2025-10-26T02:30:00+01:00"]),
    ("0 * 26 10 *", "Europe/Berlin", "2025-10-26T00:00:00", ["2025-10-26T02:00:00+01:00", "2025-10-26T03:00:00+01:00"]),
    # New York, 9 March and 2 November 2025.
    ("30 2 * * *", "America/New_York", "2025-03-09T00:00:00", ["2025-03-09T03:00:00-04:00", "2025-03-10T02:30:00-04:00"]),
    ("30 1 * * *", "America/New_York", "2025-11-02T00:00:00", ["2025-11-02T01:30:00-04:00", "2025-11-03T01:30:00-05:00"]),
    ("*/30 1 * * *", "America/New_York", "2025-11-02T05:00:00", ["2025-11-02T01:30:00-04:00", "2025-11-02T01:00:00-05:00"]),
    # Lord Howe moves by half an hour.
    ("15 2 * * *", "Australia/Lord_Howe", "2025-10-04T00:00:00", ["2025-10-05T02:30:00+11:00", "2025-10-06T02:15:00+11:00"]),
    ("45 1 * * *", "Australia/Lord_Howe", "2025-04-05T00:00:00", ["2025-04-06T01:45:00+11:00", "2025-04-07T01:45:00+10:30"]),
    ("45 * * * *", "Australia/Lord_Howe", "2025-04-05T14:00:00", ["2025-04-06T01:45:00+11:00", "2025-04-06T01:45:00+10:30"]),
    ("0 * * * *", "Australia/Lord_Howe", "2025-10-04T14:30:00", ["2025-10-05T03:00:00+11:00", "2025-10-05T04:00:00+11:00"]),
    # Cairo's, Beirut's and once Sao Paulo's gap begins at midnight.
    ("30 0 * * *", "Africa/Cairo", "2025-04-24T12:00:00", ["2025-04-25T01:00:00+03:00", "2025-04-26T00:30:00+03:00"]),
    ("0 0 * * *", "Asia/Beirut", "2025-03-29T12:00:00", ["2025-03-30T01:00:00+03:00", "2025-03-31T00:00:00+03:00"]),
    ("@daily", "America/Sao_Paulo", "2018-11-03T12:00:00", ["2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"]),
    ("* 0 4 11 *", "America/Sao_Paulo", "2018-11-03T12:00:00", ["2019-11-04T00:00:00-03:00", "2019-11-04T00:01:00-03:00"]),
    # Cairo's clocks fall back into the day before, so its last hour comes twice.
    ("30 23 * * 4", "Africa/Cairo", "2025-10-30T12:00:00", ["2025-10-30T23:30:00+03:00", "2025-11-06T23:30:00+02:00"]),
    ("30 * 30 10 *", "Africa/Cairo", "2025-10-30T20:00:00", ["2025-10-30T23:30:00+03:00", "2025-10-30T23:30:00+02:00"]),
    # Not daylight saving, but a new standard time: Caracas in 2016 and 2007.
    ("45 2 * * *", "America/Caracas", "2016-04-30T12:00:00", ["2016-05-01T03:00:00-04:00", "2016-05-02T02:45:00-04:00"]),
    ("45 2 * * *", "America/Caracas", "2007-12-08T12:00:00", ["2007-12-09T02:45:00-04:00", "2007-12-10T02:45:00-04:30"]),
    # Casey once moved by three hours: slots an hour apart collapse into one.
    ("0 1,2,3 * * *", "Antarctica/Casey", "2018-10-06T16:30:00", ["2018-10-07T01:00:00+08:00", "2018-10-07T02:00:00+08:00", "2018-10-07T03:00:00+08:00"]),
    ("0 5,6 * * *", "Antarctica/Casey", "2018-10-06T12:00:00", ["2018-10-07T07:00:00+11:00", "2018-10-08T05:00:00+11:00"]),
    # Samoa had no 30 December 2011, Kwajalein no 21 August 1993: a gap of a whole day is skipped.
    ("0 12 * * *", "Pacific/Apia", "2011-12-29T12:00:00", ["2011-12-29T12:00:00-10:00", "2011-12-31T12:00:00+14:00"]),
    ("0 12 30 12 *", "Pacific/Apia", "2011-01-01T00:00:00", ["2012-12-30T12:00:00+14:00", "2013-12-30T12:00:00+14:00"]),
    ("0 * * * *", "Pacific/Apia", "2011-12-30T09:00:00", ["2011-12-31T00:00:00+14:00", "2011-12-31T01:00:00+14:00"]),
    ("0-59 0-23 * * *", "Pacific/Apia", "2011-12-30T09:58:00", ["2011-12-29T23:59:00-10:00", "2011-12-31T00:00:00+14:00"]),
    ("0 0 * * *", "Pacific/Kwajalein", "1993-08-20T00:00:00", ["1993-08-20T00:00:00-12:00", "1993-08-22T00:00:00+12:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "zone", "start", "expected"), CLOCK_CHANGES)
def test_slots_when_clocks_change(expression: str, zone: str, start: str, expected: list[str]) -> None:
    assert slots(expression, zone, start, len(expected)) == expected


def test_the_latest_missed_slot_is_found_after_any_outage() -> None:
    cron = CronExpression.parse("*/5 9-17 * * MON-FRI", "Europe/Berlin")
    a_year_ago, now = ms("2024-06-01T00:00:00"), ms("2025-06-01T00:00:00")
    assert cron.latest_at_or_before(now, a_year_ago) == ms("2025-05-30T15:55:00")
    assert cron.latest_at_or_before(ms("2025-05-30T15:55:00"), a_year_ago) == ms("2025-05-30T15:55:00")
    assert cron.latest_at_or_before(now, ms("2025-05-30T15:55:00")) is None
    assert cron.latest_at_or_before(now, now) is None
    assert cron.latest_at_or_before(a_year_ago, now) is None


def test_the_latest_slot_of_a_year_of_minutes_is_found_at_once() -> None:
    cron = CronExpression.parse("* * * * *", "Europe/Berlin")
    began = time.perf_counter()
    assert cron.latest_at_or_before(ms("2025-06-01T00:00:30"), ms("2024-06-01T00:00:00")) == ms("2025-06-01T00:00:00")
    # Walking there would take half a million steps: seconds, not milliseconds.
    assert time.perf_counter() - began < 1


def test_slots_between_two_instants_are_counted_up_to_a_limit() -> None:
    cron = CronExpression.parse("* * * * *")
    start = ms("2025-01-01T00:00:00")
    assert cron.count_between(start, start + 600_000) == 10
    assert cron.count_between(start, start + 599_999) == 9
    assert cron.count_between(start, start + 600_000, limit=3) == 3
    assert cron.count_between(start, start + 86_400_000) == 1000
    assert cron.count_between(start, start) == 0


def test_the_end_of_the_calendar_has_no_slots() -> None:
    assert CronExpression.parse("* * * * *", "Pacific/Apia").next_after(ms("9999-12-31T23:59:59")) is None


def test_a_local_time_shows_the_offset_that_holds_then() -> None:
    cron = CronExpression.parse("@daily", "America/New_York")
    assert cron.local(ms("2025-11-02T05:30:00")) == "2025-11-02T01:30:00-04:00"
    assert cron.local(ms("2025-11-02T06:30:00.250")) == "2025-11-02T01:30:00-05:00"


def test_the_time_zone_of_the_machine_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        found = slots("30 2 * * *", "UTC", "2025-03-08T12:00:00", 2)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found == ["2025-03-09T02:30:00+00:00", "2025-03-10T02:30:00+00:00"]


def test_reading_an_expression_does_not_wait_for_the_evaluator() -> None:
    program = (
        "import sys; from rubato.domain.cron import CronExpression; CronExpression.parse('0 9 * * *', 'Europe/Berlin');"
        "sys.exit('croniter' in sys.modules)"
    )
    paths = [path for path in sys.path if path]
    subprocess.run([sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}; {program}"], check=True)


def test_two_walks_through_one_expression_do_not_disturb_each_other() -> None:
    cron = CronExpression.parse("0 0 13 * 5")
    first = [cron.next_after(ms(f"2025-06-{day:02}T00:00:00")) for day in range(1, 28)]
    again = [cron.next_after(ms(f"2025-06-{day:02}T00:00:00")) for day in range(27, 0, -1)]
    assert first == again[::-1]
    assert all(a is not None and b is not None and a <= b for a, b in pairwise(first))
