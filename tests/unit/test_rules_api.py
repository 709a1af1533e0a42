"""Rules as callers meet them: saved with the job, refused by field, tried without effect."""

import json
from dataclasses import replace
from typing import Any

import pytest

from rubato.domain.access import Scope
from rubato.domain.exchange import Reply
from rubato.domain.schedule import ManualBaseline
from tests.ruled import SURGE
from tests.unit.clients import Client
from tests.worlds import ANNE, MALLORY, MIDNIGHT, MemoryWorld, Stage, an_endpoint

PROBE = {
    "name": "traffic",
    "request": {"url": "http://127.0.0.1/traffic"},
    "baseline": {"intervalMs": 60_000},
    "clamp": {"minIntervalMs": 20_000, "maxIntervalMs": 900_000},
}
INTERVAL = SURGE["then"][0]["proposeInterval"]
FULL: dict[str, Any] = {
    "name": "all",
    "when": "endpoints.traffic.status == 'failure' && minuteOfDay > `540`",
    "for": "90s",
    "cooldown": "2h",
    "fire": "once",
    "then": [
        {"proposeInterval": INTERVAL},
        {"proposeNextTime": {"endpoint": "traffic", "runInMs": 0}},
        {"proposeNextTime": {"endpoint": "traffic", "runAt": "2025-06-01T00:00:00.000Z", "ttlMinutes": 5}},
        {"pauseUntil": {"endpoint": "traffic", "until": "indefinite"}},
        {"pauseUntil": {"endpoint": "traffic", "until": None}},
        {"pauseUntil": {"endpoint": "traffic", "until": "2025-06-01T00:00:00.000Z"}},
        {"pauseUntil": {"endpoint": "traffic", "forMinutes": 15}},
    ],
    "otherwise": [{"clearHints": {"endpoint": "traffic"}}],
}


class Office:
    """A job with one endpoint, and a client."""

    def __init__(self) -> None:
        self.world = MemoryWorld()
        self.client = Client(self.world)
        self.job_id = self.client("POST", "/jobs", {"name": "shop"}).body["jobId"]
        self.client("POST", f"/jobs/{self.job_id}/endpoints", PROBE)

    def save(self, *rules: dict[str, Any], **job: Any) -> Any:
        return self.client("PATCH", f"/jobs/{self.job_id}", {"rules": list(rules), **job})

    def read(self) -> Any:
        return self.client("GET", f"/jobs/{self.job_id}").body

    def preview(self, **body: Any) -> Any:
        return self.client("POST", f"/jobs/{self.job_id}/rules/preview", body)


@pytest.fixture
def office() -> Office:
    return Office()


def test_rules_come_back_as_they_were_written_and_can_be_sent_back(office: Office) -> None:
    saved = office.save(FULL)
    assert saved.status == 200 and saved.body["rules"] == [FULL] == office.read()["rules"]
    assert office.save(*saved.body["rules"], timezone="Europe/Berlin").body["timezone"] == "Europe/Berlin"
    made = office.client("POST", "/jobs", {"name": "two", "rules": [SURGE]}).body
    assert made["rules"] == [{**SURGE, "for": "0s", "cooldown": "0s", "fire": "edge", "otherwise": []}]
    assert made["timezone"] == "UTC"


def test_rules_are_replaced_whole_and_other_edits_leave_them_alone(office: Office) -> None:
    office.save(SURGE, {"name": "other", "when": "now"})
    assert [rule["name"] for rule in office.client("PATCH", f"/jobs/{office.job_id}", {"name": "x"}).body["rules"]] == [
        "surge",
        "other",
    ]
    assert [rule["name"] for rule in office.save({"name": "third", "when": "now"}).body["rules"]] == ["third"]
    assert office.client("PATCH", f"/jobs/{office.job_id}", {"rules": None}).body["rules"] == []


def changed(**rule: Any) -> dict[str, Any]:
    return {**SURGE, **rule}


def acting(action: dict[str, Any]) -> dict[str, Any]:
    return changed(then=[{"clearHints": {"endpoint": "traffic"}}, action])


