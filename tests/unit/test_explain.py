"""Why the next run is when it is, in words: tables of answers, and the real API's answers."""

from typing import Any

import pytest

from cli.explain.command import told
from cli.explain.facts import Facts
from cli.trouble import Trouble
from rubato.domain.exchange import Call, Reply
from rubato.domain.instant import MINUTE, to_iso
from tests.unit.clients import Client
from tests.unit.doors import opened
from tests.worlds import MIDNIGHT, MemoryWorld, Stage

S = 1000
JOB = {"name": "shop", "status": "active"}


def clock(at: int) -> str:
    """Times of day."""
    return to_iso(at)[11:19]


def t(minutes: float) -> str:
    return to_iso(MIDNIGHT + round(minutes * MINUTE))


def endpoint(**fields: Any) -> dict[str, Any]:
    """getEndpoint of one that runs every 5 min, asked a minute after midnight."""
    return {
        "name": "page",
        "baseline": {"intervalMs": 5 * MINUTE},
        "clamp": {"minIntervalMs": None, "maxIntervalMs": None},
        "state": "active",
        "nextRunAt": t(5),
        "source": "baseline-interval",
        "whyNotRunning": None,
        "currentRun": None,
        "failureCount": 0,
        "autoPauseAfter": 0,
        "missedRuns": "run_once",
        "lastSkip": None,
        "dependsOn": [],
        "hints": [],
        **fields,
    }


def interval(seconds: int, until: float, by: str = "surge", kind: str = "rule", reason: str | None = "visitors") -> Any:
    return {
        "kind": "interval", "author": by, "authorKind": kind, "reason": reason, "intervalMs": seconds * S,
        "runAt": None, "createdAt": t(0), "expiresAt": t(until),
    }  # fmt: skip


def one_shot(run_at: float, reason: str | None = "a look") -> Any:
    return {
        "kind": "oneshot", "author": "key_anne", "authorKind": "human", "reason": reason, "intervalMs": None,
        "runAt": t(run_at), "createdAt": t(0), "expiresAt": t(run_at + 30),
    }  # fmt: skip


def paused(until: str | None, kind: str = "human", by: str = "key_anne", reason: str | None = "maintenance") -> Any:
    return {
        "action": "pauseOrResumeEndpoint", "at": t(0.5), "actor": by, "actorKind": kind, "reason": reason,
        "from": {"pausedUntil": None}, "to": {"pausedUntil": until},
    }  # fmt: skip


def lines(given: dict[str, Any], job: dict[str, Any] = JOB, events: tuple[Any, ...] = ()) -> list[str]:
    return [line.strip() for line in told(Facts(given, job, events, MIDNIGHT + MINUTE, clock))]


