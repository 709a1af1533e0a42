"""Endpoints that follow others (`after`) and endpoints behind a gate (`dependsOn`)."""

from collections.abc import Callable
from typing import Any

import pytest

from rubato.domain.endpoint import Clamp, Endpoint, MissedRuns, Source, TargetRequest
from rubato.domain.exchange import Call, Reply
from rubato.domain.instant import HOUR, MINUTE, SECOND
from rubato.domain.jobs import Job
from rubato.domain.schedule import AfterBaseline, Baseline, IntervalBaseline, ManualBaseline
from rubato.ports import RunFilter
from rubato.usecases.handle_message import handle_message
from rubato.usecases.read_runs import list_runs
from rubato.usecases.steer_endpoint import hint_interval, hint_one_shot, pause_endpoint, resume_endpoint
from rubato.usecases.trigger_run import trigger_run
from rubato.usecases.update_endpoint import delete_endpoint
from tests.unit.clients import Client
from tests.worlds import ANNE, MIDNIGHT, MemoryWorld, Stage, a_job, an_endpoint


class Plant:
    """A job in a memory world; each endpoint's target is /NAME, and answers by script."""

    def __init__(self) -> None:
        self.world = MemoryWorld()
        self.job: Job = a_job(self.world)
        self.stage = Stage(self.world)
        self.failing: set[str] = set()
        self.world.outbound.answer = self._answer

    def add(self, name: str, baseline: Baseline, **config: Any) -> Endpoint:
        url = TargetRequest(url=f"http://127.0.0.1/{name}")
        return an_endpoint(self.world, baseline, job=self.job, name=name, request=url, **config)

    def calls(self, name: str) -> list[float]:
        """When the target of `name` was called, in seconds after midnight."""
        return [(at - MIDNIGHT) / SECOND for at, call in self.world.outbound.calls if call.url.endswith(f"/{name}")]

    def state(self, endpoint: Endpoint) -> Any:
        stored = self.world.endpoints.load(endpoint.id)
        assert stored is not None
        return stored.state

    def _answer(self, call: Call) -> Reply:
        return Reply(duration_ms=1, status_code=500 if call.url.rpartition("/")[2] in self.failing else 200)


@pytest.fixture
def plant() -> Plant:
    return Plant()


def test_a_follower_runs_as_soon_as_all_that_it_follows_have_succeeded(plant: Plant) -> None:
    plant.add("extract", IntervalBaseline(60 * SECOND))
    plant.add("lookup", IntervalBaseline(90 * SECOND))
    load = plant.add("load", AfterBaseline(("extract", "lookup")))
    assert load.state.next is None
    plant.stage.play_seconds(200)
    # 60 extract; 90 lookup -> load; 120 extract; 180 both -> load
    assert plant.calls("load") == [90, 180]
    page = list_runs(plant.world, ANNE, wanted=RunFilter(), endpoint_id=load.id)
    assert {run.source for run in page.items} == {Source.AFTER}


def test_a_failure_does_not_set_off_a_follower_and_the_next_success_does(plant: Plant) -> None:
    plant.add("extract", IntervalBaseline(60 * SECOND))
    plant.add("load", AfterBaseline(("extract",)))
    plant.failing = {"extract"}
    plant.stage.play_seconds(179)
    assert plant.calls("extract") == [60] and plant.calls("load") == []
    plant.failing = set()
    plant.stage.play_seconds(200)
    assert plant.calls("load") == [180]


def test_a_run_now_of_what_is_followed_sets_off_nothing(plant: Plant) -> None:
    extract = plant.add("extract", IntervalBaseline(HOUR))
    plant.add("load", AfterBaseline(("extract",)))
    trigger_run(plant.world, ANNE, extract.id)
    plant.stage.play_seconds(120)
    assert plant.calls("extract") == [0] and plant.calls("load") == []


def test_a_one_shot_of_what_is_followed_is_a_scheduled_run_and_chains_run_through(plant: Plant) -> None:
    first = plant.add("first", ManualBaseline())
    plant.add("second", AfterBaseline(("first",)))
    plant.add("third", AfterBaseline(("second",)))
    hint_one_shot(plant.world, ANNE, first.id, run_at=None, run_in_ms=5000, ttl_minutes=None, reason=None)
    plant.world.outbound.takes_ms = 2000
    plant.stage.play_seconds(60)
    assert (plant.calls("first"), plant.calls("second"), plant.calls("third")) == ([5], [7], [9])


