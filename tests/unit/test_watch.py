"""`rubato watch`: what a job's answers, audit trails and runs become in a terminal."""

import json
import re
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from cli.api import Api
from cli.drawing.attribution import author
from cli.drawing.changes import tell_changes, tell_step
from cli.drawing.series import Series, Step, Window
from cli.trouble import Trouble
from cli.watch.command import picture
from cli.watch.observer import Observer
from rubato.domain.exchange import Call, Reply
from rubato.domain.hints import ActorKind
from rubato.domain.instant import MINUTE, to_iso
from rubato.usecases.authenticate import authenticate
from tests.unit.clients import Client
from tests.unit.doors import Door, opened
from tests.worlds import MIDNIGHT, MemoryWorld, Stage, a_key
from tests.wsgi import Wsgi

LAST_HOUR = Window(since=MIDNIGHT, until=MIDNIGHT + 60 * MINUTE, label=lambda at: to_iso(at)[11:19])


class Played:
    """A job with one endpoint every 5 min, steered as a test likes."""

    def __init__(self, **config: Any) -> None:
        self.world = MemoryWorld()
        self.client, self.stage = Client(self.world), Stage(self.world)
        self.job = self.client("POST", "/jobs", {"name": "shop"}).body["jobId"]
        self.add("page", **config)

    def add(self, name: str, **config: Any) -> str:
        wanted = {"name": name, "request": {"url": "http://127.0.0.1/x"}, "baseline": {"intervalMs": 5 * MINUTE}}
        answer = self.client("POST", f"/jobs/{self.job}/endpoints", wanted | config)
        self.page = str(answer.body["endpointId"])
        return self.page

    def at(self, minute: float, method: str, path: str, body: Any = None) -> None:
        self.stage.play(MIDNIGHT + round(minute * MINUTE))
        answer = self.client(method, path.format(page=self.page, job=self.job), body)
        assert answer.status < 300, answer.text

    def changes(self, minute: float) -> list[str]:
        """As they are told at that minute."""
        return tell_changes(self.series(minute), LAST_HOUR)

    def series(self, minute: float) -> Series:
        self.stage.play(MIDNIGHT + round(minute * MINUTE))
        with opened(self.world) as door:
            return observed(door, self.job).look(self.world.clock.now())[0]


def observed(door: Door, job: str) -> Observer:
    return Observer(Api(door.url, Wsgi.key), job, 60 * MINUTE)


def test_hints_show_when_they_began_with_author_and_reason_and_when_they_expired() -> None:
    played = Played()
    hint = {"intervalMs": 30_000, "ttlMinutes": 10, "reason": "sale"}
    played.at(7, "POST", "/endpoints/{page}/hints/interval", hint)
    assert played.changes(30) == [
        "00:07:00  every 30 s (ai-interval), human key_anne: sale",
        "00:17:00  every 5 min (baseline)",
    ]
    assert len(played.series(30).runs) > 20


def test_what_a_registered_agent_changed_names_it_and_its_owner() -> None:
    played = Played()
    made = played.client("POST", "/agents", {"name": "scout", "owner": "shop team"}).body
    _, token = a_key(played.world, kind=ActorKind.AGENT, agent_id=made["agentId"])
    played.client = Client(played.world, authenticate(played.world, {"x-api-key": token}))
    played.at(7, "POST", "/endpoints/{page}/pause", {"pauseUntil": "indefinite", "reason": "calm"})
    assert played.changes(8) == ["00:07:00  asleep (paused), agent scout for shop team: calm"]


def test_a_change_is_one_printable_line_and_names_the_system_as_explain_does() -> None:
    step = Step(at=MIDNIGHT, interval_ms=None, source="paused", author=author("system", "rubato"), reason="a\n\x1b[2Jb")
    assert tell_step(step) == "asleep (paused), Rubato: a [2Jb"


def test_a_newer_hint_replaces_the_authors_older_one_and_clearing_ends_it() -> None:
    played = Played()
    for minute, seconds in ((7, 30), (9, 60)):
        played.at(minute, "POST", "/endpoints/{page}/hints/interval", {"intervalMs": seconds * 1000, "reason": "sale"})
    played.at(12, "DELETE", "/endpoints/{page}/hints")
    assert [line.split(" (")[0] for line in played.changes(30)] == [
        "00:07:00  every 30 s",
        "00:09:00  every 1 min",
        "00:12:00  every 5 min",
    ]


