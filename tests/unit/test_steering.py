"""Hints, pauses and resets through the public API, under a virtual clock: what the target sees, and why."""

from dataclasses import replace
from typing import Any

import pytest

from rubato.domain.exchange import Reply
from tests.unit.clients import Client
from tests.worlds import ANNE, MIDNIGHT, MemoryWorld, Stage


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def client(world: MemoryWorld) -> Client:
    return Client(world)


def endpoint(client: Client, interval_s: float | None = 3600, **config: Any) -> str:
    job = client("POST", "/jobs", {"name": "shop"}).body["jobId"]
    baseline = {"intervalMs": round(interval_s * 1000)} if interval_s else {"manual": True}
    body = {"name": "probe", "request": {"url": "http://127.0.0.1/x"}, "baseline": baseline, **config}
    return str(client("POST", f"/jobs/{job}/endpoints", body).body["endpointId"])


def steer(client: Client, endpoint_id: str, what: str, **body: Any) -> Any:
    answer = client("POST", f"/endpoints/{endpoint_id}/{what}", body)
    assert answer.status in (200, 201), answer.body
    return answer.body


def sources(client: Client, endpoint_id: str) -> list[str]:
    runs = client("GET", "/runs", query={"endpointId": endpoint_id, "limit": "200"}).body["items"]
    return [run["source"] for run in reversed(runs)]


def test_a_hint_tightens_the_interval_at_once_and_expires_by_itself(world: MemoryWorld, client: Client) -> None:
    probe, stage = endpoint(client), Stage(world)
    stage.play_seconds(70)
    applied = steer(client, probe, "hints/interval", intervalMs=30_000, ttlMinutes=2, reason="sale")
    assert (applied["source"], applied["nextRunAt"]) == ("ai-interval", "2025-01-01T00:01:10.000Z")
    assert applied["hint"]["expiresAt"] == "2025-01-01T00:03:10.000Z"
    stage.play_seconds(3790)
    # 00:03:10 is the expiry, to the millisecond: that slot does not run. The baseline counts on from the last slot.
    assert world.outbound.seconds() == [70, 100, 130, 160, 3760]
    assert sources(client, probe) == ["ai-interval"] * 4 + ["baseline-interval"]


def test_a_hint_may_slow_an_endpoint_down(world: MemoryWorld, client: Client) -> None:
    probe, stage = endpoint(client, 15), Stage(world)
    steer(client, probe, "hints/interval", intervalMs=30_000, ttlMinutes=2)
    stage.play_seconds(136)
    # The slot at the expiry, 00:02:00, is the baseline's no more than the hint's: it lies not after that moment.
    assert world.outbound.seconds() == [30, 60, 90, 135]


def test_a_list_of_endpoints_shows_their_hints_too(world: MemoryWorld, client: Client) -> None:
    probe = endpoint(client)
    steer(client, probe, "hints/interval", intervalMs=60_000)
    shown = client("GET", f"/endpoints/{probe}").body
    assert client("GET", f"/jobs/{shown['jobId']}/endpoints").body["items"] == [shown]
    assert shown["hints"]


def test_the_tightest_of_several_hints_rules_and_authors_replace_their_own(world: MemoryWorld, client: Client) -> None:
    probe = endpoint(client)
    steer(client, probe, "hints/interval", intervalMs=60_000)
    steer(client, probe, "hints/interval", intervalMs=90_000)
    shown = client("GET", f"/endpoints/{probe}").body
    assert [hint["intervalMs"] for hint in shown["hints"]] == [90_000]
    assert shown["nextRunAt"] == "2025-01-01T00:01:30.000Z"


def test_a_one_shot_runs_once_at_its_time_beside_the_rhythm(world: MemoryWorld, client: Client) -> None:
    probe, stage = endpoint(client, 300), Stage(world)
    applied = steer(client, probe, "hints/one-shot", runInMs=120_000, reason="look now")
    assert (applied["source"], applied["nextRunAt"]) == ("ai-oneshot", "2025-01-01T00:02:00.000Z")
    stage.play_seconds(601)
    assert world.outbound.seconds() == [120, 300, 600]
    assert sources(client, probe) == ["ai-oneshot", "baseline-interval", "baseline-interval"]
    assert client("GET", f"/endpoints/{probe}").body["hints"] == []