@pytest.mark.parametrize(
    ("rule", "path", "message"),
    [
        (changed(when="endpoints.traffic.body.x > 5"), "rules.0.when", "write numbers as `5`"),
        (changed(when=""), "rules.0.when", ""),
        (changed(when="x" * 2001), "rules.0.when", "at most 2000"),
        (changed(cooldown="10 minutes"), "rules.0.cooldown", ""),
        (changed(**{"for": "-5m"}), "rules.0.for", ""),
        (changed(**{"for": "367d"}), "rules.0.for", "longer than 366 days"),
        (changed(fire="often"), "rules.0.fire", ""),
        (changed(name=""), "rules.0.name", ""),
        (changed(surprise=1), "rules.0.surprise", "unknown field"),
        (acting({}), "rules.0.then.1", "exactly one"),
        (acting({"clearHints": {"endpoint": "a"}, "pauseUntil": {"endpoint": "a", "until": None}}), "rules.0.then.1", "exactly one"),
        (acting({"proposeInterval": {**INTERVAL, "intervalMs": 19_999}}), "rules.0.then.1.proposeInterval.intervalMs", "below clamp.minIntervalMs 20000 of 'traffic'"),
        (acting({"proposeInterval": {**INTERVAL, "intervalMs": 900_001}}), "rules.0.then.1.proposeInterval.intervalMs", "above clamp.maxIntervalMs 900000 of 'traffic'"),
        (acting({"proposeInterval": {"endpoint": "later", "intervalMs": 999}}), "rules.0.then.1.proposeInterval.intervalMs", "floor"),
        (acting({"proposeInterval": {**INTERVAL, "ttlMinutes": 0}}), "rules.0.then.1.proposeInterval.ttlMinutes", ""),
        (acting({"proposeInterval": {**INTERVAL, "ttlMinutes": 10_081}}), "rules.0.then.1.proposeInterval.ttlMinutes", ""),
        (acting({"proposeNextTime": {"endpoint": "traffic"}}), "rules.0.then.1.proposeNextTime", "exactly one of runAt and runInMs"),
        (acting({"proposeNextTime": {"endpoint": "traffic", "runInMs": 0, "runAt": "2025-06-01T00:00:00Z"}}), "rules.0.then.1.proposeNextTime", "exactly one"),
        (acting({"proposeNextTime": {"endpoint": "traffic", "runAt": "2024-06-01T00:00:00Z"}}), "rules.0.then.1.proposeNextTime.runAt", "in the past"),
        (acting({"proposeNextTime": {"endpoint": "traffic", "runAt": "soon"}}), "rules.0.then.1.proposeNextTime.runAt", "ISO 8601"),
        (acting({"pauseUntil": {"endpoint": "traffic"}}), "rules.0.then.1.pauseUntil", "exactly one of until"),
        (acting({"pauseUntil": {"endpoint": "traffic", "until": None, "forMinutes": 5}}), "rules.0.then.1.pauseUntil", "exactly one of until"),
        (acting({"pauseUntil": {"endpoint": "traffic", "until": "2024-06-01T00:00:00Z"}}), "rules.0.then.1.pauseUntil.until", "in the past"),
        (acting({"clearHints": {}}), "rules.0.then.1.clearHints.endpoint", "is required"),
    ],
)  # fmt: skip
def test_a_rule_that_can_not_work_is_refused_by_its_field(
    office: Office, rule: dict[str, Any], path: str, message: str
) -> None:
    answer = office.save(rule)
    assert answer.status == 422 and answer.paths() == [path]
    assert message in answer.body["errors"][0]["message"]
    assert office.read()["rules"] == []


def test_names_are_unique_in_the_job(office: Office) -> None:
    answer = office.save(SURGE, {"name": "x", "when": "now"}, SURGE)
    assert answer.status == 422 and answer.paths() == ["rules.2.name"]


def test_there_may_be_fifty_rules_and_so_much_of_them(office: Office) -> None:
    many = [{"name": f"r{n}", "when": "now"} for n in range(51)]
    assert office.save(*many[:50]).status == 200
    assert office.save(*many).paths() == ["rules"]
    wide = [{"name": f"r{n}", "when": "now == '" + "x" * 1900 + "'"} for n in range(50)]
    assert office.save(*wide).paths() == ["rules"]


def test_an_unknown_zone_is_refused(office: Office) -> None:
    assert office.client("PATCH", f"/jobs/{office.job_id}", {"timezone": "Mars/Olympus"}).paths() == ["timezone"]
    assert office.client("POST", "/jobs", {"name": "x", "timezone": "+02:00"}).paths() == ["timezone"]