def test_pauses_show_as_sleep_with_who_and_why_and_end_by_hand_or_by_time() -> None:
    played = Played()
    played.at(6, "POST", "/endpoints/{page}/pause", {"pauseUntil": to_iso(MIDNIGHT + 12 * MINUTE), "reason": "deploy"})
    played.at(20, "POST", "/endpoints/{page}/pause", {"pauseUntil": "indefinite"})
    played.at(22, "POST", "/endpoints/{page}/pause", {"pauseUntil": None})
    assert played.changes(30) == [
        "00:06:00  asleep (paused), human key_anne: deploy",
        "00:12:00  every 5 min (baseline)",
        "00:20:00  asleep (paused), human key_anne",
        "00:22:00  every 5 min (baseline)",
    ]


def test_a_paused_job_and_an_edited_baseline_show_too() -> None:
    played = Played()
    played.at(8, "PATCH", "/endpoints/{page}", {"baseline": {"intervalMs": MINUTE}})
    played.at(20, "PATCH", "/jobs/{job}", {"status": "paused"})
    assert played.changes(30) == ["00:08:00  every 1 min (baseline)", "00:20:00  asleep (paused), job: paused"]


def test_backoff_shows_as_it_grows_and_ends_with_the_first_success() -> None:
    played = Played()

    def answer(_call: Call) -> Reply:
        return Reply(duration_ms=0, status_code=500 if len(played.world.outbound.calls) < 3 else 200, body=b"")

    played.world.outbound.answer = answer
    assert played.changes(59) == [
        "00:05:00  every 10 min (baseline-interval), backoff: 1 failed run",
        "00:15:00  every 20 min (baseline-interval), backoff: 2 failed runs",
        "00:35:00  every 5 min (baseline)",
    ]


def test_backoff_shows_no_slower_than_the_clamp_allows() -> None:
    played = Played(clamp={"maxIntervalMs": 8 * MINUTE})
    played.world.outbound.answer = lambda _call: Reply(duration_ms=0, status_code=500, body=b"")
    assert {step.interval_ms for step in played.series(30).steps} == {5 * MINUTE, 8 * MINUTE}


def test_a_cron_baseline_is_drawn_by_the_gap_of_its_slots() -> None:
    assert {step.interval_ms for step in Played(baseline={"cron": "*/10 * * * *"}).series(15).steps} == {10 * MINUTE}
    assert Played(baseline={"manual": True}).series(1).steps[0].interval_ms is None


def test_the_picture_has_a_line_for_each_endpoint_or_one_large_and_the_latest_changes() -> None:
    played = Played()
    played.at(7, "POST", "/endpoints/{page}/hints/interval", {"intervalMs": 30_000, "reason": "sale"})
    played.add("stock")
    played.stage.play(MIDNIGHT + 20 * MINUTE)
    with opened(played.world) as door:
        observer = observed(door, played.job)
        many = observer.look(played.world.clock.now())
        news = [line for _, line in observer.news(many, LAST_HOUR)]
        assert "00:07:00  page  every 30 s (ai-interval), human key_anne: sale" in news
        assert "00:05:00  page  success 200 (baseline-interval)" in news
        assert list(observer.news(many, LAST_HOUR)) == []
        drawn = picture(many, LAST_HOUR, 80, None)
        assert [line.split()[0] for line in drawn[1:3]] == ["page", "stock"]
        assert drawn[-1] == "00:07:00  page  every 30 s (ai-interval), human key_anne: sale"
        large = picture(many, LAST_HOUR, 80, "page")
        assert large[0] == "page" and large[1].startswith("    30 s")
        with pytest.raises(Trouble, match="no endpoint 'nope'; it has page, stock"):
            picture(many, LAST_HOUR, 80, "nope")


def test_looking_again_asks_for_an_audit_trail_only_where_something_changed() -> None:
    played = Played()
    played.add("stock")
    with opened(played.world) as door:
        observer = observed(door, played.job)
        observer.look(played.world.clock.now())
        door.requests.clear()
        observer.look(played.world.clock.now())
        assert [path for _, path in door.requests if path.endswith("/events")] == []
        played.at(0, "POST", "/endpoints/{page}/pause", {"pauseUntil": "indefinite"})
        observer.look(played.world.clock.now())
        assert len([path for _, path in door.requests if path.endswith("/events")]) == 1