def test_a_one_shot_does_not_move_the_grid_of_a_hint(world: MemoryWorld, client: Client) -> None:
    probe, stage = endpoint(client, 300), Stage(world)
    steer(client, probe, "hints/interval", intervalMs=120_000)
    steer(client, probe, "hints/one-shot", runAt="2025-01-01T00:01:30Z")
    stage.play_seconds(241)
    assert world.outbound.seconds() == [90, 120, 240]


def test_a_one_shot_wakes_a_dormant_endpoint_once(world: MemoryWorld, client: Client) -> None:
    probe, stage = endpoint(client, None), Stage(world)
    steer(client, probe, "hints/one-shot", runInMs=0)
    stage.play_seconds(4000)
    assert world.outbound.seconds() == [0]
    assert client("GET", f"/endpoints/{probe}").body["state"] == "dormant"


def test_a_one_shot_that_could_not_fire_in_time_is_recorded(world: MemoryWorld, client: Client) -> None:
    probe, stage = endpoint(client, 3600), Stage(world)
    steer(client, probe, "hints/one-shot", runInMs=60_000, ttlMinutes=1)
    steer(client, probe, "pause", pauseUntil="2025-01-01T00:10:00Z")
    stage.play_seconds(700)
    assert world.outbound.calls == []
    events = world.trail.of_subject(probe, 10, None).items
    assert [event.action for event in events].count("expireOneShotRun") == 1
    assert client("GET", f"/endpoints/{probe}").body["hints"] == []


def test_a_new_hint_does_not_hide_that_an_older_one_shot_never_fired(world: MemoryWorld, client: Client) -> None:
    probe = endpoint(client, 3600)
    steer(client, probe, "pause", pauseUntil="indefinite")
    steer(client, probe, "hints/one-shot", runInMs=0, ttlMinutes=1)
    world.clock.instant += 61_000
    steer(client, probe, "hints/one-shot", runInMs=60_000)
    assert [event.action for event in world.trail.events].count("expireOneShotRun") == 1


def test_clearing_hints_falls_back_to_the_baseline_at_once(world: MemoryWorld, client: Client) -> None:
    probe, stage = endpoint(client, 60), Stage(world)
    steer(client, probe, "hints/interval", intervalMs=3_600_000)
    stage.play_seconds(70)
    cleared = client("DELETE", f"/endpoints/{probe}/hints", query={"reason": "calm again"}).body
    assert cleared == {"clearedCount": 1, "nextRunAt": "2025-01-01T00:02:00.000Z"}
    stage.play_seconds(121)
    assert world.outbound.seconds() == [120]


def test_a_pause_holds_and_a_resume_runs_the_missed_slot_once(world: MemoryWorld, client: Client) -> None:
    probe, stage = endpoint(client, 60), Stage(world)
    stage.play_seconds(30)
    paused = steer(client, probe, "pause", pauseUntil="2025-01-02T00:00:30Z", reason="maintenance")
    assert paused == {"pausedUntil": "2025-01-02T00:00:30.000Z", "nextRunAt": "2025-01-02T00:00:30.000Z"}
    shown = client("GET", f"/endpoints/{probe}").body
    assert (shown["state"], shown["source"]) == ("paused", "paused") and "maintenance" in shown["whyNotRunning"]
    stage.play_seconds(320)
    resumed = steer(client, probe, "pause", pauseUntil=None)
    assert resumed == {"pausedUntil": None, "nextRunAt": "2025-01-01T00:05:20.000Z"}
    stage.play_seconds(361)
    assert world.outbound.seconds() == [320, 360]


def test_a_timed_pause_ends_to_the_millisecond_without_a_tick(world: MemoryWorld, client: Client) -> None:
    probe, stage = endpoint(client, 10), Stage(world, ticking=False)
    steer(client, probe, "pause", pauseUntil="2025-01-01T00:00:47.300Z")
    stage.play_seconds(51)
    assert world.outbound.seconds() == [47.3, 50]


def test_a_long_pause_is_ended_by_the_tick_on_time(world: MemoryWorld, client: Client) -> None:
    probe, stage = endpoint(client, 3600), Stage(world)
    steer(client, probe, "pause", pauseUntil="2025-01-01T02:00:07Z")
    stage.play_seconds(3 * 3600 + 1)
    assert world.outbound.seconds() == [7207, 10800]