def test_a_success_while_the_follower_runs_sets_it_off_once_more_at_its_end(plant: Plant) -> None:
    source = plant.add("source", IntervalBaseline(HOUR))
    follower = plant.add("follower", AfterBaseline(("source",)), timeout_ms=60_000)

    def slow(call: Call) -> Reply:
        if call.url.endswith("/follower") and len(plant.calls("follower")) == 1:
            plant.world.clock.instant += 1000
            hint_one_shot(plant.world, ANNE, source.id, run_at=None, run_in_ms=0, ttl_minutes=None, reason=None)
            for message in plant.world.queue.receive(plant.world.clock.now()):
                handle_message(plant.world, message)
            plant.world.clock.instant += 5000
        return Reply(duration_ms=1, status_code=200)

    plant.world.outbound.answer = slow
    plant.stage.play_seconds(3700)
    assert plant.calls("source") == [3600, 3601] and plant.calls("follower") == [3600, 3606]
    assert plant.state(follower).next is None


def test_a_worker_that_dies_before_it_wrote_the_end_still_sets_off_the_follower_once(plant: Plant) -> None:
    plant.add("source", IntervalBaseline(HOUR), timeout_ms=1000)
    plant.add("follower", AfterBaseline(("source",)))
    plant.stage.play_seconds(3599)
    followers = plant.world.endpoints.followers

    def die(*_: object) -> Any:
        raise MemoryError("the worker dies here")

    plant.world.endpoints.followers = die  # type: ignore[method-assign,assignment]
    with pytest.raises(MemoryError):
        plant.stage.play_seconds(3600)
    plant.world.endpoints.followers = followers  # type: ignore[method-assign]
    plant.stage.play_seconds(3800)
    assert plant.calls("source") == [3600] and len(plant.calls("follower")) == 1


def test_a_baseline_edited_to_follow_counts_successes_since_its_own_last_run(plant: Plant) -> None:
    plant.add("source", IntervalBaseline(50 * SECOND))
    edited = plant.add("edited", IntervalBaseline(70 * SECOND))
    plant.stage.play_seconds(75)  # source ran at 50, edited at 70: the success of 50 is older
    patch(plant, edited, {"baseline": {"after": ["source"]}})
    assert plant.state(edited).next is None
    plant.stage.play_seconds(101)
    assert plant.calls("edited") == [70, 100]
    patch(plant, edited, {"baseline": {"intervalMs": 3_600_000}})
    plant.stage.play_seconds(160)  # source ran at 150
    patch(plant, edited, {"baseline": {"after": ["source"]}})
    plant.stage.play_seconds(161)
    assert plant.calls("edited") == [70, 100, 160]


def test_a_paused_follower_runs_once_when_resumed_if_it_became_due_and_not_with_skip(plant: Plant) -> None:
    for name, policy in (("once", MissedRuns.RUN_ONCE), ("skip", MissedRuns.SKIP)):
        if name == "once":
            plant.add("source", IntervalBaseline(60 * SECOND))
        follower = plant.add(name, AfterBaseline(("source",)), missed_runs=policy)
        pause_endpoint(plant.world, ANNE, follower.id, until=None, reason=None)
    plant.stage.play_seconds(130)
    for endpoint_id in plant.world.endpoints.named(plant.job.job_id, ("once", "skip")).values():
        resume_endpoint(plant.world, ANNE, endpoint_id, reason=None)
    plant.stage.play_seconds(150)
    assert plant.calls("once") == [130] and plant.calls("skip") == []
    plant.stage.play_seconds(181)
    assert plant.calls("once") == [130, 180] and plant.calls("skip") == [180]


def test_a_hint_replaces_the_following_and_its_runs_count_as_the_last_run(plant: Plant) -> None:
    plant.add("source", IntervalBaseline(60 * SECOND))
    follower = plant.add("follower", AfterBaseline(("source",)))
    hint_interval(plant.world, ANNE, follower.id, interval_ms=25_000, ttl_minutes=1, reason=None)
    plant.stage.play_seconds(130)
    assert plant.calls("follower") == [25, 50, 60, 120]


def test_a_new_endpoint_under_a_followed_name_is_followed_too(plant: Plant) -> None:
    source = plant.add("source", IntervalBaseline(60 * SECOND))
    plant.add("follower", AfterBaseline(("source",)))
    delete_endpoint(plant.world, ANNE, source.id)
    plant.stage.play_seconds(70)
    plant.add("source", IntervalBaseline(30 * SECOND))
    plant.stage.play_seconds(110)
    assert plant.calls("follower") == [100]


def test_a_follower_inside_its_min_clamp_waits_for_it(plant: Plant) -> None:
    plant.add("source", IntervalBaseline(10 * SECOND))
    plant.add("follower", AfterBaseline(("source",)), clamp=Clamp(min_interval_ms=25_000))
    plant.stage.play_seconds(61)
    assert plant.calls("follower") == [10, 35, 60]


