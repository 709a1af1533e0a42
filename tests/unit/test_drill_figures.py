"""What drills make of the calls that a target saw."""

from cli.drills.field import kept, lateness_of, measured, slots_until
from cli.target import Call


def call(slot: int, late: float = 1.0, path: str = "/0") -> Call:
    return Call(at=slot + late, path=path, slot=slot, run_id=f"run {slot}", attempt=1, count=1)


def test_early_doubled_and_missing_calls_are_counted_against_what_was_expected() -> None:
    told = measured(4, [call(1000), call(1000, 2.0), call(2000, -0.5)])
    assert (told["called"], told["early"], told["doubled"], told["missing"]) == (3, 1, 1, 2)
    assert not kept(told)


def test_percentiles_are_those_of_the_calls_seen_and_bound_what_is_kept() -> None:
    told = measured(100, [call(number * 1000, float(number)) for number in range(100)])
    assert told["latenessMs"] == {"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 99.0}
    assert kept(told) and kept(told, {"p99": 99.0}) and not kept(told, {"p99": 98.9})


def test_a_drill_that_saw_no_call_has_kept_nothing() -> None:
    assert lateness_of([]) is None and not kept(measured(0, []))


def test_slots_are_counted_from_each_first_one_up_to_the_last_moment() -> None:
    made = [{"nextRunAt": "1970-01-01T00:00:02.000Z"}, {"nextRunAt": "1970-01-01T00:00:09.000Z"}]
    assert slots_until(made, 2000, 8000) == 4
