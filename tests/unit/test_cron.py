"""Cron expressions: what is accepted, what is refused, and what happens when clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

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


REFUSED = {
    "": "has 0 fields",
    "* * * *": "has 4 fields",
    "* * * * * *": "has 6 fields",
    "0 0 0 1 1 * 2030": "has 7 fields",
    "@reboot": "unknown nickname",
    "@every 5m": "unknown nickname",
    "60 * * * *": "minute: 60 is outside 0-59",
    "* 24 * * *": "hour: 24 is outside 0-23",
    "* * 0 * *": "day of month: 0 is outside 1-31",
    "* * * 13 *": "month: 13 is outside 1-12",
    "* * * * 8": "day of week: 8 is outside 0-7",
    "5/15 * * * *": "minute: '5/15' steps from a single number; write 5-59/15",
    "30-10 * * * *": "minute: the range '30-10' runs backwards",
    "* * * * FRI-SUN": "day of week: the range 'FRI-SUN' runs backwards",
    "*/0 * * * *": "minute: '*/0' has no whole step",
    "*/ * * * *": "minute: '*/' has no whole step",
    "1,,2 * * * *": "minute: '' is no number",
    "-5 * * * *": "minute: '-5' is no number",
    "+5 * * * *": "minute: '+5' is no number",
    "R * * * *": "minute: 'R' is no number",
    "H * * * *": "minute: 'H' is no number",
    "* * L * *": "day of month: 'L' is no number",
    "* * 15W * *": "day of month: '15W' is no number",
    "* * * * 5#2": "day of week: '5#2' is no number",
    "* * ? * *": "day of month: '?' is no number",
    "* * * * L5": "day of week: 'L5' is no number",
    "JAN * * * *": "minute: 'JAN' is no number",
    "٣ * * * *": "minute: '٣' is no number",
    "0 0 31 2 *": "day of month: this day never comes",
    "0 0 30 2 *": "day of month: this day never comes",
    "0 0 31 4,6,9,11 *": "day of month: this day never comes",
}


@pytest.mark.parametrize("expression", REFUSED)
def test_a_bad_expression_is_refused_with_the_field_and_the_remedy(expression: str) -> None:
    with pytest.raises(Invalid) as refused:
        CronExpression.parse(expression)
    error = refused.value.errors[0]
    assert error.path == "baseline.cron"
    assert error.message.startswith(REFUSED[expression])


@pytest.mark.parametrize(
    "zone",
    ["EST", "CET", "UTC+2", "GMT+1", "+02:00", "Z", "", "Mars/Base", "Etc/GMT+5", "../../etc/passwd", "Europe/../UTC",
     "europe/berlin", "Europe/Berlin ", "posix/Europe/Berlin", "Europe", "/etc/localtime"],
)  # fmt: skip
def test_a_zone_is_area_and_city_or_utc(zone: str) -> None:
    with pytest.raises(Invalid) as refused:
        CronExpression.parse("* * * * *", zone)
    assert refused.value.errors[0].path == "baseline.timezone"


@pytest.mark.parametrize(
    ("expression", "start", "expected"),
    [
        ("0 * * * *", "2025-01-01T00:00:00", ["2025-01-01T01:00:00+00:00", "2025-01-01T02:00:00+00:00"]),
        ("*/20 * * * *", "2025-01-01T00:00:31", ["2025-01-01T00:20:00+00:00", "2025-01-01T00:40:00+00:00"]),
        ("5-59/15 0 * * *", "2025-01-01T00:20:00", ["2025-01-01T00:35:00+00:00", "2025-01-01T00:50:00+00:00"]),
        ("0 9 * * MON-FRI", "2025-01-03T09:00:00", ["2025-01-06T09:00:00+00:00", "2025-01-07T09:00:00+00:00"]),
        ("0 0 * * 7", "2025-01-01T00:00:00", ["2025-01-05T00:00:00+00:00", "2025-01-12T00:00:00+00:00"]),
        ("0 0 * * 5-7", "2025-01-01T00:00:00", ["2025-01-03T00:00:00+00:00", "2025-01-04T00:00:00+00:00"]),
        ("0 0 29 feb *", "2025-01-01T00:00:00", ["2028-02-29T00:00:00+00:00", "2032-02-29T00:00:00+00:00"]),
        ("@weekly", "2025-01-01T00:00:00", ["2025-01-05T00:00:00+00:00", "2025-01-12T00:00:00+00:00"]),
        ("@YEARLY", "2025-01-01T00:00:00", ["2026-01-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"]),
        # Neither day field begins with a star: one of them is enough.
        ("0 0 13 * 5", "2025-06-01T00:00:00", ["2025-06-06T00:00:00+00:00", "2025-06-13T00:00:00+00:00"]),
        ("0 0 15 * 5", "2025-06-13T00:00:00", ["2025-06-15T00:00:00+00:00", "2025-06-20T00:00:00+00:00"]),
        # One of them begins with a star, be it with a step: both must match.
        ("0 0 */2 * 5", "2025-06-01T00:00:00", ["2025-06-13T00:00:00+00:00", "2025-06-27T00:00:00+00:00"]),
        ("0 0 13 * */5", "2025-06-01T00:00:00", ["2025-06-13T00:00:00+00:00", "2025-07-13T00:00:00+00:00"]),
    ],
)
def test_slots_in_utc(expression: str, start: str, expected: list[str]) -> None:
    assert slots(expression, "UTC", start, len(expected)) == expected


CLOCK_CHANGES = [
    # Berlin, 30 March 2025: 02:00 becomes 03:00.
    ("30 2 * * *", "Europe/Berlin", "2025-03-29T12:00:00", ["2025-03-30T03:00:00+02:00", "2025-03-31T02:30:00+02:00"]),
    ("0,30 2 * * *", "Europe/Berlin", "2025-03-29T12:00:00", ["2025-03-30T03:00:00+02:00", "2025-03-31T02:00:00+02:00"]),
    ("30 * * * *", "Europe/Berlin", "2025-03-30T00:00:00", ["2025-03-30T01:30:00+01:00", "2025-03-30T03:30:00+02:00"]),
    ("*/30 2 * * *", "Europe/Berlin", "2025-03-29T12:00:00", ["2025-03-31T02:00:00+02:00", "2025-03-31T02:30:00+02:00"]),
    # Berlin, 26 October 2025: 03:00 becomes 02:00 again.
    ("30 2 * * *", "Europe/Berlin", "2025-10-25T12:00:00", ["2025-10-26T02:30:00+02:00", "2025-10-27T02:30:00+01:00"]),
    ("30 * * * *", "Europe/Berlin", "2025-10-26T00:00:00", ["2025-10-26T02:30:00+02:00", "2025-10-26T02:30:00+01:00"]),
    ("*/30 2 * * *", "Europe/Berlin", "2025-10-26T00:40:00", ["2025-10-26T02:00:00+01:00", "2025-10-26T02:30:00+01:00"]),
    # A yearly expression in the repeated hour: its second pass is not the next year's.
    ("*/30 2 26 10 *", "Europe/Berlin", "2025-10-26T00:40:00", ["2025-10-26T02:00:00+01:00", "2025-10-26T02:30:00+01:00"]),
    # Lord Howe moves by half an hour.
    ("15 2 * * *", "Australia/Lord_Howe", "2025-10-04T00:00:00", ["2025-10-05T02:30:00+11:00", "2025-10-06T02:15:00+11:00"]),
    ("45 1 * * *", "Australia/Lord_Howe", "2025-04-05T00:00:00", ["2025-04-06T01:45:00+11:00", "2025-04-07T01:45:00+10:30"]),
    # Cairo's gap begins at midnight.
    ("30 0 * * *", "Africa/Cairo", "2025-04-24T12:00:00", ["2025-04-25T01:00:00+03:00", "2025-04-26T00:30:00+03:00"]),
    # Samoa had no 30 December 2011: a gap of a whole day is skipped.
    ("0 12 * * *", "Pacific/Apia", "2011-12-29T12:00:00", ["2011-12-29T12:00:00-10:00", "2011-12-31T12:00:00+14:00"]),
    ("0 * * * *", "Pacific/Apia", "2011-12-30T09:00:00", ["2011-12-31T00:00:00+14:00", "2011-12-31T01:00:00+14:00"]),
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


def test_slots_between_two_instants_are_counted_up_to_a_limit() -> None:
    cron = CronExpression.parse("* * * * *")
    start = ms("2025-01-01T00:00:00")
    assert cron.count_between(start, start + 600_000) == 10
    assert cron.count_between(start, start + 599_999) == 9
    assert cron.count_between(start, start + 600_000, limit=3) == 3


ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/Sao_Paulo", "America/St_Johns", "Asia/Tehran",
     "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo", "Africa/Casablanca", "Asia/Beirut",
     "America/Havana", "Antarctica/Troll", "Pacific/Chatham"]
)  # fmt: skip


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    ranges = st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}")
    wide = st.integers(low, high - 1).flatmap(
        lambda first: st.integers(first + 1, high).map(lambda last: f"{first}-{last}")
    )
    return st.one_of(
        st.just("*"),
        number.map(str),
        ranges,
        # NOTE: cronsim takes 3-3/2 for 3-59/2, so stepped ranges have two different ends here.
        st.tuples(wide, st.integers(1, 20)).map(lambda pair: f"{pair[0]}/{pair[1]}"),
        st.integers(1, 20).map(lambda step: f"*/{step}"),
        st.lists(number, min_size=2, max_size=4).map(lambda numbers: ",".join(map(str, numbers))),
    )


EXPRESSIONS = st.tuples(
    _field(0, 59),
    _field(0, 23),
    st.sampled_from(["*", "*", "*/2", "1-15"]),
    st.just("*"),
    st.sampled_from(["*", "1-5"]),
).map(" ".join)
INSTANTS = st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1))  # noqa: DTZ001


def near_changes(zone: str, around: datetime) -> int:
    """The clock change that follows `around`, or `around` itself where there is none within a year; in seconds."""
    tz, second = ZoneInfo(zone), int(around.replace(tzinfo=UTC).timestamp())
    before = datetime.fromtimestamp(second, tz).utcoffset()
    for hour in range(0, 366 * 24, 6):
        if datetime.fromtimestamp(second + hour * 3600, tz).utcoffset() != before:
            return second + hour * 3600
    return second


def matches(text: str, value: int, low: int, high: int) -> bool:
    for item in text.split(","):
        base, _, step = item.partition("/")
        first, last = (low, high) if base == "*" else tuple(map(int, (base.split("-") * 2)[:2]))
        if first <= value <= last and (value - first) % int(step or 1) == 0:
            return True
    return False


def wall_matches(expression: str, wall: datetime) -> bool:
    minute, hour, day, month, weekday = expression.split()
    days = matches(day, wall.day, 1, 31), matches(weekday, wall.isoweekday() % 7, 0, 7)
    either = not day.startswith("*") and not weekday.startswith("*")
    return (
        matches(minute, wall.minute, 0, 59)
        and matches(hour, wall.hour, 0, 23)
        and matches(month, wall.month, 1, 12)
        and (any(days) if either else all(days))
    )


def brute_force(expression: str, zone: str, start: int, minutes: int) -> list[int]:
    """Minute by minute through real time, by the letter of the semantics. Seconds."""
    tz = ZoneInfo(zone)
    fixed = not expression.startswith("*") and not expression.split()[1].startswith("*")
    found = []
    first = start - start % 60 + 60
    previous = datetime.fromtimestamp(first - 60, tz)
    for second in range(first, first + minutes * 60, 60):
        local = datetime.fromtimestamp(second, tz)
        wall = local.replace(tzinfo=None, fold=0)
        skipped = wall - previous.replace(tzinfo=None, fold=0) - timedelta(minutes=1)
        hit = wall_matches(expression, wall) and not (fixed and local.fold)
        if fixed and timedelta(0) < skipped < timedelta(days=1):
            gap = int(skipped.total_seconds()) // 60
            hit = hit or any(wall_matches(expression, wall - timedelta(minutes=back)) for back in range(1, gap + 1))
        if hit:
            found.append(second)
        previous = local
    return found


@settings(max_examples=60, deadline=None)
@given(EXPRESSIONS, ZONES, INSTANTS, st.integers(0, 36 * 60))
def test_slots_around_clock_changes_agree_with_brute_force(
    expression: str, zone: str, around: datetime, minutes_before: int
) -> None:
    start = near_changes(zone, around) - minutes_before * 60
    cron = CronExpression.parse(expression, zone)
    expected = brute_force(expression, zone, start, 40 * 60)
    found, at = [], start * 1000
    while (following := cron.next_after(at)) is not None and following <= (start - start % 60 + 40 * 3600) * 1000:
        found.append(following // 1000)
        at = following
    assert found == expected


@settings(max_examples=200, deadline=None)
@given(EXPRESSIONS, INSTANTS)
def test_slots_in_utc_agree_with_cronsim(expression: str, start: datetime) -> None:
    minute, hour, day, month, weekday = expression.split()
    both_restricted = day != "*" and weekday != "*"
    if both_restricted and (day.startswith("*") or weekday.startswith("*")):
        weekday = "*"
    text = " ".join((minute, hour, day, month, weekday))
    peer = CronSim(text, start.replace(tzinfo=UTC, microsecond=0))
    cron, at = CronExpression.parse(text), int(start.replace(tzinfo=UTC, microsecond=0).timestamp()) * 1000
    for _ in range(5):
        following = cron.next_after(at)
        assert following is not None and following == int(next(peer).timestamp()) * 1000
        at = following