@pytest.mark.parametrize(
    ("outcome", "reason"), [("never", "has not run yet"), ("failed", "failed"), ("deleted", "no endpoint")]
)
def test_a_gate_skips_the_slot_says_why_and_counts(plant: Plant, outcome: str, reason: str) -> None:
    source = plant.add("source", ManualBaseline() if outcome == "never" else IntervalBaseline(50 * SECOND))
    plant.failing = {"source"} if outcome == "failed" else set()
    gated = plant.add("gated", IntervalBaseline(60 * SECOND), depends_on=("source",))
    if outcome == "deleted":
        delete_endpoint(plant.world, ANNE, source.id)
    plant.stage.play_seconds(61)
    state = plant.state(gated)
    assert plant.calls("gated") == [] and (state.skipped, state.last_slot) == (1, None)
    assert state.last_skip.slot == MIDNIGHT + MINUTE and reason in state.last_skip.reason
    shown = Client(plant.world)("GET", f"/endpoints/{gated.id}").body
    assert shown["lastSkip"]["slot"] == "2025-01-01T00:01:00.000Z" and reason in shown["lastSkip"]["reason"]
    assert shown["nextRunAt"] == "2025-01-01T00:02:00.000Z" and shown["skippedCount"] == 1


def test_a_gate_opens_with_the_next_success_and_keeps_the_grid(plant: Plant) -> None:
    plant.add("source", IntervalBaseline(50 * SECOND))
    plant.failing = {"source"}
    plant.add("gated", IntervalBaseline(30 * SECOND), depends_on=("source",))
    plant.stage.play_seconds(121)
    assert plant.calls("gated") == []
    plant.failing = set()
    plant.stage.play_seconds(181)  # source: 50 F, 150 ok
    assert plant.calls("gated") == [150, 180]


def test_a_gate_holds_no_one_shot_and_no_run_now(plant: Plant) -> None:
    plant.add("source", ManualBaseline())
    gated = plant.add("gated", IntervalBaseline(HOUR), depends_on=("source",))
    hint_one_shot(plant.world, ANNE, gated.id, run_at=None, run_in_ms=1000, ttl_minutes=None, reason=None)
    plant.stage.play_seconds(10)
    trigger_run(plant.world, ANNE, gated.id)
    plant.stage.play_seconds(20)
    assert plant.calls("gated") == [1, 10]


def test_a_closed_gate_under_a_max_clamp_is_asked_once_a_clamp_and_not_without_end(plant: Plant) -> None:
    plant.add("source", IntervalBaseline(HOUR))
    gated = plant.add("gated", IntervalBaseline(HOUR), depends_on=("source",), clamp=Clamp(max_interval_ms=20_000))
    hint_one_shot(plant.world, ANNE, gated.id, run_at=None, run_in_ms=0, ttl_minutes=None, reason=None)
    plant.stage.play_seconds(70)
    assert plant.calls("gated") == [0] and plant.state(gated).skipped == 3


def test_a_run_now_that_failed_closes_no_gate(plant: Plant) -> None:
    source = plant.add("source", IntervalBaseline(50 * SECOND))
    plant.add("gated", IntervalBaseline(60 * SECOND), depends_on=("source",))
    plant.stage.play_seconds(51)
    plant.failing = {"source"}
    trigger_run(plant.world, ANNE, source.id)
    plant.stage.play_seconds(61)
    assert plant.calls("gated") == [60]


def patch(plant: Plant, endpoint: Endpoint, body: dict[str, Any]) -> Any:
    answer = Client(plant.world)("PATCH", f"/endpoints/{endpoint.id}", body)
    assert answer.status == 200, answer.body
    return answer.body


def naming(names: list[str]) -> list[tuple[str, dict[str, Any]]]:
    return [("baseline.after", {"baseline": {"after": names}}), ("dependsOn", {"dependsOn": names})]


@pytest.mark.parametrize("spell", [0, 1], ids=["after", "dependsOn"])
def test_unknown_names_itself_and_cycles_are_refused_on_create_and_on_every_merge(plant: Plant, spell: int) -> None:
    plant.add("a", IntervalBaseline(MINUTE))
    b = plant.add("b", AfterBaseline(("a",)))
    c = plant.add("c", IntervalBaseline(MINUTE), depends_on=("b",))
    client = Client(plant.world)
    base = {"name": "d", "request": {"url": "http://127.0.0.1/d"}, "baseline": {"intervalMs": 60_000}}
    post: Callable[[list[str]], Any] = lambda names: client(  # noqa: E731
        "POST", f"/jobs/{plant.job.job_id}/endpoints", {**base, **naming(names)[spell][1]}
    )
    path = naming([])[spell][0]
    for names, words in ((["a", "nope"], "no endpoint 'nope'"), (["d"], "itself")):
        answer = post(names)
        assert (answer.status, answer.paths()) == (422, [path]) and words in answer.body["detail"]
    assert post(["a", "c"]).status == 201
    a_id = plant.world.endpoints.named(plant.job.job_id, ("a",))["a"]
    for names in (["b"], ["c"], ["d"]):
        answer = client("PATCH", f"/endpoints/{a_id}", naming(names)[spell][1])
        assert (answer.status, answer.paths()) == (422, [path]) and "cycle" in answer.body["detail"]
    assert client("PATCH", f"/endpoints/{b.id}", naming(["b"])[spell][1]).status == 422
    assert client("PATCH", f"/endpoints/{c.id}", naming([])[1][1]).status == 200
    assert client("PATCH", f"/endpoints/{a_id}", naming(["c"])[spell][1]).status == 200