PLAIN = ["page runs next at 00:05:00 (in 4 min).", "Its baseline sets the pace: every 5 min."]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (endpoint(), PLAIN),
        (
            endpoint(source="ai-interval", nextRunAt=t(1.5), hints=[interval(30, until=5)]),
            [
                "page runs next at 00:01:30 (in 30 s).",
                "A hint by rule surge sets the pace: every 30 s: visitors.",
                "Its baseline is: every 5 min.",
                "At 00:05:00 the hint by rule surge expires; then every 5 min again.",
            ],
        ),
        (
            endpoint(
                source="ai-interval",
                nextRunAt=t(1.5),
                hints=[interval(60, until=9, by="planner", kind="planner", reason=None), interval(30, until=5)],
            ),
            [
                "page runs next at 00:01:30 (in 30 s).",
                "A hint by rule surge sets the pace: every 30 s: visitors.",
                "Its baseline is: every 5 min.",
                "Other live hints, which the tightest outweighs: every 1 min by planner.",
                "At 00:05:00 the hint by rule surge expires; then every 1 min, by planner.",
                "At 00:09:00 the hint by planner expires; then every 5 min again.",
            ],
        ),
        (
            endpoint(source="ai-oneshot", nextRunAt=t(2), hints=[one_shot(2)], baseline={"manual": True}),
            [
                "page runs next at 00:02:00 (in 1 min).",
                "A one-shot by human key_anne asks for a run at 00:02:00: a look.",
                "Its baseline is: asleep until somebody asks for a run.",
                "At 00:02:00 the one-shot by human key_anne runs once; it may come as late as 00:32:00.",
            ],
        ),
        (
            endpoint(hints=[one_shot(6)]),
            [
                *PLAIN,
                "At 00:06:00 the one-shot by human key_anne runs once, when the run before it has been; "
                "it may come as late as 00:36:00.",
            ],
        ),
        (
            endpoint(failureCount=2, autoPauseAfter=5, nextRunAt=t(20)),
            [
                "page runs next at 00:20:00 (in 19 min).",
                "Its baseline sets the pace: every 20 min (baseline 5 min, slowed by failures).",
                "Its last 2 run(s) failed, so the baseline's interval is 4 times as long; "
                "the first success restores it.",
                "After 3 more failed run(s) in a row it pauses itself.",
            ],
        ),
        (
            endpoint(
                baseline={"intervalMs": MINUTE}, failureCount=5, source="clamped-max",
                clamp={"minIntervalMs": None, "maxIntervalMs": 5 * MINUTE}, hints=[interval(600, until=2)],
            ),
            [
                PLAIN[0],
                "Its clamp brought the run forward: no later than 5 min after the run before.",
                "Its baseline is: every 5 min (baseline 1 min, slowed by failures, held by its clamp).",
                "Its last 5 run(s) failed, so the baseline's interval is 32 times as long; "
                "the first success restores it.",
                "Its clamp keeps scheduled runs at most 5 min apart, whoever asks; a run-now is not bound by it.",
                "At 00:02:00 the hint by rule surge expires; then every 5 min again "
                "(baseline 1 min, slowed by failures, held by its clamp).",
            ],
        ),
        (
            endpoint(
                baseline={"manual": True}, state="dormant", nextRunAt=None, source=None,
                whyNotRunning="it has no rhythm of its own",
                clamp={"minIntervalMs": MINUTE, "maxIntervalMs": 15 * MINUTE},
            ),
            [
                "page has no next run.",
                "It has no rhythm of its own.",
                "Its clamp keeps scheduled runs at least 1 min apart, whoever asks; a run-now is not bound by it.",
            ],
        ),
        (
            endpoint(failureCount=3, baseline={"cron": "0 9 * * *", "timezone": "UTC"}, source="baseline-cron"),
            [PLAIN[0], "Its baseline sets the pace: by cron `0 9 * * *` in UTC."],
        ),
        (
            endpoint(source="clamped-min", clamp={"minIntervalMs": 7 * MINUTE, "maxIntervalMs": None}),
            [
                PLAIN[0],
                "Its clamp moved the run back: no sooner than 7 min after the run before.",
                "Its baseline is: every 7 min (baseline 5 min, held by its clamp).",
                "Its clamp keeps scheduled runs at least 7 min apart, whoever asks; a run-now is not bound by it.",
            ],
        ),
        (
            endpoint(source="clamped-max", clamp={"minIntervalMs": 20 * S, "maxIntervalMs": 3 * MINUTE}),
            [
                PLAIN[0],
                "Its clamp brought the run forward: no later than 3 min after the run before.",
                "Its baseline is: every 3 min (baseline 5 min, held by its clamp).",
                "Its clamp keeps scheduled runs at least 20 s and at most 3 min apart, whoever asks; "
                "a run-now is not bound by it.",
            ],
        ),
        (
            endpoint(
                state="running", currentRun={"runId": "run_1", "startedAt": t(0.9), "attempt": 2}, nextRunAt=t(5)
            ),
            [
                "page runs right now; after that 00:05:00.",
                "Run run_1 is in flight, attempt 2, since 00:00:54; meanwhile nothing else of it runs.",
                "Its baseline sets the pace: every 5 min.",
                "When the run in flight ends, the next one is planned anew: every 5 min.",
            ],
        ),
        (
            endpoint(dependsOn=["stock", "login"], lastSkip={"slot": t(0), "reason": "'stock' has not run yet"}),
            [
                *PLAIN,
                "Its gate lets a slot pass only while the latest run of `stock` and `login` was a success.",
                "The slot 00:00:00 was passed over: 'stock' has not run yet.",
            ],
        ),
        (
            endpoint(
                state="dormant", nextRunAt=None, source=None, baseline={"after": ["stock"]},
                whyNotRunning="it waits for a scheduled run of 'stock' to succeed",
            ),
            ["page has no next run.", "It waits for a scheduled run of 'stock' to succeed."],
        ),
    ],
)  # fmt: skip
def test_each_reason_is_told_in_a_sentence(given: dict[str, Any], said: list[str]) -> None:
    assert lines(given) == said