def test_without_a_terminal_it_prints_lines_and_ends_by_itself() -> None:
    played = Played()
    with opened(played.world) as door:
        lines = door.rubato("watch", "shop", "--seconds", "0").splitlines()
        assert lines[1].startswith("page ") and lines[1].endswith("5 min")
        with pytest.raises(Trouble, match="no job 'nope'"):
            door.rubato("watch", "nope", "--seconds", "0")
        assert json.loads(door.rubato("export", "shop"))["job"] == {"name": "shop"}


def ends_after(monkeypatch: pytest.MonkeyPatch, *between: Callable[[], None]) -> None:
    """Instead of a pause between two looks the next of `between` happens; then Ctrl-C."""
    steps = iter(between)

    def pause(_seconds: float) -> None:
        step = next(steps, None)
        if step is None:
            raise KeyboardInterrupt
        step()

    monkeypatch.setattr("cli.watch.command.time.sleep", pause)


def refusing(status: str) -> Callable[..., list[bytes]]:
    def answer(_environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, [("Content-Type", "text/plain")])
        return [b"down"]

    return answer


def test_an_api_that_does_not_answer_is_told_once_until_it_answers_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(Played().world) as door:
        well, ill = door.wsgi, refusing("503 Service Unavailable")
        turns = [lambda app=app: setattr(door, "wsgi", app) for app in (ill, ill, well, ill)]
        ends_after(monkeypatch, *turns)
        told = [line for line in door.rubato("watch", "shop").splitlines() if "no answer" in line]
    assert len(told) == 2
    assert all(re.fullmatch(r"no answer since \d\d:\d\d:\d\d: GET /jobs/\S+: 503 down", line) for line in told)


def test_the_picture_stays_while_the_api_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = StringIO()
    terminal = Console(file=screen, force_terminal=True, width=80, height=30, highlight=False)
    monkeypatch.setattr("cli.watch.command.Console", lambda **_: terminal)
    with opened(Played().world) as door:
        ends_after(monkeypatch, lambda: setattr(door, "wsgi", refusing("503 Service Unavailable")))
        door.rubato("watch", "shop")
    last = screen.getvalue().split("page ")[-1]
    assert "5 min" in last and "no answer since" in last


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "404 Not Found"])
def test_what_no_later_look_can_mend_ends_it(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    with opened(Played().world) as door:
        ends_after(monkeypatch, lambda: setattr(door, "wsgi", refusing(status)))
        with pytest.raises(Trouble, match=f"{status[:3]} down"):
            door.rubato("watch", "shop")


def test_a_run_in_flight_is_followed_beyond_the_latest_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.watch.observer._PAGE", 1)
    played = Played()
    with opened(played.world) as door:
        observer = observed(door, played.job)

        def look(_call: Call) -> Reply:
            if len(played.world.outbound.calls) == 1:
                observer.look(played.world.clock.now())
            return Reply(duration_ms=0, status_code=200, body=b"")

        played.world.outbound.answer = look
        played.stage.play(MIDNIGHT + 21 * MINUTE)
        many = observer.look(played.world.clock.now())
        news = [line for _, line in observer.news(many, LAST_HOUR) if "success" in line]
    assert news == [f"00:{minute}:00  page  success 200 (baseline-interval)" for minute in ("05", "20")]


def test_what_is_older_than_the_window_is_forgotten() -> None:
    played = Played()
    with opened(played.world) as door:
        observer = Observer(Api(door.url, Wsgi.key), played.job, 12 * MINUTE)
        shown = list[int]()
        for minute in (11, 21, 31, 41):
            played.stage.play(MIDNIGHT + minute * MINUTE)
            (page,) = observer.look(played.world.clock.now())
            shown.append(len(page.runs))
    assert shown == [2, 3, 3, 3]


def test_at_a_terminal_it_draws_and_ctrl_c_ends_it_cleanly(monkeypatch: pytest.MonkeyPatch) -> None:
    played, screen = Played(), StringIO()
    terminal = Console(file=screen, force_terminal=True, width=80, height=30, highlight=False)
    monkeypatch.setattr("cli.watch.command.Console", lambda **_: terminal)

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.watch.command.time.sleep", interrupted)
    with opened(played.world) as door:
        door.rubato("watch", "shop", "--endpoint", "page")
    shown = screen.getvalue()
    assert "page" in shown and "5 min" in shown and "runs" in shown
    assert shown.endswith("\x1b[?25h"), "the cursor is there again"
