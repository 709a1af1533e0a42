"""Who is told when endpoints turn for the worse or the better: once a turn, whatever dies, never at a run's expense."""

from dataclasses import replace

import pytest

from rubato.domain.endpoint import Endpoint
from rubato.domain.exchange import Call, ErrorKind, Reply
from rubato.domain.instant import MINUTE, SECOND
from rubato.domain.jobs import NotificationRules
from rubato.domain.messages import NotifyMessage, RunMessage
from rubato.domain.notices import Notice, NoticeKind
from rubato.domain.schedule import IntervalBaseline
from rubato.ports import RunFilter
from rubato.usecases.handle_message import handle_message
from rubato.usecases.steer_endpoint import reset_failures
from rubato.usecases.update_job import update_job
from tests.worlds import ANNE, MIDNIGHT, MemoryWorld, Stage, a_job, an_endpoint

SILENT = NotificationRules(on_auto_pause=False)
ALL = NotificationRules(after_failures=3, on_recovery=True, on_auto_pause=True)
BROKEN = Reply(duration_ms=5, status_code=503, body=b"the password is hunter2")


class Script:
    """Fails the runs whose numbers (from 1) are named, and all of them with None."""

    def __init__(self, world: MemoryWorld, failing: range | None) -> None:
        self.runs, self.failing = 0, failing
        world.outbound.answer = self

    def __call__(self, _call: Call) -> Reply:
        self.runs += 1
        fails = self.failing is None or self.runs in self.failing
        return BROKEN if fails else Reply(duration_ms=5, status_code=200)


def probe(world: MemoryWorld, rules: NotificationRules = ALL, **config: object) -> Endpoint:
    job = a_job(world)
    update_job(world, ANNE, job.job_id, lambda job: replace(job, notifications=rules))
    # No run waits longer than a minute: failures back off, and the tests want to see many.
    baseline = config.pop("baseline", IntervalBaseline(20 * SECOND))
    return an_endpoint(world, baseline, job=job, **config)  # type: ignore[arg-type]


def told(world: MemoryWorld) -> list[str]:
    return [f"{notice.kind.value.removeprefix('endpoint.')} {notice.failure_count}" for notice in _published(world)]


def _published(world: MemoryWorld) -> list[Notice]:
    return world.notifications.published


def test_people_hear_once_of_the_failure_that_was_one_too_many_and_once_of_the_recovery() -> None:
    world = MemoryWorld()
    endpoint = probe(world)
    Script(world, range(2, 7))
    Stage(world).play(MIDNIGHT + 60 * MINUTE)
    assert told(world) == ["failing 3", "recovered 5"]
    failing, recovered = _published(world)
    assert (failing.endpoint_id, failing.endpoint_name, failing.job_name) == (endpoint.id, "probe", "shop")
    assert (failing.tenant_id, failing.status_code, failing.error_kind) == ("acme", 503, "http_status")
    assert failing.last_success_at == MIDNIGHT + 20 * SECOND == recovered.last_success_at
    assert failing.notice_id == f"{failing.run_id}/endpoint.failing"
    assert "hunter2" not in repr(world.notifications.published)


def test_a_healthy_endpoint_costs_no_message_and_no_reading_of_its_job(monkeypatch: pytest.MonkeyPatch) -> None:
    world = MemoryWorld()
    probe(world)

    def refuse(_job_id: str) -> None:
        raise AssertionError("the job was read")

    monkeypatch.setattr(world.jobs, "get", refuse)
    Stage(world).play(MIDNIGHT + 10 * MINUTE)
    assert len(world.outbound.calls) == 30 and told(world) == [] and world.telemetry.warnings == []


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (NotificationRules(), []),
        (NotificationRules(after_failures=1), ["failing 1"]),
        (NotificationRules(on_recovery=True), ["recovered 2"]),
        (NotificationRules(after_failures=2, on_recovery=True), ["failing 2", "recovered 2"]),
        (NotificationRules(after_failures=3, on_recovery=True), []),
        (NotificationRules(on_auto_pause=True), []),
    ],
)
def test_two_failures_and_a_recovery_tell_what_the_job_asks_for(rules: NotificationRules, expected: list[str]) -> None:
    world = MemoryWorld()
    probe(world, rules)
    Script(world, range(1, 3))
    Stage(world).play(MIDNIGHT + 10 * MINUTE)
    assert told(world) == expected


@pytest.mark.parametrize(("rules", "expected"), [(NotificationRules(), ["autoPaused 2"]), (SILENT, [])])
def test_an_automatic_pause_is_told_unless_the_job_declines(rules: NotificationRules, expected: list[str]) -> None:
    world = MemoryWorld()
    probe(world, rules, auto_pause_after=2, baseline=IntervalBaseline(MINUTE))
    Script(world, range(1, 9))
    Stage(world).play(MIDNIGHT + 10 * MINUTE)
    assert told(world) == expected


def test_an_endpoint_that_is_paused_for_its_failures_says_so() -> None:
    world = MemoryWorld()
    probe(world, auto_pause_after=2, baseline=IntervalBaseline(MINUTE))
    Script(world, None)
    Stage(world).play(MIDNIGHT + 30 * MINUTE)
    assert told(world) == ["autoPaused 2"]


