"""Cron against a slow oracle that walks through real time minute by minute, against cronsim, and against its own laws.

The oracle shares nothing with the product: it has its own matching, looks only at what a wall clock shows each minute,
and takes the daylight-saving rule by the letter.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rubato.domain.cron import CronExpression

MINUTE_MS = 60_000
DAY_MINUTES = 24 * 60
BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


@cache
def all_zones() -> list[str]:
    """Every Area/City zone of the tzdata package, but for the fixed offsets."""
    names = resources.files("tzdata").joinpath("zones").read_text().split()
    return sorted(name for name in names if "/" in name and not name.startswith("Etc/"))


ODD_ZONES = [
    "Europe/Berlin", "Europe/London", "Europe/Moscow", "America/New_York", "America/Sao_Paulo", "America/St_Johns",
    "America/Havana", "America/Caracas", "Asia/Tehran", "Asia/Kathmandu", "Asia/Beirut", "Asia/Pyongyang", "Africa/Cairo",
    "Africa/Casablanca", "Australia/Lord_Howe", "Antarctica/Troll", "Antarctica/Casey", "Pacific/Apia", "Pacific/Chatham",
    "Pacific/Kwajalein", "UTC",
]  # fmt: skip
ZONES = st.one_of(st.sampled_from(ODD_ZONES), st.deferred(lambda: st.sampled_from(all_zones())))


def spelled(low: int, high: int) -> st.SearchStrategy[str]:
    """One field as a user may write it: items of every kind, alone or in a list."""
    number = st.integers(low, high)
    ends = st.tuples(number, number).filter(lambda pair: pair[0] < pair[1])
    span = ends.map(lambda pair: f"{pair[0]}-{pair[1]}")
    step = st.integers(1, high)
    item = st.one_of(
        number.map(str),
        span,
        st.just(f"{low}-{high}"),
        st.tuples(span, step).map(lambda pair: f"{pair[0]}/{pair[1]}"),
        step.map(lambda every: f"*/{every}"),
    )
    return st.one_of(st.just("*"), item, st.lists(item, min_size=2, max_size=3).map(",".join))


def often(value: str, otherwise: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Days and months are mostly open, or hardly any slot would fall near a clock change."""
    return st.one_of(st.just(value), st.just(value), otherwise)