def test_paused_indefinitely_means_no_run_until_somebody_resumes(world: MemoryWorld, client: Client) -> None:
    probe, stage = endpoint(client, 10), Stage(world)
    assert steer(client, probe, "pause", pauseUntil="indefinite")["pausedUntil"] == "indefinite"
    steer(client, probe, "hints/interval", intervalMs=1000)
    steer(client, probe, "hints/one-shot", runInMs=5000)
    stage.play_seconds(3600)
    assert world.outbound.calls == []


def test_resetting_failures_ends_the_backoff(world: MemoryWorld, client: Client) -> None:
    world.outbound.answer = lambda _call: Reply(duration_ms=1, status_code=500)
    probe, stage = endpoint(client, 60), Stage(world)
    stage.play_seconds(181)
    assert client("GET", f"/endpoints/{probe}").body["nextRunAt"] == "2025-01-01T00:07:00.000Z"
    reset = steer(client, probe, "reset-failures")
    assert reset == {"failureCount": 0, "nextRunAt": "2025-01-01T00:04:00.000Z"}


def test_a_hint_written_while_a_run_is_in_flight_shapes_what_comes_next(world: MemoryWorld, client: Client) -> None:
    probe, stage = endpoint(client, 60), Stage(world)

    def answer(_call: Any) -> Reply:
        steer(client, probe, "hints/interval", intervalMs=10_000)
        return Reply(duration_ms=1, status_code=200)

    world.outbound.answer = answer
    stage.play_seconds(85)
    assert world.outbound.seconds() == [60, 70, 80]


@pytest.mark.parametrize(
    ("what", "body", "path"),
    [
        ("hints/interval", {"intervalMs": 999}, "intervalMs"),
        ("hints/interval", {"intervalMs": 4000}, "intervalMs"),
        ("hints/interval", {"intervalMs": 901_000}, "intervalMs"),
        ("hints/interval", {}, "intervalMs"),
        ("hints/interval", {"intervalMs": 10_000, "ttlMinutes": 0}, "ttlMinutes"),
        ("hints/interval", {"intervalMs": 10_000, "ttlMinutes": 10_081}, "ttlMinutes"),
        ("hints/interval", {"intervalMs": 10_000, "ttlMinutes": 1.5}, "ttlMinutes"),
        ("hints/one-shot", {}, ""),
        ("hints/one-shot", {"runAt": "2025-01-01T01:00:00Z", "runInMs": 5}, ""),
        ("hints/one-shot", {"runAt": "2024-12-31T23:59:59.999Z"}, "runAt"),
        ("hints/one-shot", {"runAt": "soon"}, "runAt"),
        ("hints/one-shot", {"runInMs": -1}, "runInMs"),
        ("pause", {}, "pauseUntil"),
        ("pause", {"pauseUntil": "2025-01-01T00:00:00Z"}, "pauseUntil"),
        ("pause", {"pauseUntil": "forever"}, "pauseUntil"),
        ("pause", {"pauseUntil": "indefinite", "why": "x"}, "why"),
    ],
)
def test_a_bad_hint_or_pause_is_refused_and_changes_nothing(client: Client, what: str, body: Any, path: str) -> None:
    probe = endpoint(client, 60, clamp={"minIntervalMs": 5000, "maxIntervalMs": 900_000})
    before = client("GET", f"/endpoints/{probe}").body
    answer = client("POST", f"/endpoints/{probe}/{what}", body or None)
    if not body:
        answer = client("POST", f"/endpoints/{probe}/{what}", {})
    assert (answer.status, answer.paths()) == (422, [path])
    assert client("GET", f"/endpoints/{probe}").body == before


def test_an_eleventh_live_hint_is_refused(world: MemoryWorld, client: Client) -> None:
    probe = endpoint(client, 60)
    for number in range(10):
        author = Client(world, replace(ANNE, key_id=f"key_{number}"))
        steer(author, probe, "hints/interval", intervalMs=30_000)
    assert client("POST", f"/endpoints/{probe}/hints/interval", {"intervalMs": 30_000}).status == 422
    world.clock.instant = MIDNIGHT + 61 * 60_000
    assert client("POST", f"/endpoints/{probe}/hints/interval", {"intervalMs": 30_000}).status == 201