def test_nobody_is_told_and_nothing_is_read_where_the_deployment_names_no_destination() -> None:
    world = MemoryWorld()
    world.notifications.is_on = False
    probe(world)
    Script(world, None)
    Stage(world).play(MIDNIGHT + 30 * MINUTE)
    assert told(world) == [] and world.telemetry.warnings == []


def _until_third_failure(world: MemoryWorld, endpoint: Endpoint) -> RunMessage:
    """Plays up to the moment at which the run that will fail for the third time is due."""
    Script(world, None)
    stage = Stage(world)
    while True:
        (message,) = (each for _, each in world.queue.waiting if isinstance(each, RunMessage))
        if stored(world, endpoint).state.failures == 2:
            return message
        stage.play(message.due)


def stored(world: MemoryWorld, endpoint: Endpoint) -> Endpoint:
    found = world.endpoints.load(endpoint.id)
    assert found is not None
    return found


def test_a_worker_that_dies_right_after_the_end_was_written_has_told_already(monkeypatch: pytest.MonkeyPatch) -> None:
    world = MemoryWorld()
    endpoint = probe(world)
    message = _until_third_failure(world, endpoint)
    save = world.endpoints.save

    def save_and_die(before: Endpoint, after: Endpoint, *events: object) -> Endpoint:
        saved = save(before, after, *events)  # type: ignore[arg-type]
        if after.state.failures == 3:
            raise SystemExit
        return saved

    world.queue.waiting.clear()
    world.clock.sleep_until(message.due)
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(world.endpoints, "save", save_and_die)
        handle_message(world, message)
    Stage(world).play(message.due + 10 * SECOND)
    assert told(world) == ["failing 3"]


def test_a_worker_that_dies_right_before_the_end_is_written_tells_nobody_and_whoever_takes_over_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = MemoryWorld()
    endpoint = probe(world)
    message = _until_third_failure(world, endpoint)

    def die(*_: object) -> None:
        raise SystemExit

    world.queue.waiting.clear()
    world.clock.sleep_until(message.due)
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(world.endpoints, "save", die)
        handle_message(world, message)
    assert [each for _, each in world.queue.waiting if isinstance(each, NotifyMessage)]
    Stage(world).play(message.due + 20 * SECOND)
    assert told(world) == [] and stored(world, endpoint).state.failures == 2
    Stage(world).play(message.due + 3 * MINUTE)
    assert told(world)[0] == "failing 3"
    assert {notice.notice_id for notice in _published(world)} == {f"{message.run_id}/endpoint.failing"}


def test_a_holder_that_lost_its_lease_announces_nothing() -> None:
    world = MemoryWorld()
    endpoint = probe(world, timeout_ms=1000)
    message = _until_third_failure(world, endpoint)
    world.queue.waiting.clear()
    world.clock.sleep_until(message.due)
    world.outbound.takes_ms = 5 * MINUTE
    assert handle_message(world, message) == "lease_lost"
    assert not [each for _, each in world.queue.waiting if isinstance(each, NotifyMessage)]


def test_a_queue_that_is_down_costs_the_notice_and_not_the_run() -> None:
    world = MemoryWorld()
    endpoint = probe(world)
    message = _until_third_failure(world, endpoint)
    world.clock.sleep_until(message.due)
    world.queue.failing = True
    assert handle_message(world, message) == "failure"
    assert stored(world, endpoint).state.failures == 3
    assert "turn not announced" in world.telemetry.warnings
    assert len(world.runs.of_endpoint(endpoint.id, RunFilter(), 10, None).items) == 3


def test_a_destination_that_is_down_sends_the_message_back_to_the_queue_and_harms_nobody() -> None:
    world = MemoryWorld()
    endpoint = probe(world)
    message = _until_third_failure(world, endpoint)
    world.clock.sleep_until(message.due)
    assert handle_message(world, message) == "failure"
    (notify,) = (each for _, each in world.queue.waiting if isinstance(each, NotifyMessage))
    world.clock.sleep_until(notify.due)
    world.notifications.failing = True
    with pytest.raises(ConnectionError):
        handle_message(world, notify)
    world.notifications.failing = False
    assert [handle_message(world, notify) for _ in range(2)] == ["announced"] * 2
    first, second = _published(world)
    assert first == second  # at least once, under one id


def test_failures_that_somebody_reset_before_they_were_told_are_not_told() -> None:
    world = MemoryWorld()
    endpoint = probe(world)
    message = _until_third_failure(world, endpoint)
    world.clock.sleep_until(message.due)
    handle_message(world, message)
    (notify,) = (each for _, each in world.queue.waiting if isinstance(each, NotifyMessage))
    reset_failures(world, ANNE, endpoint.id, reason=None)
    world.clock.sleep_until(notify.due)
    assert handle_message(world, notify) == "unannounced"


def test_the_query_of_a_url_in_an_error_is_not_told() -> None:
    world = MemoryWorld()
    probe(world, NotificationRules(after_failures=1))
    text = "redirected to http://10.0.0.1/hook?token=hunter2 which is private " + "x" * 500
    world.outbound.answer = lambda _: Reply(duration_ms=1, error_kind=ErrorKind.BLOCKED, error_message=text)
    Stage(world).play(MIDNIGHT + MINUTE)
    (notice, *_) = _published(world)
    assert notice.kind is NoticeKind.FAILING and notice.error_message is not None
    assert "hunter2" not in notice.error_message and "hook?***" in notice.error_message
    assert len(notice.error_message) == 200