def test_a_rule_that_stood_before_may_name_a_time_gone_by(office: Office) -> None:
    then = [{"proposeNextTime": {"endpoint": "traffic", "runAt": "2025-01-01T00:01:00Z"}}]
    assert office.save(changed(then=then)).status == 200
    Stage(office.world).play(MIDNIGHT + 120_000)
    assert office.save(changed(then=then), {"name": "x", "when": "now"}).status == 200
    assert office.save(changed(then=then, name="new")).paths() == ["rules.0.then.0.proposeNextTime.runAt"]


def test_the_job_warns_of_endpoints_that_are_not_there(office: Office) -> None:
    office.save(
        changed(when="endpoints.mobile.status", then=[{"clearHints": {"endpoint": "slack"}}]), changed(name="x")
    )
    assert office.read()["ruleWarnings"] == [
        {"rule": "surge", "message": "is inert: the job has no endpoint 'slack'"},
        {"rule": "surge", "message": "reads null: the job has no endpoint 'mobile'"},
    ]
    assert office.read()["ruleErrors"] == []


def test_the_job_tells_of_rules_that_can_not_be_evaluated(office: Office) -> None:
    office.save({"name": "odd", "when": "now > `5`"})
    Stage(office.world).play(MIDNIGHT)
    (trouble,) = office.read()["ruleErrors"]
    assert (trouble["rule"], trouble["kind"], trouble["at"]) == ("odd", "evaluation", "2025-01-01T00:00:00.000Z")


SUPPOSED = {"endpoints": {"traffic": {"body": {"visitors": 9000}}}}


@pytest.mark.parametrize(
    ("rule", "document", "expected"),
    [
        (SURGE, SUPPOSED, (True, True, None, SURGE["then"])),
        (SURGE, {"endpoints": {}}, (None, False, "value", [])),
        (SURGE, None, (None, False, "value", [])),
        (changed(**{"for": "1m"}), SUPPOSED, (True, False, "for", [])),
        (changed(then=[{"clearHints": {"endpoint": "later"}}]), SUPPOSED, (True, False, "inert", [])),
        (changed(when="endpoints.traffic.body"), SUPPOSED, ({"visitors": 9000}, True, None, SURGE["then"])),
        (changed(when="weekday"), {"weekday": 7}, (7, True, None, SURGE["then"])),
    ],
)
def test_a_preview_says_what_would_fire_and_why(
    office: Office, rule: dict[str, Any], document: dict[str, Any] | None, expected: tuple[Any, ...]
) -> None:
    office.save(rule)
    answer = office.preview(**({"document": document} if document is not None else {}))
    assert answer.status == 200
    (item,) = answer.body["items"]
    assert (item["value"], item["wouldFire"], item["blockedBy"], item["actions"]) == expected
    assert item["name"] == "surge" and item["error"] is None and item["heldSeconds"] == 0


def test_a_preview_says_of_a_rule_that_has_fired_what_its_fall_would_do(office: Office) -> None:
    otherwise = [{"clearHints": {"endpoint": "traffic"}}]
    office.save(
        changed(when="!(endpoints.traffic.body.calm)", otherwise=otherwise), changed(name="x", when="now > `1`")
    )
    Stage(office.world).play(MIDNIGHT + 30_000)
    held, odd = office.preview().body["items"]
    assert (held["blockedBy"], held["heldSeconds"], held["actions"]) == ("fired", 30, [])
    assert odd["blockedBy"] == "error" and "not supported" in odd["error"]
    fallen, _ = office.preview(document={"endpoints": {"traffic": {"body": {"calm": True}}}}).body["items"]
    assert (fallen["wouldFire"], fallen["blockedBy"], fallen["actions"]) == (False, "value", otherwise)
    office.client("PATCH", f"/jobs/{office.job_id}", {"status": "paused"})
    assert {item["blockedBy"] for item in office.preview().body["items"]} == {"job"}


def test_a_preview_changes_nothing_at_all(office: Office) -> None:
    office.save(SURGE)
    Stage(office.world).play(MIDNIGHT + 1000)
    ledger, events = office.world.rule_ledgers.get(office.job_id), len(office.world.trail.events)
    waiting = list(office.world.queue.waiting)
    assert office.preview(document=SUPPOSED).body["items"][0]["wouldFire"]
    assert office.world.rule_ledgers.get(office.job_id) == ledger and len(office.world.trail.events) == events
    assert office.world.queue.waiting == waiting