def test_an_edit_of_something_else_is_not_held_up_by_a_name_that_has_gone(plant: Plant) -> None:
    a = plant.add("a", IntervalBaseline(MINUTE))
    b = plant.add("b", AfterBaseline(("a",)))
    delete_endpoint(plant.world, ANNE, a.id)
    assert patch(plant, b, {"description": "still editable"})["baseline"] == {"after": ["a"]}


def test_a_waiting_follower_says_for_whom_it_waits(plant: Plant) -> None:
    plant.add("a", IntervalBaseline(MINUTE))
    plant.add("z", IntervalBaseline(HOUR))
    follower = plant.add("b", AfterBaseline(("a", "z")))
    plant.stage.play_seconds(61)
    shown = Client(plant.world)("GET", f"/endpoints/{follower.id}").body
    assert shown["state"] == "dormant" and shown["nextRunAt"] is None
    assert "'z'" in shown["whyNotRunning"] and "'a'" not in shown["whyNotRunning"]


def test_a_follower_that_is_gated_on_what_it_follows_finds_the_gate_open(plant: Plant) -> None:
    plant.add("b", IntervalBaseline(MINUTE))
    plant.add("a", AfterBaseline(("b",)), depends_on=("b",))
    send = plant.world.queue.send

    def eager(messages: Any, now: int) -> Any:
        """Another dispatcher takes whatever is due before the one that sent it goes on."""
        unsent = send(messages, now)
        for message in plant.world.queue.receive(now):
            handle_message(plant.world, message)
        return unsent

    plant.world.queue.send = eager  # type: ignore[method-assign]
    plant.stage.play_seconds(61)
    assert plant.calls("b") == plant.calls("a") == [60]


def test_a_follower_that_cannot_be_written_stalls_nobody_and_is_told_later(plant: Plant) -> None:
    plant.add("b", IntervalBaseline(10 * SECOND))
    follower = plant.add("a", AfterBaseline(("b",)))
    save = plant.world.endpoints.save

    def throttled(before: Endpoint, after: Endpoint, *events: Any) -> Endpoint:
        if after.id == follower.id and plant.world.clock.now() < MIDNIGHT + 35 * SECOND:
            raise RuntimeError("throttled")
        return save(before, after, *events)

    plant.world.endpoints.save = throttled  # type: ignore[method-assign]
    plant.stage.play_seconds(61)
    assert plant.calls("b") == [10, 20, 30, 40, 50, 60]
    assert plant.calls("a") == [40, 40, 50, 60]  # for the success of 30, told late, and for that of 40
    assert "follower not told" in plant.world.telemetry.warnings


def test_a_worker_that_dies_after_the_end_was_written_leaves_no_follower_waiting(plant: Plant) -> None:
    plant.add("b", IntervalBaseline(HOUR))
    follower = plant.add("a", AfterBaseline(("b",)))
    plant.stage.play_seconds(3599)
    load = plant.world.endpoints.load

    def die(endpoint_id: str) -> Endpoint | None:
        if endpoint_id == follower.id:
            raise MemoryError("the worker dies here")
        return load(endpoint_id)

    plant.world.endpoints.load = die  # type: ignore[method-assign]
    plant.stage.play_seconds(3601)
    plant.world.endpoints.load = load  # type: ignore[method-assign]
    plant.stage.play_seconds(3640)
    assert plant.calls("b") == [3600] and plant.calls("a") == [3630]


def test_a_paused_follower_whose_hint_ended_runs_only_after_what_it_follows(plant: Plant) -> None:
    plant.add("b", IntervalBaseline(HOUR))
    follower = plant.add("a", AfterBaseline(("b",)))
    hint_interval(plant.world, ANNE, follower.id, interval_ms=50_000, ttl_minutes=1, reason=None)
    pause_endpoint(plant.world, ANNE, follower.id, until=None, reason=None)
    plant.stage.play_seconds(200)
    resume_endpoint(plant.world, ANNE, follower.id, reason=None)
    plant.stage.play_seconds(300)
    assert plant.calls("a") == []