@pytest.mark.parametrize(
    ("given", "events", "said"),
    [
        (
            endpoint(state="paused", source="paused", nextRunAt=None),
            (paused("indefinite"),),
            [
                "page is paused until somebody resumes it.",
                "human key_anne paused it at 00:00:30 until somebody resumes it: maintenance.",
                "Its baseline is: every 5 min.",
                "When somebody resumes it (pauseUntil null): every 5 min.",
            ],
        ),
        (
            endpoint(state="paused", source="paused", nextRunAt=t(9), hints=[interval(30, until=20)]),
            (paused(t(9), "planner", "planner", None), paused("indefinite")),
            [
                "page is paused until 00:09:00.",
                "planner paused it at 00:00:30 until 00:09:00.",
                "It has 1 live hint, which a pause outweighs.",
                "Its baseline is: every 5 min.",
                "At 00:09:00 the pause ends: a slot that fell into it runs once, then every 30 s, by rule surge.",
                "At 00:20:00 the hint by rule surge expires; then every 5 min again.",
            ],
        ),
        (
            endpoint(state="paused", source="paused", nextRunAt=t(1440), missedRuns="skip"),
            (paused(t(1440), "system", "rubato", "over the quota of 10 runs a day"),),
            [
                "page is paused until 00:00:00.",
                "Rubato paused it at 00:00:30 until 00:00:00: over the quota of 10 runs a day.",
                "Its baseline is: every 5 min.",
                "At 00:00:00 the pause ends: a slot that fell into it is skipped, then every 5 min.",
            ],
        ),
        (endpoint(), (paused(None), paused("indefinite")), PLAIN),
        (endpoint(), (paused(t(0.75)),), PLAIN),
    ],
)
def test_a_pause_is_told_with_who_made_it_and_until_when(given: Any, events: tuple[Any, ...], said: list[str]) -> None:
    assert lines(given, events=events) == said


def test_a_job_that_is_paused_holds_the_endpoint_whatever_its_own_pause_says() -> None:
    held = endpoint(state="paused", source="paused", nextRunAt=None, whyNotRunning="its job is paused or archived")
    assert lines(held, {"name": "shop", "status": "paused"}) == [
        "page is paused until somebody resumes it.",
        "Its job `shop` is paused, which holds every endpoint of it.",
        "Its baseline is: every 5 min.",
        "When the job's status is set to active, its endpoints resume; then every 5 min.",
    ]
    said = lines(held, {"name": "shop", "status": "paused"}, (paused("indefinite"),))
    assert said[-1].endswith("its own pause stays.")


@pytest.mark.parametrize(
    ("given", "job", "said"),
    [
        (
            endpoint(source="paused", nextRunAt=None, state="paused", hints=[one_shot(2), interval(30, until=20)]),
            JOB,
            [
                "The one-shot by human key_anne for 00:02:00 waits for the end of the pause; "
                "it is lost unless that comes before 00:32:00.",
                "At 00:20:00 the hint by rule surge expires, paused or not.",
                "When somebody resumes it (pauseUntil null): every 30 s, by rule surge, while that hint lives; "
                "without any hint every 5 min.",
            ],
        ),
        (
            endpoint(source="paused", nextRunAt=None, state="paused", hints=[one_shot(2)]),
            {"name": "shop", "status": "paused"},
            [
                "The one-shot by human key_anne for 00:02:00 waits until its job is active again; "
                "it is lost unless that comes before 00:32:00.",
                "When the job's status is set to active, its endpoints resume; then every 5 min.",
            ],
        ),
        (
            endpoint(source="paused", nextRunAt=t(40), state="paused", hints=[one_shot(2), one_shot(15), one_shot(50)]),
            JOB,
            [
                "The one-shot by human key_anne for 00:02:00 is lost: it expires at 00:32:00, before the pause ends.",
                "At 00:40:00 the pause ends: a slot that fell into it runs once, then every 5 min.",
                "At 00:40:00, as the pause ends, the one-shot by human key_anne for 00:15:00 runs once; "
                "it may come as late as 00:45:00.",
                "At 00:50:00 the one-shot by human key_anne runs once; it may come as late as 01:20:00.",
            ],
        ),
        (
            endpoint(source="paused", nextRunAt=t(9), state="paused", hints=[interval(30, until=5)]),
            JOB,
            [
                "At 00:05:00 the hint by rule surge expires, before the pause ends.",
                "At 00:09:00 the pause ends: a slot that fell into it runs once, then every 5 min.",
            ],
        ),
    ],
)
def test_what_is_asked_for_in_a_rest_waits_for_its_end_or_is_lost(given: Any, job: Any, said: list[str]) -> None:
    assert lines(given, job)[-len(said) :] == said
    assert not any("runs once" in line for line in lines(given, job)[: -len(said)])


