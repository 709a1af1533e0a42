"""What may go wrong in a sale: changes of its record, each with the claim that must notice."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cli.simulate.play.record import Record
from cli.simulate.play.scenario import MINUTE


def without(name: str, since: float = 0, until: float = 99) -> Callable[[Record], Record]:
    def change(record: Record) -> Record:
        gone = {r.run_id for r in record.runs if r.endpoint == name and since * MINUTE <= r.slot < until * MINUTE}
        runs = tuple(run for run in record.runs if run.run_id not in gone)
        return replace(record, runs=runs, calls=tuple(call for call in record.calls if call.run_id not in gone))

    return change


def moved(name: str, by: int) -> Callable[[Record], Record]:
    """Planned and called at another time."""

    def change(record: Record) -> Record:
        ids = {run.run_id for run in record.runs if run.endpoint == name}
        runs = [replace(run, slot=run.slot + by, due=run.due + by) if run.run_id in ids else run for run in record.runs]
        calls = [replace(call, at=call.at + by) if call.run_id in ids else call for call in record.calls]
        return replace(record, runs=tuple(runs), calls=tuple(calls))

    return change


def by_hand(record: Record) -> Record:
    return replace(record, changes=(*record.changes, replace(record.changes[-1], kind="human", at=30 * MINUTE)))


def called_early(record: Record) -> Record:
    return replace(record, calls=tuple(replace(call, at=call.at - 1) for call in record.calls))


def called_late(name: str, by: int) -> Callable[[Record], Record]:
    """Its slots are as they were planned, but nobody keeps to them."""

    def change(record: Record) -> Record:
        late = {run.run_id for run in record.runs if run.endpoint == name}
        calls = [replace(call, at=call.at + by) if call.run_id in late else call for call in record.calls]
        return replace(record, calls=tuple(calls))

    return change


def called_twice(record: Record) -> Record:
    return replace(record, calls=(*record.calls, record.calls[-1]))


def forgotten(record: Record) -> Record:
    return replace(record, runs=record.runs[:-1])


def run_again(name: str, minutes: float = 5) -> Callable[[Record], Record]:
    """Once more, so long after its first run."""

    def change(record: Record) -> Record:
        shot = record.of(name)[0]
        again = replace(shot, run_id="another", slot=shot.slot + round(minutes * MINUTE))
        return replace(record, runs=(*record.runs, again))

    return change


def paged(record: Record) -> Record:
    """The engineer on call was woken after all."""
    page = replace(record.of("cache_warm_up")[0], endpoint="emergency_oncall_page", run_id="page", slot=30 * MINUTE)
    return replace(record, runs=(*record.runs, page))


def of_nine(record: Record) -> Record:
    members = {name: member for name, member in record.members.items() if name != "emergency_oncall_page"}
    return replace(record, members=members)


def with_few_health_checks(record: Record) -> Record:
    few = tuple(run for run in record.runs if record.members[run.endpoint].tier != "health" or run.slot < 5 * MINUTE)
    return replace(record, runs=few)


def woken_while_paused(record: Record) -> Record:
    shot = next(run for run in record.runs if run.endpoint == "slack_operations")
    calls = [replace(c, at=c.at + MINUTE) if c.run_id == shot.run_id else c for c in record.calls]
    return replace(record, calls=tuple(calls))


def shifted_across_a_renewal(record: Record) -> Record:
    """From the renewal on every run of the monitor is ten seconds later, in its plan and in its calls."""
    renewal = record.changes_of("traffic_monitor", "applyIntervalHint")[1]
    late = {r.run_id for r in record.runs if r.endpoint == "traffic_monitor" and r.slot > renewal.at}
    runs = [replace(r, slot=r.slot + 10_000, due=r.due + 10_000) if r.run_id in late else r for r in record.runs]
    calls = [replace(call, at=call.at + 10_000) if call.run_id in late else call for call in record.calls]
    return replace(record, runs=tuple(runs), calls=tuple(calls))


def without_one_after_a_failure(record: Record) -> Record:
    """A failure long ago does not excuse a hole."""
    first = record.of("traffic_monitor")[0]
    runs = tuple(replace(run, status="failure") if run is first else run for run in record.runs)
    return without("traffic_monitor", 14, 15)(replace(record, runs=runs))


def lost_and_cleared_later(record: Record) -> Record:
    """What is withdrawn after its time was lost all the same; and so was what was withdrawn under another name."""
    proposed = record.changes_of("scale_checkout_workers", "scheduleOneShotRun")[0]
    told: dict[str, Any] = {"hints": [{"hintId": "another"}, {"hintId": proposed.after["hintId"]}]}
    times = {proposed.at + 1: {"hints": told["hints"][1:]}, proposed.at + MINUTE: {"hints": []}}
    clears = [
        replace(proposed, at=at, action="clearAdaptiveHints", before=told, after=after) for at, after in times.items()
    ]
    return without("scale_checkout_workers")(replace(record, changes=(*record.changes, *clears)))


def found_late(record: Record) -> Record:
    """The analyzer ran as it did, but its first three looks found nothing."""
    looks = [run.run_id for run in record.of("slow_page_analyzer")][:3]
    calls = [replace(call, said={"slowProductPages": []}) if call.run_id in looks else call for call in record.calls]
    return replace(record, calls=tuple(calls))


def asked_once(record: Record) -> Record:
    """Nothing was due while operations rested: that they were left alone then would say nothing."""
    asked = record.changes_of("slack_operations", "scheduleOneShotRun")
    return replace(record, changes=tuple(change for change in record.changes if change not in asked[1:]))


def without_failures(record: Record) -> Record:
    return replace(record, runs=tuple(replace(run, status="success") for run in record.runs))


def refused(record: Record) -> Record:
    return replace(record, job={**record.job, "ruleErrors": [{"rule": "surge", "message": "was refused"}]})


Break = tuple[Callable[[Record], Record], str]
OF_BOTH: list[Break] = [
    (without("inventory_sync_check", until=5), "Minutes 0-4"),
    (without("traffic_monitor", 5, 6), "Surge: traffic_monitor tightens"),
    (without("order_processor_health", 11.5, 25), "Strain: order_processor_health tightens"),
    (without("inventory_sync_check", 10.5, 20), "Strain: inventory_sync_check tightens"),
    (moved("slow_page_analyzer", 3 * MINUTE), "Strain: slow_page_analyzer tightens"),
    (moved("slack_operations", 4 * MINUTE), "slack_operations runs within"),
    (moved("slow_page_analyzer", -2 * MINUTE), "slow_page_analyzer runs first"),
    (moved("database_query_trace", -3 * MINUTE), "database_query_trace runs after"),
    (asked_once, "slack_operations rests"),
    (run_again("slack_operations", 2), "slack_operations rests"),
    (without_failures, "A look of order_processor_health that fails"),
    (without("traffic_monitor", 17.25, 17.75), "A look of traffic_monitor that fails"),
    (found_late, "database_query_trace runs after"),
    (found_late, "cache_warm_up runs after"),
    (moved("cache_warm_up", -3 * MINUTE), "cache_warm_up runs after"),
    (moved("scale_checkout_workers", 8 * MINUTE), "scale_checkout_workers runs by"),
    (moved("slack_customer_support", -MINUTE), "slack_customer_support runs only once"),
    (without("scale_checkout_workers"), "scale_checkout_workers runs exactly once"),
    *(
        (run_again(name), f"{name} runs exactly once")
        for name in ("cache_warm_up", "database_query_trace", "scale_checkout_workers")
    ),
    *((run_again(name), f"{name} runs exactly once") for name in ("slack_operations", "slack_customer_support")),
    (by_hand, "There is no manual step"),
    (without("traffic_monitor", 5), "The fastest cadence"),
    (refused, "No rule fails"),
    (called_early, "No run is early"),
    (called_late("inventory_sync_check", 1_001), "Each run is called within 1 s of its due"),
    (called_late("traffic_monitor", 5 * MINUTE), "Surge: traffic_monitor tightens"),
    (called_late("scale_checkout_workers", 2_000), "Each one-shot runs once"),
    (called_twice, "No run is doubled"),
    (forgotten, "No run is lost"),
    (without("traffic_monitor", 14, 15), "No slot is left out"),
    (shifted_across_a_renewal, "No slot is left out"),
    (without_one_after_a_failure, "No slot is left out"),
    (lost_and_cleared_later, "Each one-shot runs once"),
    (woken_while_paused, "Paused endpoints are never called"),
    (of_nine, "Ten endpoints"),
    (with_few_health_checks, "Health checks dominate"),
]
OF_THE_SALE: list[Break] = [
    *OF_BOTH,
    (moved("slow_page_analyzer", 3 * MINUTE), "Recovery: slow_page_analyzer sleeps again"),
    (without("traffic_monitor", 29, 33), "Normal: traffic_monitor eases"),
    (without("order_processor_health", 29, 33), "Normal: order_processor_health eases"),
    (without("inventory_sync_check", 30), "Normal: inventory_sync_check eases"),
    (moved("slack_customer_support", -12 * MINUTE), "The chain runs in order"),
    (moved("slack_customer_support", 7 * MINUTE), "After minute 26"),
    (without("order_processor_health", 34, 37), "In the end every health check"),
    (lambda record: replace(record, changes=record.changes[:9]), "Hints expire by themselves"),
    (without("slow_page_analyzer", 12), "6-8 investigation runs, the timeline's room; stated: 3-5."),
    (without("cache_warm_up"), "2-3 recovery attempts"),
    (without("slack_operations"), "2-3 alerts"),
    (without("traffic_monitor", 6), "68-111 runs in all, the timeline's room; stated: 150-200."),
    (called_late("order_processor_health", MINUTE), "Normal: order_processor_health eases"),
    (paged, "emergency_oncall_page runs exactly once per cooldown"),
    (paged, "emergency_oncall_page never runs"),
]
OF_THE_VARIANT: list[Break] = [
    *OF_BOTH,
    (moved("emergency_oncall_page", -9 * MINUTE), "The chain runs in order"),
    (without("emergency_oncall_page"), "emergency_oncall_page runs exactly once per cooldown"),
    (without("scale_checkout_workers"), "emergency_oncall_page runs exactly once, after both"),
    (without("traffic_monitor", 38), "While the trouble goes on the tempo stays"),
]