def test_every_steering_leaves_a_trace_with_its_reason(world: MemoryWorld, client: Client) -> None:
    probe = endpoint(client, 60)
    steer(client, probe, "hints/interval", intervalMs=30_000, reason="a")
    steer(client, probe, "hints/one-shot", runInMs=5000, reason="b")
    steer(client, probe, "pause", pauseUntil="indefinite", reason="c")
    steer(client, probe, "pause", pauseUntil=None, reason="d")
    steer(client, probe, "reset-failures", reason="e")
    client("DELETE", f"/endpoints/{probe}/hints", {"reason": "f"})
    told = [(event.action, event.reason) for event in world.trail.events if event.subject == probe]
    assert told == [
        ("addEndpointToJob", None),
        ("applyIntervalHint", "a"),
        ("scheduleOneShotRun", "b"),
        ("pauseOrResumeEndpoint", "c"),
        ("pauseOrResumeEndpoint", "d"),
        ("resetFailureCount", "e"),
        ("clearAdaptiveHints", "f"),
    ]


def test_a_resume_keeps_the_min_clamp(world: MemoryWorld, client: Client) -> None:
    probe, stage = endpoint(client, 10, clamp={"minIntervalMs": 60_000}), Stage(world)
    stage.play_seconds(15)
    steer(client, probe, "pause", pauseUntil="indefinite")
    stage.play_seconds(30)
    steer(client, probe, "pause", pauseUntil=None)
    stage.play_seconds(80)
    assert world.outbound.seconds() == [10, 70]


def test_a_one_shot_that_waited_behind_a_pause_fires_once(world: MemoryWorld, client: Client) -> None:
    probe, stage = endpoint(client, 3600), Stage(world)
    steer(client, probe, "hints/one-shot", runInMs=60_000)
    world.queue.waiting.clear()
    stage.ticking = False
    stage.play_seconds(61)
    steer(client, probe, "pause", pauseUntil="indefinite")
    stage.play_seconds(70)
    steer(client, probe, "pause", pauseUntil=None)
    stage.play_seconds(300)
    assert world.outbound.seconds() == [70]
    assert sources(client, probe) == ["ai-oneshot"]


def test_a_pause_that_ended_while_the_job_was_held_ends_with_the_job(world: MemoryWorld, client: Client) -> None:
    probe, stage = endpoint(client, 3600), Stage(world)
    job = client("GET", f"/endpoints/{probe}").body["jobId"]
    steer(client, probe, "pause", pauseUntil="2025-01-01T00:20:00Z")
    client("PATCH", f"/jobs/{job}", {"status": "paused"})
    stage.play_seconds(5400)
    client("PATCH", f"/jobs/{job}", {"status": "active"})
    stage.play_seconds(7300)
    assert world.outbound.seconds() == [5400, 7200]


def test_slots_that_pass_while_a_run_ends_in_a_pause_are_counted(world: MemoryWorld, client: Client) -> None:
    probe, stage = endpoint(client, 60, timeoutMs=120_000), Stage(world)

    def answer(_call: Any) -> Reply:
        steer(client, probe, "pause", pauseUntil="indefinite")
        return Reply(duration_ms=1, status_code=200)

    world.outbound.answer, world.outbound.takes_ms = answer, 90_000
    stage.play_seconds(100)
    assert client("GET", f"/endpoints/{probe}").body["skippedCount"] == 1


def test_a_new_baseline_whose_first_slot_is_the_claimed_one_keeps_it(world: MemoryWorld, client: Client) -> None:
    job = client("POST", "/jobs", {"name": "shop"}).body["jobId"]
    body = {"name": "probe", "request": {"url": "http://127.0.0.1/x"}, "baseline": {"cron": "0 * * * *"}}
    probe = client("POST", f"/jobs/{job}/endpoints", body).body["endpointId"]
    stage = Stage(world)
    stage.play_seconds(3550)
    edited = client("PATCH", f"/endpoints/{probe}", {"baseline": {"cron": "*/30 * * * *"}}).body
    assert (edited["state"], edited["nextRunAt"]) == ("active", "2025-01-01T01:00:00.000Z")
    stage.play_seconds(5401)
    assert world.outbound.seconds() == [3600, 5400]


