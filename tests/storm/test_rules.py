"""The rules find what they look for: each planted violation is found, by its rule alone, and clean evidence passes."""

from dataclasses import replace
from typing import Any

import pytest

from rubato.domain import ids
from rubato.domain.audit import Event
from rubato.domain.endpoint import (
    Claim,
    Endpoint,
    EndpointConfig,
    EndpointState,
    Pause,
    Plan,
    RunStatus,
    Source,
    TargetRequest,
)
from rubato.domain.exchange import Attempt, ErrorKind
from rubato.domain.hints import SYSTEM
from rubato.domain.runs import Run
from rubato.domain.schedule import IntervalBaseline
from tests.storm.evidence import Called, Evidence, Write
from tests.storm.rules import violations
from tests.storm.script import blows, writes

ENDPOINT = ids.endpoint_id(0, b"0123456789")
CONFIG = EndpointConfig(
    endpoint_id=ENDPOINT, tenant_id="t", job_id="job_1", name="probe", request=TargetRequest(url="http://127.0.0.1/"),
    baseline=IntervalBaseline(1000), created_at=0, updated_at=0,
)  # fmt: skip
SHOT = Write(
    asked=0, answered=1, method="POST", path=f"/endpoints/{ENDPOINT}/hints/one-shot", status=201,
    told={"hint": {"hintId": "hint_1"}},
)  # fmt: skip
RUN_NOW = Write(
    asked=0, answered=1, method="POST", path=f"/endpoints/{ENDPOINT}/run", status=202, told={"runId": "run_promised"}
)
PAUSED = Write(
    asked=3100, answered=3110, method="POST", path=f"/endpoints/{ENDPOINT}/pause", status=200,
    given={"pauseUntil": "indefinite"}, told={},
)  # fmt: skip


def run_id(second: int) -> str:
    return ids.run_id(ENDPOINT, second * 1000, "cadence")


def called(second: int, **other: Any) -> Called:
    at = second * 1000 + 2
    return Called(
        **{"at": at, "until": at + 10, "run_id": run_id(second), "attempt": 1, "slot": second * 1000, **other}
    )


def attempt(number: int, second: int, **other: Any) -> Attempt:
    return Attempt(**{"attempt": number, "started_at": second * 1000, "duration_ms": 12, "status_code": 200, **other})


def recorded(second: int, *attempts: Attempt, **other: Any) -> Run:
    made = attempts or (attempt(1, second),)
    facts = {"status": RunStatus.SUCCESS, "source": Source.BASELINE_INTERVAL, "started_at": second * 1000, **other}
    return Run(
        run_id=run_id(second), tenant_id="t", job_id="job_1", endpoint_id=ENDPOINT, slot=second * 1000,
        due_at=second * 1000, finished_at=second * 1000 + 12, attempt=len(made), attempts=made, **facts,
    )  # fmt: skip


def standing(**state: Any) -> Endpoint:
    return Endpoint(config=CONFIG, state=EndpointState(**{"anchor": 0, "last_slot": 3000, **state}))


def planned(due: int) -> Plan:
    return Plan(slot=due, due=due, source=Source.BASELINE_INTERVAL, on_grid=True)


CLEAN = Evidence(
    calls=tuple(called(second) for second in (1, 2, 3)),
    runs=tuple(recorded(second) for second in (1, 2, 3)),
    endpoints=(standing(),),
    untouched=frozenset({ENDPOINT}),
    standing=(standing(next=planned(4000), wake_at=4000),),
    looked_at=4000,
    counted_endpoints=1,
)
WORKING = replace(CLEAN, untouched=frozenset())


def rules_broken(evidence: Evidence) -> set[str]:
    return {found.partition(":")[0] for found in violations(evidence)}


def test_clean_evidence_breaks_no_rule() -> None:
    assert violations(CLEAN) == []