EXPRESSIONS = st.tuples(
    spelled(*BOUNDS[0]),
    spelled(*BOUNDS[1]),
    often("*", spelled(*BOUNDS[2])),
    often("*", spelled(*BOUNDS[3])),
    often("*", spelled(*BOUNDS[4])),
).map(" ".join)
MOMENTS = st.datetimes(datetime(1973, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def numbers(text: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for item in text.split(","):
        base, _, step = item.partition("/")
        ends = f"{low}-{high}" if base == "*" else base
        first, last = int(ends.split("-")[0]), int(ends.split("-")[-1])
        found |= {number for number in range(first, last + 1) if (number - first) % int(step or 1) == 0}
    return found


def matcher(expression: str) -> Callable[[datetime], bool]:
    texts = expression.split()
    minutes, hours, days, months, weekdays = (
        numbers(text, *bounds) for text, bounds in zip(texts, BOUNDS, strict=True)
    )
    both = texts[2][0] == "*" or texts[4][0] == "*"

    def matches(wall: datetime) -> bool:
        if wall.minute not in minutes or wall.hour not in hours or wall.month not in months:
            return False
        # Sunday is 7 to isoweekday, and 0 or 7 to cron.
        on_day, on_weekday = wall.day in days, bool({wall.isoweekday(), wall.isoweekday() % 7} & weekdays)
        return (on_day and on_weekday) if both else (on_day or on_weekday)

    return matches


def shown(minute: int, tz: ZoneInfo) -> datetime:
    """What a wall clock of the zone shows, without any hint which of two times it is."""
    return datetime.fromtimestamp(minute * 60, tz).replace(tzinfo=None, fold=0)


def oracle(expression: str, zone: str, first: int, last: int) -> list[int]:
    """The slots from `first` to `last`, all in minutes since the epoch."""
    matches, tz = matcher(expression), ZoneInfo(zone)
    fixed = expression[0] != "*" and expression.split()[1][0] != "*"
    # What has been shown within the day before is known too, or its second showing would look like the first.
    before = shown(first - DAY_MINUTES, tz)
    seen, found = {before}, []
    for minute in range(first - DAY_MINUTES + 1, last + 1):
        wall = shown(minute, tz)
        hit = matches(wall)
        if fixed:
            gone = (wall - before) // timedelta(minutes=1) - 1
            missing = gone if 0 < gone < DAY_MINUTES else 0
            hit = (hit and wall not in seen) or any(
                matches(wall - timedelta(minutes=back)) for back in range(1, missing + 1)
            )
            seen.add(wall)
        if hit and minute >= first:
            found.append(minute)
        before = wall
    return found


def clock_change_after(zone: str, moment: datetime) -> int:
    """The next clock change within two years, to the minute; the moment itself where there is none."""
    tz, start = ZoneInfo(zone), int(moment.timestamp()) // 60

    def offset(minute: int) -> timedelta | None:
        return datetime.fromtimestamp(minute * 60, tz).utcoffset()

    for low in range(start, start + 2 * 366 * DAY_MINUTES, DAY_MINUTES):
        if offset(low + DAY_MINUTES) != offset(low):
            window = range(low + 1, low + DAY_MINUTES + 1)
            return window[bisect_right(window, False, key=lambda minute: offset(minute) != offset(low))]
    return start


def walk(cron: CronExpression, after_ms: int) -> Iterator[int]:
    at: int | None = after_ms
    while at is not None and (at := cron.next_after(at)) is not None:
        yield at


def can_fire(expression: str) -> bool:
    """Whether any day of a leap year lies in the expression's months (the oracle's own view of "never fires")."""
    _, _, day, month, weekday = expression.split()
    months, days = numbers(month, 1, 12), numbers(day, 1, 31)
    if day[0] != "*" and weekday[0] != "*":
        return True
    year = (datetime(2024, 1, 1) + timedelta(days=offset) for offset in range(366))  # noqa: DTZ001
    return any(date.month in months and date.day in days for date in year)


FIRING = EXPRESSIONS.filter(can_fire)


@settings(max_examples=120, deadline=None)
@given(FIRING, ZONES, MOMENTS, st.integers(-60, 36 * 60))
@example("30 2 * * *", "Europe/Berlin", datetime(2025, 9, 1, tzinfo=UTC), 600)
@example("0-59 0-23 * * *", "Pacific/Apia", datetime(2011, 12, 1, tzinfo=UTC), 600)
@example("59 23 1-31 * 5", "Pacific/Kwajalein", datetime(1993, 8, 1, tzinfo=UTC), 1200)
def test_slots_around_clock_changes_are_the_oracles(expression: str, zone: str, moment: datetime, before: int) -> None:
    start = clock_change_after(zone, moment) - before
    last = start + 40 * 60
    found: list[int] = []
    for slot in walk(CronExpression.parse(expression, zone), start * MINUTE_MS):
        if slot > last * MINUTE_MS:
            break
        assert slot % MINUTE_MS == 0
        found.append(slot // MINUTE_MS)
    assert found == oracle(expression, zone, start + 1, last)


@settings(max_examples=10, deadline=None)
@given(FIRING, ZONES, st.integers(1973, 2059))
def test_slots_of_a_whole_month_are_the_oracles(expression: str, zone: str, year: int) -> None:
    start = int(datetime(year, 3, 1, tzinfo=UTC).timestamp()) // 60
    last = start + 35 * DAY_MINUTES
    cron = CronExpression.parse(expression, zone)
    expected = oracle(expression, zone, start + 1, last)
    assert [slot // MINUTE_MS for slot in islice(walk(cron, start * MINUTE_MS), min(len(expected), 500))] == expected[
        :500
    ]
    assert cron.count_between(start * MINUTE_MS, last * MINUTE_MS, limit=2000) == min(len(expected), 2000)
    latest = cron.latest_at_or_before(last * MINUTE_MS, start * MINUTE_MS)
    assert latest == (expected[-1] * MINUTE_MS if expected else None)


@settings(max_examples=150, deadline=None)
@given(FIRING, ZONES, MOMENTS, st.integers(0, MINUTE_MS - 1))
def test_the_next_slot_is_strictly_after_and_the_first(
    expression: str, zone: str, moment: datetime, extra_ms: int
) -> None:
    cron, at = CronExpression.parse(expression, zone), int(moment.timestamp()) * 1000 + extra_ms
    slot = cron.next_after(at)
    assert slot is not None and slot > at
    assert cron.next_after(slot - 1) == slot
    assert cron.next_after((at + slot) // 2) == slot
    assert cron.count_between(at, slot) == 1 and cron.count_between(at, slot - 1) == 0
    assert cron.latest_at_or_before(slot, at) == slot and cron.latest_at_or_before(slot - 1, at) is None
    assert datetime.fromisoformat(cron.local(slot)).timestamp() * 1000 == slot


@settings(max_examples=100, deadline=None)
@given(FIRING, ZONES, MOMENTS, st.integers(0, 3 * DAY_MINUTES * MINUTE_MS))
def test_a_later_instant_has_no_earlier_slot(expression: str, zone: str, moment: datetime, later_ms: int) -> None:
    cron, at = CronExpression.parse(expression, zone), int(moment.timestamp()) * 1000
    earlier, later = cron.next_after(at), cron.next_after(at + later_ms)
    assert earlier is not None and later is not None and earlier <= later


@settings(max_examples=100, deadline=None)
@given(FIRING, ZONES, MOMENTS, st.integers(0, 30 * DAY_MINUTES))
def test_counts_and_latest_slots_agree_with_a_walk(expression: str, zone: str, moment: datetime, minutes: int) -> None:
    cron, after = CronExpression.parse(expression, zone), int(moment.timestamp()) * 1000
    until = after + minutes * MINUTE_MS
    walked = [slot for slot in islice(walk(cron, after), 50) if slot <= until]
    assert cron.count_between(after, until, limit=50) == len(walked)
    if len(walked) < 50:
        assert cron.latest_at_or_before(until, after) == (walked[-1] if walked else None)


# cronsim takes 3-3/2 for 3-59/2 and refuses 0-7 with a step past its end, so its fields are plainer.
PEER_FIELDS = st.tuples(
    st.sampled_from(["0", "*/7", "5-59/15", "1,2,3", "0-59", "30-40"]),
    st.sampled_from(["4-22", "5", "6-20/3", "9,17", "12"]),
    st.sampled_from(["*", "*/2", "1-31", "13", "1,15", "29-31"]),
    st.sampled_from(["*", "2", "JAN-JUN", "*/3", "4,10"]),
    st.sampled_from(["*", "*/2", "MON-FRI", "0-6", "7", "5-7"]),
).map(" ".join)


@settings(max_examples=100, deadline=None)
@given(
    PEER_FIELDS,
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]),
    MOMENTS,
)
def test_slots_outside_odd_hours_are_cronsims(expression: str, zone: str, moment: datetime) -> None:
    peer = CronSim(expression, moment.replace(microsecond=0).astimezone(ZoneInfo(zone)))
    cron = CronExpression.parse(expression, zone)
    found = list(islice(walk(cron, int(moment.timestamp()) * 1000), 10))
    assert found == [int(slot.timestamp()) * 1000 for slot in islice(peer, 10)]
