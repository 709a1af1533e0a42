"""What a run may cost: exact counts over the real adapters, not timings."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from cli.bench.books import idle_fact, run_fact, tick_reads
from cli.bench.kinds import KINDS, OWNER, a_job, add
from cli.bench.stage import MIDNIGHT, REGION, Stage, stage
from rubato.adapters.memory_custody import MemoryVault
from rubato.adapters.remembering_vault import RememberingVault
from rubato.domain.endpoint import TargetRequest
from rubato.domain.instant import MINUTE
from rubato.domain.jobs import Job
from rubato.domain.rules import read_rules
from rubato.domain.schedule import IntervalBaseline
from rubato.usecases import manage_secrets, manage_signing_keys
from rubato.usecases.create_job import create_job
from rubato.usecases.evaluate_rules import evaluate_rules
from rubato.usecases.update_job import update_job

ALL = {kind.name: kind for kind in KINDS}
# kind -> write units of one run by itself, by the budget and as counted when this was written
BUDGETS = {
    "sub-minute": (6, 5),
    "minute": (8, 5),
    "minute, with a planner": (8, 5),
    "hourly": (8, 8),
    "minute, one retry": (8, 7),
    "minute, failure": (8, 7.5),
    "minute, gate closed": (8, 1),
}


@pytest.fixture(autouse=True)
def own_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never somebody's own AWS."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def empty() -> Iterator[Stage]:
    with stage() as played:
        yield played


@pytest.mark.parametrize("kind", BUDGETS)
def test_a_run_stays_within_its_budget_and_scans_nothing(kind: str) -> None:
    budget, counted = BUDGETS[kind]
    fact = run_fact(ALL[kind], batch=1, resting=tick_reads())
    assert fact["writeUnits"] <= counted <= budget
    assert fact["readUnits"] <= 5
    assert fact["scans"] == 0


RULE: dict[str, Any] = {
    "name": "surge",
    "when": "endpoints.probe.body.items > `2000` && endpoints.probe.ageSeconds < `9`",
    "then": [{"proposeInterval": {"endpoint": "probe", "intervalMs": 60_000}}],
}


def has_run(played: Stage) -> bool:
    return played.runs == 1


def ruled(played: Stage, **rule: Any) -> str:
    """A job whose rule has looked at a first run; gives its id."""
    draft = replace(a_job(), rules=read_rules([{**RULE, **rule}]))
    job = create_job(played.world, OWNER, draft)
    add(played.world, job, "probe", IntervalBaseline(10 * MINUTE))
    played.play_until(partial(has_run, played))
    played.clock.sleep_until(played.clock.now() + MINUTE)
    evaluate_rules(played.world, job.job_id)
    played.forget()
    return job.job_id


def test_a_look_of_rules_that_changes_nothing_writes_nothing_and_reads_only_what_is_mentioned(empty: Stage) -> None:
    job_id = ruled(empty)
    with empty.meter.charging("rules"):
        evaluate_rules(empty.world, job_id)
    bill = empty.meter.bill("rules")
    # job, ledger, the endpoint's name and state, its latest run
    assert (bill.write_units, bill.read_units) == (0, 5) and bill.requests["Scan"] == 0


@pytest.mark.parametrize(("field", "units"), [("status", 4), ("cadenceMs", 5), ("body", 5), ("runsLastHour", 4.5)])
def test_what_a_look_costs_depends_on_what_its_rules_mention(empty: Stage, field: str, units: float) -> None:
    job_id = ruled(empty, when=f"endpoints.probe.{field} == 'x'")
    with empty.meter.charging("rules"):
        evaluate_rules(empty.world, job_id)
    assert empty.meter.bill("rules").read_units == units


def test_a_run_of_a_job_with_rules_costs_one_message_more_and_no_unit() -> None:
    bills = []
    for rules in ((), read_rules([{**RULE, "when": "now == 'never'"}])):
        with stage() as played:
            job = create_job(played.world, OWNER, replace(a_job(), rules=rules))
            add(played.world, job, "probe", IntervalBaseline(MINUTE))
            played.play_until(partial(has_run, played))
            played.forget()
            played.play_until(partial(has_run, played))
            bills.append(played.meter.bill("dispatcher"))
    plain, ruled_bill = bills
    assert ruled_bill.write_units == plain.write_units and ruled_bill.sqs_requests <= plain.sqs_requests + 1


def test_runs_in_one_batch_share_the_count_and_the_requests() -> None:
    fact = run_fact(ALL["minute"], batch=3, resting=tick_reads())
    assert fact["writeUnits"] <= 4.34 and fact["sqsRequests"] <= 1.67


def test_a_signed_run_with_a_secret_costs_no_further_unit_and_two_requests_to_the_vault_a_minute() -> None:
    shelves = MemoryVault()

    def prepare(played: Stage, job: Job) -> None:
        world: Any = played.world
        world.vault = RememberingVault(shelves, world.clock)
        manage_secrets.put_secret(world, OWNER, job.job_id, "API_KEY", "hunter2-hunter2", ["api.example.com"])
        manage_signing_keys.create_signing_key(world, OWNER, None)

    request = TargetRequest(url="https://api.example.com/", headers=(("accept", "{{secret:API_KEY}}"),))
    signed = replace(ALL["minute"], name="signed", prepare=prepare, config={"request": request})
    plain, fact = (run_fact(kind, 1, tick_reads()) for kind in (ALL["minute"], signed))
    for amount in ("writeUnits", "readUnits", "sqsRequests"):
        assert fact[amount] == plain[amount]
    runs = fact["runs"] + 1  # one before the counting began
    assert 2 <= shelves.reads <= 2 * runs


def test_a_run_of_a_synthetic_job_costs_no_more_than_any_other() -> None:
    def mark(played: Stage, job: Job) -> None:
        update_job(played.world, OWNER, job.job_id, lambda each: replace(each, is_synthetic=True))

    fact = run_fact(replace(ALL["minute"], prepare=mark), 1, tick_reads())
    assert fact["writeUnits"] <= BUDGETS["minute"][1] and fact["readUnits"] <= 5 and fact["scans"] == 0


def test_an_endpoint_between_its_slots_costs_nothing() -> None:
    fact = idle_fact(tick_reads())
    assert (fact["writeUnits"], fact["readUnits"], fact["sqsRequests"]) == (0, 0, 0)


def test_a_tick_that_finds_nothing_reads_half_a_unit_for_each_shard_and_one_for_the_quota() -> None:
    assert tick_reads(shards=16) == 16 * 0.5 + 0.5


def test_the_meter_counts_queries_by_what_they_read_not_by_what_they_give(empty: Stage) -> None:
    """A filter and a projection make no query cheaper; a lost condition and a transaction cost as well."""
    client: Any = empty.world._connection.client
    for number in range(3):
        item = {"pk": {"S": "a"}, "sk": {"S": str(number)}, "used": {"N": "1"}, "pad": {"S": "x" * 4000}}
        client.put_item(TableName="usage", Item=item)
    assert empty.meter.bill("setting up").write_units == 3 * 4
    empty.forget()
    client.query(
        TableName="usage",
        KeyConditionExpression="#p = :p",
        FilterExpression="#u = :u",
        ProjectionExpression="#s",
        ExpressionAttributeNames={"#p": "pk", "#s": "sk", "#u": "used"},
        ExpressionAttributeValues={":p": {"S": "a"}, ":u": {"N": "2"}},
        ConsistentRead=True,
    )
    assert empty.meter.bill("setting up").read_units == 3
    empty.forget()
    entry = {"TableName": "usage", "Item": {"pk": {"S": "b"}, "sk": {"S": "0"}}}
    client.transact_write_items(TransactItems=[{"Put": entry}])
    with pytest.raises(client.exceptions.ConditionalCheckFailedException):
        client.put_item(**entry, ConditionExpression="attribute_not_exists(pk)")
    assert empty.meter.bill("setting up").write_units == 2 + 1


def test_the_meter_notices_a_scan(empty: Stage) -> None:
    client: Any = empty.world._connection.client
    client.scan(TableName="usage")
    assert empty.meter.bill("setting up").requests["Scan"] == 1


def test_the_bench_begins_at_the_same_moment_each_time(empty: Stage) -> None:
    assert (empty.clock.now(), REGION) == (MIDNIGHT, "us-east-1")