@pytest.mark.parametrize(
    ("following", "minimum", "source", "said"),
    [
        (7, 7, "clamped-min", "At 00:07:00 at the soonest the one-shot by human key_anne for 00:02:00 runs once, "
         "moved by its clamp; it may come as late as 00:32:00."),
        (40, 40, "clamped-min", "The one-shot by human key_anne for 00:02:00 is lost: it expires at 00:32:00, "
         "before its clamp allows a run."),
        (1.5, 7, "baseline-interval", "At 00:02:00 the one-shot by human key_anne runs once, when the run before it "
         "has been and as soon as its clamp allows; it may come as late as 00:32:00."),
    ],
)  # fmt: skip
def test_a_one_shot_is_told_as_the_clamp_moves_it(following: float, minimum: int, source: str, said: str) -> None:
    clamp = {"minIntervalMs": minimum * MINUTE, "maxIntervalMs": None}
    assert lines(endpoint(source=source, nextRunAt=t(following), clamp=clamp, hints=[one_shot(2)]))[-1] == said


def test_a_reason_forges_no_line_and_steers_no_terminal() -> None:
    forged = "ok\n  Its job is archived.\r\x1b[2J\u202egnp\x9b31m\u2028end"
    given = endpoint(source="ai-interval", hints=[interval(30, until=5, reason=forged)])
    said = told(Facts(given, JOB, (), MIDNIGHT + MINUTE, clock))
    assert said[1] == "  A hint by rule surge sets the pace: every 30 s: ok Its job is archived. [2Jgnp31m end."
    assert len(said) == 4


def test_the_command_tells_it_of_the_real_api_by_id_and_by_name() -> None:
    world = MemoryWorld()
    world.outbound.answer = lambda _call: Reply(duration_ms=1, status_code=500, body=b"no")
    client = Client(world)
    job = client("POST", "/jobs", {"name": "the shop/eu"}).body["jobId"]
    wanted = {"name": "front/page", "request": {"url": "http://127.0.0.1/x"}, "baseline": {"intervalMs": MINUTE}}
    made = client("POST", f"/jobs/{job}/endpoints", wanted).body["endpointId"]
    Stage(world).play_seconds(70)
    with opened(world) as door:
        by_id = door.rubato("explain", made)
        assert "Its last 1 run(s) failed, so the baseline's interval is 2 times as long" in by_id
        assert "Its baseline sets the pace: every 2 min (baseline 1 min, slowed by failures)." in by_id
        assert door.rubato("explain", "the shop/eu/front/page") == by_id == door.rubato("explain", f"{job}/front/page")
        client("POST", f"/endpoints/{made}/pause", {"pauseUntil": "indefinite", "reason": "enough"})
        assert "human key_anne paused it" in door.rubato("explain", made)
        with pytest.raises(Trouble, match="no endpoint 'the shop/eu/back'"):
            door.rubato("explain", "the shop/eu/back")


def test_a_run_in_flight_is_told_by_the_real_api() -> None:
    world = MemoryWorld()
    client, seen = Client(world), list[str]()
    job = client("POST", "/jobs", {"name": "shop"}).body["jobId"]
    wanted = {"name": "page", "request": {"url": "http://127.0.0.1/x"}, "baseline": {"intervalMs": MINUTE}}
    made = client("POST", f"/jobs/{job}/endpoints", wanted).body["endpointId"]

    def look(_call: Call) -> Reply:
        endpoint, holder = client("GET", f"/endpoints/{made}").body, client("GET", f"/jobs/{job}").body
        seen.extend(told(Facts(endpoint, holder, [], world.clock.now(), clock)))
        return Reply(duration_ms=1, status_code=200, body=b"ok")

    world.outbound.answer = look
    Stage(world).play_seconds(70)
    assert seen[0] == "page runs right now; after that 00:02:00." and "is in flight, attempt 1" in seen[1]