def test_what_targets_answered_is_previewed_only_for_those_who_may_read_runs(office: Office) -> None:
    office.world.outbound.answer = lambda _: Reply(duration_ms=0, status_code=200, body=b'{"visitors": 9000}')
    office.save(changed(when="endpoints.traffic.body.visitors"))
    Stage(office.world).play(MIDNIGHT + 61_000)
    path = f"/jobs/{office.job_id}/rules/preview"
    for scopes, value in (({Scope.JOBS_READ}, None), ({Scope.JOBS_READ, Scope.RUNS_READ}, 9000)):
        answer = Client(office.world, replace(ANNE, scopes=frozenset(scopes)))("POST", path, {})
        (item,) = answer.body["items"]
        assert item["value"] == value and item["heldSeconds"] > 0


def test_nobody_elses_rules_can_be_tried(office: Office) -> None:
    client = Client(office.world, MALLORY)
    assert client("POST", f"/jobs/{office.job_id}/rules/preview", {}).status == 404


def test_half_a_surrogate_pair_in_an_answer_reaches_no_reason_and_no_preview_as_such(office: Office) -> None:
    """UTF-8 can't spell one, and an answer that holds it could not be sent."""
    odd = {"\ud800k": "\ud800", "v": "a\udfffb", "smile": "😀"}
    office.world.outbound.answer = lambda _: Reply(duration_ms=0, status_code=200, body=json.dumps(odd).encode())
    office.save({**SURGE, "when": "endpoints.traffic.body.v"})
    Stage(office.world).play(MIDNIGHT + 61_000)
    endpoint_id = office.world.endpoints.named(office.job_id, ["traffic"])["traffic"]
    endpoint = office.client("GET", f"/endpoints/{endpoint_id}").body
    events = office.client("GET", f"/endpoints/{endpoint_id}/events").body
    preview = office.preview().body
    for told in (endpoint, events, preview):
        json.dumps(told, ensure_ascii=False).encode()
    reasons = [each["reason"] for each in events["items"] if each["actorKind"] == "rule"]
    assert reasons == ['rule surge is true: traffic.body.v = "a\ufffdb"']
    assert preview["items"][0]["value"] == "a\ufffdb"
    office.save({**SURGE, "when": "endpoints.traffic.body"})
    assert office.preview().body["items"][0]["value"] == {"\ufffdk": "\ufffd", "v": "a\ufffdb", "smile": "😀"}


@pytest.mark.parametrize("when", ['endpoints."\\ud800".status', '`"\\udc00"`', '{"\\ud800": now}'])
def test_a_condition_with_half_a_surrogate_pair_is_refused(office: Office, when: str) -> None:
    answer = office.save({**SURGE, "when": when})
    assert answer.status == 422 and answer.body["errors"][0]["path"] == "rules.0.when"


@pytest.mark.parametrize(
    ("rule", "is_odd"),
    [
        ({"cooldown": "30s"}, True), ({"cooldown": "60s"}, True), ({"cooldown": "61s"}, False),
        ({"cooldown": "0s"}, False), ({"cooldown": "30s", "fire": "once"}, False),
    ],
)  # fmt: skip
def test_a_rule_that_postpones_its_own_run_for_ever_is_warned_of(
    office: Office, rule: dict[str, Any], is_odd: bool
) -> None:
    later = [{"proposeNextTime": {"endpoint": "traffic", "runInMs": 60_000}}]
    office.save({"name": "nag", "when": "now", "then": later, **rule})
    told = [each["message"] for each in office.read()["ruleWarnings"]]
    assert [("postpones" in each, "shorter than the cooldown" in each) for each in told] == [(True, True)] * is_odd


def test_a_rule_over_all_endpoints_of_a_job_with_too_many_is_warned_of(office: Office) -> None:
    some = {"name": "some", "when": "endpoints.traffic.status == 'failure'"}
    office.save({"name": "all", "when": "length(endpoints.*.failureStreak) > `3`"}, some)
    job = office.world.jobs.get(office.job_id)
    for number in range(199):
        an_endpoint(office.world, ManualBaseline(), job=job, name=f"probe{number}")
    assert office.read()["ruleWarnings"] == []
    an_endpoint(office.world, ManualBaseline(), job=job, name="one more")
    (warning,) = office.read()["ruleWarnings"]
    assert warning["rule"] == "all" and "200 of the job's 201 endpoints" in warning["message"]
