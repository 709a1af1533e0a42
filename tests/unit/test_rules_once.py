"""Each firing once: two workers at the same moment, a worker that dies at each step, answers that are lost."""

import threading
from typing import Any

import pytest

from rubato.domain.hints import ActorKind
from rubato.domain.instant import MINUTE, SECOND
from rubato.domain.messages import RuleMessage
from rubato.domain.schedule import IntervalBaseline, ManualBaseline
from rubato.usecases.evaluate_rules import answer, evaluate_rules
from tests.ruled import Shop
from tests.worlds import MIDNIGHT

ALARM: dict[str, Any] = {
    "name": "alarm",
    "when": "endpoints.traffic.body.visitors > `2000`",
    "cooldown": "10m",
    "then": [
        {"proposeNextTime": {"endpoint": "slack", "runInMs": 0}},
        {"proposeInterval": {"endpoint": "traffic", "intervalMs": 30_000, "ttlMinutes": 60}},
    ],
}


class Died(BaseException):
    """The worker is gone: nothing of its own catches it."""


class Mortal:
    """In place of a port: the call that is due to fail does so, before or after it is done."""

    def __init__(self, port: Any, plan: "Plan") -> None:
        self._port, self._plan = port, plan

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return self._plan.wrap(found) if callable(found) else found


class Plan:
    """Counts the calls of all ports, and strikes at one of them."""

    def __init__(self, at: int | None = None, *, after: bool = False, error: type[BaseException] = Died) -> None:
        self.calls, self._at, self._after, self._error = 0, at, after, error

    def wrap(self, call: Any) -> Any:
        def wrapped(*args: Any, **options: Any) -> Any:
            number, self.calls = self.calls, self.calls + 1
            if number == self._at and not self._after:
                raise self._error
            done = call(*args, **options)
            if number == self._at:
                raise self._error
            return done

        return wrapped


PORTS = ("jobs", "rule_ledgers", "endpoints", "runs", "trail", "queue")


def struck(shop: Shop, plan: Plan) -> BaseException | None:
    """One look of a worker whose ports fail as planned."""
    world = shop.world
    ports = {name: getattr(world, name) for name in PORTS}
    for name, port in ports.items():
        setattr(world, name, Mortal(port, plan))
    try:
        evaluate_rules(world, shop.job.job_id)
    except BaseException as error:  # noqa: BLE001
        return error
    finally:
        for name, port in ports.items():
            setattr(world, name, port)
    return None


def ready() -> Shop:
    """A shop whose rule is about to fire: the run that saw it has ended, and nobody has looked yet."""
    shop = Shop(ALARM)
    shop.add("traffic", IntervalBaseline(5 * MINUTE), says={"visitors": 9000})
    shop.add("slack", ManualBaseline())
    shop.play(299)
    kept, shop.world.queue.send = (
        shop.world.queue.send,
        lambda messages, now: kept([each for each in messages if not isinstance(each, RuleMessage)], now),
    )
    shop.play(300)
    shop.world.queue.send = kept
    assert not shop.hints("traffic") and len(shop.calls("traffic")) == 1
    return shop


def expect_one_firing(shop: Shop) -> None:
    """After a look by somebody else, everything has been done, once."""
    evaluate_rules(shop.world, shop.job.job_id)
    shop.play(400)
    evaluate_rules(shop.world, shop.job.job_id)
    shop.play(500)
    (called,) = shop.calls("slack")
    assert called in (300, 360)  # a claim whose message was lost is sent again by the tick
    assert [action for _, _, action in shop.acts("slack")] == ["scheduleOneShotRun"]
    assert [action for _, _, action in shop.acts("traffic")] == ["applyIntervalHint"]
    assert shop.ledger().pending == () and shop.ledger().states[0].fired_count == 1


CALLS = Plan()
struck(ready(), CALLS)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(CALLS.calls))
def test_a_worker_that_dies_at_any_step_leaves_one_firing(at: int, after: bool) -> None:
    shop = ready()
    struck(shop, Plan(at, after=after))
    expect_one_firing(shop)


@pytest.mark.parametrize("at", range(CALLS.calls))
def test_a_call_whose_answer_is_lost_is_made_good_by_the_message_that_comes_back(at: int) -> None:
    shop = ready()
    struck(shop, Plan(at, after=True, error=ConnectionError))
    expect_one_firing(shop)


