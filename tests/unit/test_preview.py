"""Previews of schedules through the HTTP door."""

from typing import Any

import pytest

from rubato.domain.cron import CronExpression
from rubato.domain.endpoint import Clamp
from rubato.domain.instant import DAY, MINUTE, SECOND, to_iso
from rubato.domain.schedule import CronBaseline, IntervalBaseline, spell_baseline
from tests.unit.clients import Client
from tests.worlds import MemoryWorld, Stage, an_endpoint


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def client(world: MemoryWorld) -> Client:
    return Client(world)


def preview(client: Client, **body: Any) -> list[str]:
    answer = client("POST", "/schedules/preview", body)
    assert answer.status == 200, answer.body
    return [each["at"] for each in answer.body["items"]]


def test_a_preview_shows_ten_runs_from_now_and_stores_nothing(world: MemoryWorld, client: Client) -> None:
    found = preview(client, baseline={"intervalMs": 90_000})
    assert len(found) == 10 and found[:2] == ["2025-01-01T00:01:30.000Z", "2025-01-01T00:03:00.000Z"]
    assert client("GET", "/jobs").body["items"] == [] and world.queue.waiting == [] and world.trail.events == []


def test_a_preview_crosses_daylight_saving_by_the_clock_of_its_zone(client: Client) -> None:
    body = {
        "baseline": {"cron": "30 2 * * *", "timezone": "Europe/Berlin"},
        "from": "2025-03-28T12:00:00Z",
        "count": 3,
    }
    answer = client("POST", "/schedules/preview", body).body
    assert answer == {
        "timezone": "Europe/Berlin",
        "items": [
            {"at": "2025-03-29T01:30:00.000Z", "local": "2025-03-29T02:30:00+01:00"},
            {"at": "2025-03-30T01:00:00.000Z", "local": "2025-03-30T03:00:00+02:00"},
            {"at": "2025-03-31T00:30:00.000Z", "local": "2025-03-31T02:30:00+02:00"},
        ],
    }


@pytest.mark.parametrize(
    ("baseline", "clamp", "seconds"),
    [
        ({"intervalMs": 10_000}, {"minIntervalMs": 60_000}, [60, 120, 180]),
        ({"intervalMs": 25_000}, {"minIntervalMs": 30_000}, [30, 60, 90]),
        ({"intervalMs": 300_000}, {"maxIntervalMs": 120_000}, [120, 240, 300]),
        ({"cron": "* * * * *"}, {"minIntervalMs": 90_000}, [120, 240, 360]),
        ({"cron": "0 2 * * *"}, {"maxIntervalMs": 3_600_000}, [3600, 7200, 10_800]),
        ({"intervalMs": 1500}, {}, [1.5, 3, 4.5]),
    ],
)
def test_a_preview_obeys_the_clamp(
    client: Client, baseline: dict[str, Any], clamp: dict[str, int], seconds: list[float]
) -> None:
    body = {"baseline": baseline, "clamp": clamp, "from": "2025-01-01T00:00:00Z", "count": 3}
    expected = [f"2025-01-01T{int(s // 3600):02}:{int(s // 60 % 60):02}:{s % 60:06.3f}Z" for s in seconds]
    assert preview(client, **body) == expected


@pytest.mark.parametrize(
    ("baseline", "clamp"),
    [
        (IntervalBaseline(45 * SECOND), {}),
        (IntervalBaseline(45 * SECOND), {"minIntervalMs": 60_000}),
        (IntervalBaseline(5 * MINUTE), {"maxIntervalMs": 70_000}),
        (CronBaseline(CronExpression.parse("*/3 * * * *")), {"maxIntervalMs": 100_000}),
    ],
)
def test_what_a_preview_shows_is_what_runs(
    world: MemoryWorld, client: Client, baseline: Any, clamp: dict[str, int]
) -> None:
    bounds = Clamp(min_interval_ms=clamp.get("minIntervalMs"), max_interval_ms=clamp.get("maxIntervalMs"))
    endpoint = an_endpoint(world, baseline, clamp=bounds)
    first = endpoint.state.next
    assert first is not None
    Stage(world).play(first.due + 30 * MINUTE)
    called = [to_iso(at) for at, _ in world.outbound.calls]
    spelled = spell_baseline(endpoint.config.baseline)
    assert called[1:] == preview(client, baseline=spelled, clamp=clamp, count=len(called) - 1, **{"from": called[0]})


@pytest.mark.parametrize("baseline", [{"manual": True}, {"after": ["probe"]}], ids=str)
def test_a_baseline_without_times_previews_nothing(client: Client, baseline: dict[str, Any]) -> None:
    answer = client("POST", "/schedules/preview", {"baseline": baseline}).body
    assert answer == {"timezone": "UTC", "items": []}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"baseline": {"intervalMs": 999}}, "baseline.intervalMs"),
        ({"baseline": {"cron": "0 0 31 2 *"}}, "baseline.cron"),
        ({"baseline": {"cron": "* * * * *", "timezone": "+02:00"}}, "baseline.timezone"),
        ({"baseline": {}}, "baseline"),
        ({"clamp": {"minIntervalMs": 2000, "maxIntervalMs": 1000}}, "clamp.minIntervalMs"),
        ({"count": 0}, "count"),
        ({"count": 101}, "count"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2025-01-01T00:00:00"}, "from"),
        ({"from": "9999-12-31T00:00:00Z"}, "from"),
        ({"from": "0001-01-01T00:00:00+01:00"}, "from"),
        ({"until": "2025-01-01T00:00:00Z"}, "until"),
    ],
)
def test_a_bad_preview_is_refused_with_the_field_named(client: Client, changes: dict[str, Any], path: str) -> None:
    answer = client("POST", "/schedules/preview", {"baseline": {"intervalMs": 60_000}, **changes})
    assert (answer.status, answer.paths()) == (422, [path])


def test_a_preview_reaches_as_far_as_a_hundred_years(client: Client) -> None:
    found = preview(client, baseline={"intervalMs": 366 * DAY}, count=100, **{"from": "8999-12-31T00:00:00Z"})
    assert len(found) == 100