CASES: dict[str, tuple[str, Evidence]] = {
    "a call before its slot": ("never_early", replace(CLEAN, calls=(called(1, at=999.9), *CLEAN.calls[1:]))),
    "a call before its jitter is over": (
        "never_early",
        replace(CLEAN, runs=(replace(recorded(1), due_at=1500, started_at=1500), *CLEAN.runs[1:])),
    ),
    "an attempt that called twice": ("once_per_attempt", replace(CLEAN, calls=(*CLEAN.calls, called(3, at=3100)))),
    "two runs at once": ("one_run_at_a_time", replace(CLEAN, calls=(called(1, until=2100.0), *CLEAN.calls[1:]))),
    "a call without a record": ("calls_are_on_record", replace(WORKING, runs=CLEAN.runs[:2])),
    "a record of a call that was never made": ("records_tell_the_truth", replace(CLEAN, calls=CLEAN.calls[:2])),
    "a record with another status": (
        "records_tell_the_truth",
        replace(WORKING, runs=(recorded(1, attempt(1, 1, status_code=204)), *CLEAN.runs[1:])),
    ),
    "an attempt that is missing from its run": (
        "attempts_follow_failures",
        replace(WORKING, runs=(recorded(1, attempt(2, 1, status_code=None)), *CLEAN.runs[1:])),
    ),
    "an attempt after a success": (
        "attempts_follow_failures",
        replace(
            WORKING,
            runs=(recorded(1, attempt(1, 1), attempt(2, 1)), *CLEAN.runs[1:]),
            calls=(*CLEAN.calls, called(1, attempt=2, at=1100.0, until=1101.0)),
        ),
    ),
    "a slot that nobody ran or counted": (
        "grid_is_complete",
        replace(CLEAN, runs=(CLEAN.runs[0], CLEAN.runs[2]), calls=(CLEAN.calls[0], CLEAN.calls[2])),
    ),
    "a claim that nobody recovers": (
        "nothing_is_stuck",
        replace(
            CLEAN,
            looked_at=60_000,
            standing=(standing(wake_at=4000, claim=Claim(run_id="r", plan=planned(4000), fence=1, lease_until=34_000)),),
        ),
    ),
    "a slot that nobody claims": ("nothing_is_stuck", replace(CLEAN, looked_at=60_000)),
    "a plan outside the due index": ("nothing_is_stuck", replace(CLEAN, standing=(standing(next=planned(4000)),))),
    "a rhythm without a plan": ("nothing_is_stuck", replace(CLEAN, standing=(standing(),))),
    "a claim at the end": (
        "nothing_is_left",
        replace(CLEAN, endpoints=(standing(claim=Claim(run_id="r", plan=planned(4000), fence=1, lease_until=9)),)),
    ),
    "a one-shot that vanished": ("one_shots_fire_once", replace(CLEAN, writes=(SHOT,))),
    "a one-shot that fired twice": (
        "one_shots_fire_once",
        replace(CLEAN, writes=(SHOT,), runs=tuple(replace(run, hint_id="hint_1") for run in CLEAN.runs)),
    ),
    "a run-now that was never made": ("run_nows_run", replace(CLEAN, writes=(RUN_NOW,))),
    "a call of a paused endpoint": (
        "the_paused_rest",
        replace(
            WORKING, writes=(PAUSED,), calls=(*CLEAN.calls, called(9)), runs=(*CLEAN.runs, recorded(9))
        ),
    ),
    "an edit that was lost": (
        "no_update_is_lost",
        replace(
            CLEAN,
            events=(
                Event(event_id="e", subject=ENDPOINT, tenant_id="t", at=0, actor=SYSTEM, action="updateEndpointConfig",
                      before={}, after={}),
            ),
        ),
    ),
    "an endpoint that was counted twice": ("no_update_is_lost", replace(CLEAN, counted_endpoints=2)),
    "a door that broke": ("the_door_stands", replace(CLEAN, writes=(replace(RUN_NOW, status=500),))),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_planted_violation_is_found_by_its_rule_alone(name: str) -> None:
    rule, evidence = CASES[name]
    assert rules_broken(evidence) == {rule}


def test_an_overlap_with_a_worker_that_was_given_up_is_none() -> None:
    lost = attempt(1, 1, status_code=None, duration_ms=None, error_kind=ErrorKind.LOST)
    runs = (recorded(1, lost, attempt(2, 3)), recorded(4))
    calls = (called(1, until=9000.0), called(1, attempt=2, at=3000.0, until=3012.0), called(4))
    assert violations(replace(WORKING, calls=calls, runs=runs)) == []


def test_a_paused_endpoint_may_be_run_by_hand_and_called_again_after_its_resume() -> None:
    resumed = replace(PAUSED, asked=8000, answered=8010, given={"pauseUntil": None})
    by_hand = replace(recorded(5), source=Source.MANUAL)
    runs, calls = (*CLEAN.runs, by_hand, recorded(9)), (*CLEAN.calls, called(5), called(9))
    assert violations(replace(WORKING, writes=(PAUSED, resumed), calls=calls, runs=runs)) == []


def test_a_paused_endpoint_has_no_plan_and_is_not_stuck() -> None:
    asleep = standing(parked=True, pause=Pause(since=0, by=SYSTEM))
    assert violations(replace(CLEAN, standing=(asleep,), looked_at=90_000)) == []


def test_the_same_seed_gives_the_same_decisions() -> None:
    def first(seed: int) -> list[object]:
        return [next(deeds) for deeds in (writes(seed, "writer-1", 0.3), blows(seed, 4, 20)) for _ in range(50)]

    assert first(7) == first(7)
    assert first(7) != first(8)