def test_a_one_shot_that_ran_before_its_deed_was_crossed_out_is_not_asked_for_again() -> None:
    """The worker dies after it has hinted; the hint has been used up when the next one finds the deed undone."""
    shop = ready()
    original = shop.world.rule_ledgers.save
    saves: list[int] = []

    def dies_at_the_second(before: Any, after: Any) -> Any:
        saves.append(1)
        if len(saves) == 2:
            raise Died
        return original(before, after)

    shop.world.rule_ledgers.save = dies_at_the_second
    with pytest.raises(Died):
        evaluate_rules(shop.world, shop.job.job_id)
    shop.world.rule_ledgers.save = original
    shop.play(305)
    assert shop.calls("slack") == [300]
    expect_one_firing(shop)


def test_two_workers_that_look_at_the_same_moment_fire_once() -> None:
    for _ in range(10):
        shop = ready()
        gate, read = threading.Barrier(4), shop.world.rule_ledgers.get
        together: list[int] = []

        def get(job_id: str, read: Any = read, gate: Any = gate, together: Any = together) -> Any:
            ledger = read(job_id)
            if len(together) < 4:
                together.append(1)
                gate.wait(5)
            return ledger

        shop.world.rule_ledgers.get = get
        workers = [threading.Thread(target=evaluate_rules, args=(shop.world, shop.job.job_id)) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(20)
        shop.world.rule_ledgers.get = read
        assert len(together) == 4
        expect_one_firing(shop)


def test_one_deed_that_fails_stops_no_other_and_is_done_when_the_message_comes_back() -> None:
    shop = ready()
    slack, save = shop.endpoint("slack").id, shop.world.endpoints.save

    def throttled(before: Any, after: Any, *events: Any) -> Any:
        if before.id == slack:
            raise ConnectionError
        return save(before, after, *events)

    shop.world.endpoints.save = throttled
    message = RuleMessage(job_id=shop.job.job_id, due=MIDNIGHT)
    with pytest.raises(ConnectionError):
        answer(shop.world, message)
    assert len(shop.hints("traffic")) == 1 and not shop.hints("slack")
    assert [deed.action.endpoint for deed in shop.ledger().pending] == ["slack"]
    shop.world.endpoints.save = save
    answer(shop.world, message)
    expect_one_firing(shop)


def test_what_was_held_up_beyond_its_time_is_not_begun_any_more_and_the_job_says_so() -> None:
    shop = ready()
    save = shop.world.endpoints.save
    shop.world.endpoints.save = lambda *_: (_ for _ in ()).throw(ConnectionError())
    with pytest.raises(ConnectionError):
        evaluate_rules(shop.world, shop.job.job_id)
    shop.world.endpoints.save = save
    shop.stage.ticking = False
    shop.world.clock.sleep_until(MIDNIGHT + 3 * 60 * MINUTE)
    evaluate_rules(shop.world, shop.job.job_id)
    refused = [event.after["refused"] for event in shop.world.trail.events if "refused" in event.after]
    assert len(refused) == 2 and all("held up" in why for why in refused)


def test_what_was_done_in_time_is_no_trouble_for_whoever_finds_it_undone_much_later() -> None:
    shop = ready()
    save, saves = shop.world.rule_ledgers.save, []

    def dies_at_the_second(before: Any, after: Any) -> Any:
        saves.append(1)
        if len(saves) == 2:
            raise Died
        return save(before, after)

    shop.world.rule_ledgers.save = dies_at_the_second
    with pytest.raises(Died):
        evaluate_rules(shop.world, shop.job.job_id)
    shop.world.rule_ledgers.save = save
    shop.world.clock.sleep_until(MIDNIGHT + 3 * 60 * MINUTE)
    evaluate_rules(shop.world, shop.job.job_id)
    assert not [event for event in shop.world.trail.events if "refused" in event.after]
    assert shop.world.telemetry.counts.get("rule_refused", 0) == 0


def test_a_wake_that_is_on_its_way_is_not_sent_once_more_by_each_look() -> None:
    shop = Shop({**ALARM, "for": "5m"})
    shop.add("traffic", IntervalBaseline(MINUTE), says={"visitors": 9000})
    shop.add("slack", ManualBaseline())
    shop.play(239)
    wakes = [message.due for _, message in shop.world.queue.waiting if isinstance(message, RuleMessage)]
    assert wakes == [MIDNIGHT + 6 * MINUTE]


def test_the_trail_names_the_rule_as_author_and_its_value_as_the_reason() -> None:
    shop = ready()
    evaluate_rules(shop.world, shop.job.job_id)
    (event,) = [
        each
        for each in shop.world.trail.of_subject(shop.endpoint("slack").id, 9, None).items
        if each.action == "scheduleOneShotRun"
    ]
    assert (event.actor.kind, event.actor.id) == (ActorKind.RULE, "alarm")
    assert event.reason == "rule alarm is true: traffic.body.visitors = 9000"


def promised(shop: Shop) -> list[float]:
    """The moments for which looks are on the queue, in seconds after midnight."""
    return [(each.due - MIDNIGHT) / SECOND for _, each in shop.world.queue.waiting if isinstance(each, RuleMessage)]


def test_a_wake_that_is_far_off_is_not_sent_however_often_a_nearer_one_is() -> None:
    nag = {**ALARM, "name": "nag", "cooldown": "30d", "then": ALARM["then"][:1]}
    blip = {"name": "blip", "when": "endpoints.traffic.body.busy", "for": "90s", "then": []}
    shop = Shop(nag, blip)
    shop.add("traffic", IntervalBaseline(MINUTE))
    shop.add("slack", ManualBaseline())
    for minute in range(1, 25):
        shop.says["traffic"] = {"visitors": 9000, "busy": minute % 4 < 2}
        shop.play(60 * minute + 1)
    assert all(due < 60 * 24 + 1 + 90 for due in promised(shop)) and len(promised(shop)) <= 1


def test_an_early_message_goes_back_only_if_the_job_waits_for_it() -> None:
    shop = Shop({**ALARM, "for": "5m"})
    shop.add("traffic", IntervalBaseline(MINUTE), says={"visitors": 9000})
    shop.add("slack", ManualBaseline())
    shop.play(239)
    waits = RuleMessage(job_id=shop.job.job_id, due=MIDNIGHT + 6 * MINUTE)
    assert answer(shop.world, waits) == "early" and promised(shop) == [360, 360]
    for job_id, due in ((shop.job.job_id, 7 * MINUTE), (shop.job.job_id, 90 * MINUTE), ("job_gone", 6 * MINUTE)):
        assert answer(shop.world, RuleMessage(job_id=job_id, due=MIDNIGHT + due)) == "dropped"
    assert promised(shop) == [360, 360]


def test_a_rule_in_error_keeps_no_other_from_firing_by_time_alone() -> None:
    odd = {"name": "odd", "when": "length(endpoints.traffic.body.items)", "cooldown": "10s"}
    late = {**ALARM, "name": "late", "when": "endpoints.traffic.body.busy", "for": "30s", "then": ALARM["then"][:1]}
    shop = Shop(odd, late)
    shop.add("traffic", IntervalBaseline(5 * MINUTE), says={"items": [1]})
    shop.add("slack", ManualBaseline())
    shop.play(310)
    shop.says["traffic"] = {"items": 5, "busy": True}
    shop.play(640)
    assert [trouble.rule for trouble in shop.ledger().troubles] == ["odd"]
    assert shop.calls("slack") == [630]


def test_a_look_that_still_has_the_rules_of_yesterday_forgets_nothing_that_newer_ones_did() -> None:
    """It stalls between its reads; meanwhile the job is saved, a run ends, and somebody else looks."""
    old = {"name": "old", "when": "endpoints.traffic.body.visitors", "then": ALARM["then"][:1]}
    once = {**old, "name": "once", "fire": "once"}
    shop = Shop({**old, "then": [{"clearHints": {"endpoint": "slack"}}]})
    shop.add("traffic", IntervalBaseline(MINUTE), says={"visitors": 1})
    shop.add("slack", ManualBaseline())
    shop.play(119)
    read = shop.world.jobs.get
    stalled: list[str] = []

    def get(job_id: str) -> Any:
        job = read(job_id)
        if not stalled:
            stalled.append(job_id)
            shop.rule(once)
            shop.play(125)
        return job

    shop.world.jobs.get = get
    evaluate_rules(shop.world, shop.job.job_id)
    shop.play(190)
    assert len(shop.calls("slack")) == 1