def test_a_begun_run_that_is_made_good_does_not_move_the_grid_of_a_new_baseline(
    world: MemoryWorld, client: Client
) -> None:
    probe, stage = endpoint(client, 3600, timeoutMs=1000), Stage(world)

    def die(_call: Any) -> Reply:
        raise MemoryError("the worker dies here")

    world.outbound.answer = die
    with pytest.raises(MemoryError):
        stage.play_seconds(3605)
    world.outbound.answer = lambda _call: Reply(duration_ms=1, status_code=200)
    edited_at = world.clock.now()
    client("PATCH", f"/endpoints/{probe}", {"baseline": {"intervalMs": 7_200_000}})
    stage.play_seconds(3800)
    stored = world.endpoints.load(probe)
    assert stored is not None and stored.state.anchor == edited_at


def test_a_one_shot_in_flight_beyond_its_expiry_has_fired_and_is_not_told_as_expired(
    world: MemoryWorld, client: Client
) -> None:
    probe, stage = endpoint(client, 3600, timeoutMs=300_000), Stage(world)

    def answer(_call: Any) -> Reply:
        world.clock.instant += 120_000
        steer(client, probe, "hints/interval", intervalMs=1_800_000)
        return Reply(duration_ms=1, status_code=200)

    world.outbound.answer = answer
    steer(client, probe, "hints/one-shot", runInMs=0, ttlMinutes=1)
    stage.play_seconds(1)
    assert "expireOneShotRun" not in [event.action for event in world.trail.events]
    assert [hint["kind"] for hint in client("GET", f"/endpoints/{probe}").body["hints"]] == ["interval"]


def test_an_expired_one_shot_does_not_run_once_the_trail_says_that_it_never_did(
    world: MemoryWorld, client: Client
) -> None:
    made = endpoint(client, None)
    steer(client, made, "hints/one-shot", runInMs=60_000, ttlMinutes=1)
    held, world.queue.waiting = list(world.queue.waiting), []
    world.clock.instant = MIDNIGHT + 125_000
    assert client("PATCH", f"/endpoints/{made}", {"description": "x"}).status == 200
    world.queue.waiting = held
    Stage(world).play_seconds(400)
    events = client("GET", f"/endpoints/{made}/events").body["items"]
    assert [event["action"] for event in events].count("expireOneShotRun") == 1 and world.outbound.calls == []


def test_a_resume_knows_the_hints_that_were_written_and_cleared_in_the_pause(
    world: MemoryWorld, client: Client
) -> None:
    cleared, written = endpoint(client), endpoint(client)
    steer(client, cleared, "hints/interval", intervalMs=1_800_000, ttlMinutes=600)
    for each in (cleared, written):
        steer(client, each, "pause", pauseUntil="indefinite")
    world.clock.instant = MIDNIGHT + 60_000
    client("DELETE", f"/endpoints/{cleared}/hints")
    steer(client, written, "hints/interval", intervalMs=1_800_000, ttlMinutes=600)
    world.clock.instant = MIDNIGHT + 2_400_000
    following = [steer(client, each, "pause", pauseUntil=None)["nextRunAt"] for each in (cleared, written)]
    assert following == ["2025-01-01T01:00:00.000Z", "2025-01-01T00:40:00.000Z"]


def test_an_automatic_pause_stands_in_the_trail_with_its_reason(world: MemoryWorld, client: Client) -> None:
    made = endpoint(client, 60, autoPauseAfter=1)
    world.outbound.answer = lambda _call: Reply(duration_ms=1, status_code=500)
    Stage(world).play_seconds(61)
    newest = client("GET", f"/endpoints/{made}/events").body["items"][0]
    assert newest["actorKind"] == "system" and "1 consecutive failed" in newest["reason"]
    assert newest["to"] == {"pausedUntil": "indefinite"} and "paused automatically" in world.telemetry.warnings


@pytest.mark.parametrize(
    ("what", "body"),
    [("pause", {"pauseUntil": "9999-12-31T23:59:59-14:00"}), ("hints/one-shot", {"runAt": "9999-12-31T23:00:00Z"}),
     ("hints/one-shot", {"runAt": "0001-01-01T00:00:00+14:00"})],
)  # fmt: skip
def test_a_time_beyond_the_calendar_is_refused(client: Client, what: str, body: dict[str, str]) -> None:
    answer = client("POST", f"/endpoints/{endpoint(client)}/{what}", body)
    assert answer.status == 422 and answer.paths() == list(body)
