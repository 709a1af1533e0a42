"""`rubato apply` and `rubato export`, over HTTP against the real use cases in memory."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
import yaml

from cli.blueprints.document import blueprint_of, parsed
from cli.blueprints.notation import read_yaml, write_yaml
from cli.blueprints.variables import escape, fill
from cli.trouble import Trouble
from rubato.domain.endpoint import EndpointConfig
from rubato.domain.jobs import Job
from tests.unit.clients import Client
from tests.unit.doors import Door, opened
from tests.worlds import ANNE, MemoryWorld

SHOP: dict[str, Any] = {
    "description": "For people; not sent.",
    "job": {"name": "shop", "tags": ["web"], "defaults": {"timeoutMs": 5000}, "notifications": {"afterFailures": 3}},
    "endpoints": [
        {
            "name": "report",
            "request": {"url": "${shop}/report", "method": "POST", "body": {"kind": "daily", "cost": "$${cost}"}},
            "baseline": {"after": ["stock", "front page"]},
        },
        {
            "name": "front page",
            "request": {"url": "${shop}/", "headers": {"Authorization": "Bearer abc", "Accept": "text/html"}},
            "baseline": {"intervalMs": 60_000},
            "clamp": {"minIntervalMs": 5000},
            "successCodes": ["200-299", "304"],
        },
        {
            "name": "stock",
            "request": {"url": "${shop}/stock"},
            "baseline": {"cron": "0 9 * * *"},
            "dependsOn": ["front page"],
            "metadata": {"team": {"lead": "anne", "size": 3}},
        },
    ],
}
AT = ("--set", "shop=http://127.0.0.1:9000")


class File(Protocol):
    """Writes a file and gives its path."""

    def __call__(self, content: Any, name: str = "shop.json") -> str: ...


@pytest.fixture
def door() -> Iterator[Door]:
    with opened(MemoryWorld()) as door:
        yield door


@pytest.fixture
def file(tmp_path: Path) -> File:
    def write(content: Any, name: str = "shop.json") -> str:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


def changed(**endpoint: Any) -> dict[str, Any]:
    """SHOP with other fields of one endpoint."""
    endpoints = [{**each, **endpoint} if each["name"] == endpoint["name"] else each for each in SHOP["endpoints"]]
    return {**SHOP, "endpoints": endpoints}


def configs(world: MemoryWorld) -> dict[str, EndpointConfig]:
    """What is held, unmasked."""
    ids = [each for job in jobs(world) for each in world.endpoints.of_job(job.job_id, 100, None).items]
    return {each.config.name: each.config for each in world.endpoints.load_many(ids)}


def jobs(world: MemoryWorld) -> list[Job]:
    return list(world.jobs.list(ANNE.tenant_id, None, 100, None).items)


def stored(door: Door) -> dict[str, dict[str, Any]]:
    exported = json.loads(door.rubato("export", "shop", "--full"))
    return {each["name"]: each for each in exported["endpoints"]}


def test_a_blueprint_is_created_whole_in_the_order_of_what_waits_for_what(door: Door, file: File) -> None:
    said = door.rubato("apply", file(SHOP), "--yes", *AT)
    assert "created job shop; created endpoints front page, stock, report" in said
    report = stored(door)["report"]
    assert report["baseline"] == {"after": ["stock", "front page"]} and report["timeoutMs"] == 5000
    assert report["request"]["url"] == "http://127.0.0.1:9000/report"
    assert fill(report["request"]["body"], {}) == {"kind": "daily", "cost": "${cost}"}


def test_applying_again_says_nothing_to_do_and_writes_nothing(door: Door, file: File) -> None:
    door.rubato("apply", file(SHOP), "--yes", *AT)
    door.requests.clear()
    said = door.rubato("apply", file(SHOP), *AT)
    assert "nothing to do: job shop is as" in said and door.writes == []
    assert "can't be compared and stay as stored (--secrets writes them): front page: Authorization" in said


def test_a_change_is_shown_field_by_field_and_only_that_is_sent(door: Door, file: File) -> None:
    door.rubato("apply", file(SHOP), "--yes", *AT)
    door.requests.clear()
    edited = changed(name="front page", baseline={"intervalMs": 30_000}, clamp={"maxIntervalMs": 90_000})
    said = door.rubato("apply", file({**edited, "job": {**SHOP["job"], "owner": "anne"}}), "--yes", *AT)
    assert said.splitlines()[:6] == [
        "change job shop",
        '  + owner: "anne"',
        "change endpoint front page",
        "  ~ baseline.intervalMs: 60000 -> 30000",
        "  + clamp.maxIntervalMs: 90000",
        said.splitlines()[5],
    ]
    assert [method for method, _ in door.writes] == ["PATCH", "PATCH"]
    after = stored(door)["front page"]
    assert after["clamp"] == {"minIntervalMs": 5000, "maxIntervalMs": 90_000} and after["request"]["headers"]["accept"]


def test_a_dry_run_shows_and_writes_nothing(door: Door, file: File) -> None:
    said = door.rubato("apply", file(SHOP), "--dry-run", *AT)
    assert "create endpoint stock" in said and "nothing was written" in said and door.writes == []


def test_without_a_terminal_it_refuses_unless_told_yes(door: Door, file: File) -> None:
    with pytest.raises(Trouble, match=r"nobody is there to ask.*--yes"):
        door.rubato("apply", file(SHOP), *AT)
    assert door.writes == []


@pytest.mark.parametrize(("answer", "writes"), [("y\n", 4), ("n\n", 0)])
def test_at_a_terminal_it_asks_first(
    door: Door, file: File, monkeypatch: pytest.MonkeyPatch, answer: str, writes: int
) -> None:
    monkeypatch.setattr("cli.blueprints.commands._is_attended", lambda: True)
    try:
        door.rubato("apply", file(SHOP), *AT, stdin=answer)
    except Trouble as declined:
        assert str(declined) == "nothing was written"
    assert len(door.writes) == writes


def test_endpoints_that_the_file_does_not_name_are_kept_unless_pruned(door: Door, file: File) -> None:
    door.rubato("apply", file(SHOP), "--yes", *AT)
    fewer = {**SHOP, "endpoints": [SHOP["endpoints"][1]]}
    assert "(--prune deletes them): report, stock" in door.rubato("apply", file(fewer), *AT)
    said = door.rubato("apply", file(fewer), "--prune", "--yes", *AT)
    assert "delete endpoint stock" in said and list(stored(door)) == ["front page"]


def test_a_file_without_a_list_of_endpoints_prunes_nothing(door: Door, file: File) -> None:
    door.rubato("apply", file(SHOP), "--yes", *AT)
    with pytest.raises(Trouble, match=r'has no endpoints, so --prune.*say "endpoints": \[\]'):
        door.rubato("apply", file({"job": SHOP["job"]}), "--prune", "--yes")
    assert len(configs(door.world)) == 3
    door.rubato("apply", file({"job": SHOP["job"], "endpoints": []}), "--prune", "--yes")
    assert configs(door.world) == {}


def test_what_somebody_edits_while_it_is_asked_about_is_not_pruned(
    door: Door, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.rubato("apply", file(SHOP), "--yes", *AT)
    monkeypatch.setattr("cli.blueprints.commands._is_attended", lambda: True)

    def edit(_question: str) -> bool:
        door.rubato("apply", file(changed(name="stock", tier="health"), "other.json"), "--yes", *AT)
        return True

    monkeypatch.setattr("typer.confirm", edit)
    said = door.rubato("apply", file({**SHOP, "endpoints": [SHOP["endpoints"][1]]}), "--prune", *AT).splitlines()
    assert said[-2].startswith("deleted endpoint report (job ")
    assert said[-1].startswith("not deleted, somebody edited it since it was compared: stock")
    assert set(configs(door.world)) == {"front page", "stock"}


def test_what_stays_may_not_wait_for_what_is_pruned(door: Door, file: File) -> None:
    door.rubato("apply", file(SHOP), "--yes", *AT)
    without = {**SHOP, "endpoints": [SHOP["endpoints"][0], SHOP["endpoints"][1]]}
    with pytest.raises(Trouble, match=r"endpoints\[0\] \('report'\): names 'stock', which is no endpoint of the job"):
        door.rubato("apply", file(without), "--prune", "--yes", *AT)


def test_who_waits_for_whom_can_be_turned_round(door: Door, file: File) -> None:
    door.rubato("apply", file(SHOP), "--yes", *AT)
    turned = changed(name="stock", dependsOn=[])
    turned["endpoints"][1] = {**turned["endpoints"][1], "dependsOn": ["stock"]}
    door.rubato("apply", file(turned), "--yes", *AT)
    assert stored(door)["front page"]["dependsOn"] == ["stock"] and stored(door)["stock"]["dependsOn"] == []


@pytest.mark.parametrize("options", [(), ("--full",), ("--yaml",), ("--full", "--yaml")])
def test_applying_an_export_changes_nothing(door: Door, file: File, options: tuple[str, ...]) -> None:
    door.rubato("apply", file(SHOP), "--yes", *AT)
    exported = door.rubato("export", "shop", *options)
    door.requests.clear()
    name = "export.yaml" if "--yaml" in options else "export.json"
    assert "nothing to do" in door.rubato("apply", file(exported, name), "--prune") and door.writes == []
    assert "nothing to do" in door.rubato("apply", "-", stdin=exported)


def test_an_export_makes_the_same_job_elsewhere_once_its_secrets_are_put_in(door: Door, file: File) -> None:
    door.rubato("apply", file(SHOP), "--yes", *AT)
    exported = door.rubato("export", "shop")
    assert '"Bearer abc"' not in exported and '"authorization": "***"' in exported
    with opened(MemoryWorld()) as other:
        with pytest.raises(Trouble, match=r"'front page'\) request.headers: authorization is \*\*\*"):
            other.rubato("apply", file(exported), "--yes")
        assert other.writes == []
        other.rubato("apply", file(exported.replace("***", "Bearer ${token}")), "--yes", "--set", "token=xyz")
        assert other.rubato("export", "shop", "--full") == door.rubato("export", "shop", "--full")
        sent = dict(configs(other.world)["front page"].request.headers)
        assert sent == {"accept": "text/html", "authorization": "Bearer xyz"}


def test_an_export_says_only_what_differs_from_the_defaults(door: Door, file: File) -> None:
    door.rubato("apply", file(SHOP), "--yes", *AT)
    exported = yaml.safe_load(door.rubato("export", "shop", "--yaml"))
    assert exported["job"] == {
        "name": "shop", "tags": ["web"], "defaults": {"timeoutMs": 5000}, "notifications": {"afterFailures": 3}
    }  # fmt: skip
    assert exported["endpoints"][1] == {
        "name": "stock",
        "request": {"url": "http://127.0.0.1:9000/stock"},
        "baseline": {"cron": "0 9 * * *", "timezone": "UTC"},
        "dependsOn": ["front page"],
        "metadata": {"team": {"lead": "anne", "size": 3}},
    }


def test_headers_body_and_metadata_are_meant_whole_and_null_is_the_default(door: Door, file: File) -> None:
    door.rubato("apply", file(SHOP), "--yes", *AT)
    request = {"url": "${shop}/", "headers": {"authorization": "***"}}
    edited = changed(name="front page", request=request, successCodes=None)
    edited["endpoints"][2] = {**edited["endpoints"][2], "metadata": {"team": {"lead": "bob"}}}
    said = door.rubato("apply", file(edited), "--yes", *AT)
    assert "- request.headers.accept" in said and "- metadata.team.size: 3" in said
    after = stored(door)
    assert after["front page"]["request"]["headers"] == {"authorization": "***"}
    assert after["front page"]["successCodes"] == ["200-299"] and after["stock"]["metadata"] == {
        "team": {"lead": "bob"}
    }
    assert "nothing to do" in door.rubato("apply", file(edited), *AT)


def test_secrets_are_written_when_told_and_shown_never(door: Door, file: File) -> None:
    said = door.rubato("apply", file(SHOP), "--yes", *AT)
    headers = {"Authorization": "Bearer new", "Accept": "text/html"}
    edited = changed(name="front page", request={"url": "${shop}/", "headers": headers})
    said += door.rubato("apply", file(edited), *AT)
    said += door.rubato("apply", file(edited), "--yes", "--secrets", *AT)
    assert "changed endpoint front page" in said and "Bearer" not in said
    assert dict(configs(door.world)["front page"].request.headers)["Authorization"] == "Bearer new"


def test_a_secret_that_is_stored_stays_whatever_else_of_the_request_changes(door: Door, file: File) -> None:
    door.rubato("apply", file(SHOP), "--yes", *AT)
    headers = {"AUTHORIZATION": "Bearer new", "X-Api-Key": "added"}
    edited = changed(name="front page", request={"url": "${shop}/home", "method": "POST", "headers": headers})
    said = door.rubato("apply", file(edited), "--yes", *AT)
    assert '  + request.headers.x-api-key: "***"' in said.splitlines()
    assert "(--secrets writes them): front page: AUTHORIZATION" in said.splitlines()[-2]
    request = configs(door.world)["front page"].request
    assert request.url == "http://127.0.0.1:9000/home"
    assert dict(request.headers) == {"Authorization": "Bearer abc", "X-Api-Key": "added"}


def test_what_stopped_half_way_says_what_was_done_and_goes_on_when_applied_again(door: Door, file: File) -> None:
    door.dies_after = 2
    with pytest.raises(Trouble) as stopped:
        door.rubato("apply", file(SHOP), "--yes", *AT)
    assert "can't create endpoint 'stock'" in str(stopped.value) and "503 down" in str(stopped.value)
    assert "Before that: created job shop; created endpoint front page." in str(stopped.value)
    assert "apply it again" in str(stopped.value)
    door.dies_after = None
    said = door.rubato("apply", file(SHOP), "--yes", *AT)
    assert "created endpoints stock, report" in said and "job shop;" not in said
    assert "nothing to do" in door.rubato("apply", file(SHOP), *AT)


def test_what_somebody_changed_after_the_comparison_is_not_overwritten(
    door: Door, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.rubato("apply", file(SHOP), "--yes", *AT)
    monkeypatch.setattr("cli.blueprints.commands._is_attended", lambda: True)

    def edit(_question: str) -> bool:
        door.rubato("apply", file(changed(name="stock", tier="health"), "other.json"), "--yes", *AT)
        return True

    monkeypatch.setattr("typer.confirm", edit)
    with pytest.raises(Trouble, match=r"412.*read it again"):
        door.rubato("apply", file(changed(name="stock", description="mine")), *AT)
    assert stored(door)["stock"]["tier"] == "health" and stored(door)["stock"]["description"] is None


def test_an_archived_job_of_that_name_is_left_in_peace(door: Door, file: File) -> None:
    door.rubato("apply", file(SHOP), "--yes", *AT)
    (job,) = jobs(door.world)
    assert Client(door.world)("DELETE", f"/jobs/{job.job_id}").status == 200
    assert "created job shop" in door.rubato("apply", file(SHOP), "--yes", *AT)


def test_of_two_jobs_of_one_name_the_id_decides(door: Door, file: File) -> None:
    ids = [Client(door.world)("POST", "/jobs", {"name": "shop"}).body["jobId"] for _ in range(2)]
    with pytest.raises(Trouble, match=f"2 jobs are named 'shop': .*{ids[0]}.*name one by its id"):
        door.rubato("apply", file(SHOP), "--yes", *AT)
    assert ids[0] in door.rubato("apply", file(SHOP), "--yes", "--job", ids[0], *AT)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is no JSON"),
        ([1], "must be an object"),
        ({"jobs": {}}, "unknown jobs; there is job, endpoints, description, assumptions"),
        ({"job": {}}, "job.name is required"),
        ({"job": {"name": "x"}, "endpoints": [{}]}, r"endpoints\[0\].name is required"),
        ({"job": {"name": "x"}, "endpoints": [{"name": "a"}, {"name": "a"}]}, "two are named 'a'"),
        ({"job": {"name": "x", "tagz": []}}, r"shop.json: job tagz: unknown field; remove it"),
        (changed(name="stock", baseline={"cron": "0 0 31 2 *"}), r"endpoints\[2\] \('stock'\) baseline.cron"),
        (changed(name="stock", timeoutMs=5), r"endpoints\[2\] \('stock'\) timeoutMs: .*greater than or equal to 1000"),
        (changed(name="stock", dependsOn=["gone"]), r"\('stock'\): names 'gone', which is no endpoint"),
        (changed(name="stock", dependsOn=["stock"]), r"\('stock'\): names itself"),
        (changed(name="stock", dependsOn=["report"]), "wait for each other: .*; take one name out"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_place_before_anything_is_written(
    door: Door, file: File, content: Any, said: str
) -> None:
    values = AT if "${shop}" in json.dumps(content) else ()
    with pytest.raises(Trouble, match=said):
        door.rubato("apply", file(content), "--yes", *values)
    assert door.writes == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("job: {name: x, 1: 1}", "the name 1 is no text in YAML; put it in quotes"),
        ("job: {name: x, owner: !!timestamp 2025-01-01}", "job.owner: 2025-01-01 is a date in YAML; put it in quotes"),
        ("job: [", "is no YAML"),
        ("job: {name: x, tags: &a [b], owner: *a}", "is no YAML: .*a is an alias; write out what it is for"),
        ("job: &a {name: x, metadata: *a}", "is an alias"),
        ("job:\n  name: x\n  name: y", "'name' is given twice"),
        ('{"job": {"name": "x", "name": "y"}}', "is no JSON: 'name' is given twice"),
        ('{"job": {"name": "x", "cost": NaN}}', "NaN is no number"),
        ('{"job": ' + "[" * 200 + "]" * 200 + "}", "nested more than 100 levels deep"),
    ],
)
def test_what_can_be_read_in_two_ways_or_without_end_is_refused(text: str, said: str) -> None:
    with pytest.raises(Trouble, match=f"(?s)shop: .*{said}"):
        read_text(text)


def read_text(text: str) -> dict[str, Any]:
    return blueprint_of(parsed(text, "shop"), "shop", {}).job


def test_bare_words_of_yaml_are_texts_but_for_true_false_null_and_numbers_of_json() -> None:
    words = "NO, yes, on, Off, y, 12:30:00, 01234, 0o17, 0x1F, 1_000, +1, .5, 1., 2025-01-01, .inf, <<, ="
    assert read_text(f"job: {{name: x, tags: [{words}]}}")["tags"] == words.split(", ")
    assert read_text("job: {name: x, tags: [true, False, null, ~, 0, -7, 1.5, 1e3]}")["tags"] == [
        True, False, None, None, 0, -7, 1.5, 1000.0
    ]  # fmt: skip


def test_an_export_as_yaml_is_read_alike_by_every_reader() -> None:
    texts = ["NO", "yes", "12:30:00", "01234", "1e5", "1.5e3", "true", "null", "", "~", "2025-01-01", "plain"]
    value = {"once": texts, "again": texts, "numbers": [1, 1.5, 1e20, -3, True, None]}
    written = write_yaml(value)
    assert read_yaml(written) == value == yaml.safe_load(written)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ((), r"has no value for \$\{shop\}; add --set shop=\.\.\."),
        (("--set", "SEKRET"), "^(?!.*SEKRET).*write it as name=value"),
        (("--set", "api-key=SEKRET"), "^(?!.*SEKRET)--set api-key=.*a name has letters A-Z"),
        ((*AT, *AT), "given twice"),
        ((*AT, "--set", "shopp=1"), r"--set shopp is used nowhere in it; it has \$\{shop\}"),
    ],
)
def test_variables_are_all_given_and_all_used(door: Door, file: File, settings: tuple[str, ...], said: str) -> None:
    with pytest.raises(Trouble, match=said):
        door.rubato("apply", file(SHOP), "--yes", *settings)


def test_texts_survive_being_escaped_and_filled() -> None:
    for text in ("${a}", "$${a}", "$$${a}", "${", "$", "${a}${a}", "a$${b}c${d}"):
        assert fill(escape({"x": [text]}), {}) == {"x": [text]}


def test_a_lost_answer_creates_nothing_twice(door: Door, file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    send, lost = httpx.Client.request, list[str]()

    def lose(client: httpx.Client, method: str, path: str, **asked: Any) -> httpx.Response:
        answer = send(client, method, path, **asked)
        if method == "POST" and path not in lost:
            lost.append(path)
            raise httpx.ReadTimeout("the answer was lost")
        return answer

    monkeypatch.setattr(httpx.Client, "request", lose)
    door.rubato("apply", file(SHOP), "--yes", *AT)
    assert lost and len(jobs(door.world)) == 1 and len(configs(door.world)) == 3


RULED: dict[str, Any] = {
    "job": {
        "name": "ruled",
        "timezone": "Europe/Berlin",
        "rules": [
            {
                "name": "surge",
                "when": "endpoints.page.body.visitors > `100`",
                "for": "1m",
                "then": [{"proposeInterval": {"endpoint": "page", "intervalMs": 30_000}}],
                "otherwise": [{"clearHints": {"endpoint": "page"}}],
            },
            {
                "name": "night",
                "when": "minuteOfDay < `60`",
                "then": [{"pauseUntil": {"endpoint": "page", "until": None}}],
            },
        ],
    },
    "endpoints": [
        {
            "name": "page",
            "request": {"url": "http://127.0.0.1:9000/"},
            "baseline": {"intervalMs": 300_000},
            "clamp": {"minIntervalMs": 30_000},
        }
    ],
}


def ruled(**rule: Any) -> dict[str, Any]:
    """RULED with other fields of its first rule."""
    first, second = RULED["job"]["rules"]
    return {**RULED, "job": {**RULED["job"], "rules": [{**first, **rule}, second]}}


def test_rules_are_written_after_the_endpoints_that_they_are_for(door: Door, file: File) -> None:
    door.rubato("apply", file(RULED), "--yes")
    assert [method for method, _ in door.writes] == ["POST", "POST", "PATCH"]
    assert door.writes[-1][1].startswith("/jobs/")
    (job,) = door.jobs()
    assert [rule["name"] for rule in job["rules"]] == ["surge", "night"] and job["ruleWarnings"] == []
    assert "nothing to do" in door.rubato("apply", file(RULED))


def test_a_rule_beyond_the_old_clamp_may_come_with_the_new_one(door: Door, file: File) -> None:
    door.rubato("apply", file(RULED), "--yes")
    faster = ruled(then=[{"proposeInterval": {"endpoint": "page", "intervalMs": 10_000}}])
    with pytest.raises(Trouble, match=r"10000 is below clamp\.minIntervalMs 30000"):
        door.rubato("apply", file(faster), "--yes")
    page = {**RULED["endpoints"][0], "clamp": {"minIntervalMs": 5000}}
    owned = {**faster, "job": {**faster["job"], "owner": "anne"}, "endpoints": [page]}
    assert "changed job ruled; changed endpoint page" in door.rubato("apply", file(owned), "--yes")
    assert "nothing to do" in door.rubato("apply", file(owned))


def test_changes_of_rules_are_told_by_the_rules_name(door: Door, file: File) -> None:
    door.rubato("apply", file(RULED), "--yes")
    said = door.rubato("apply", file(ruled(cooldown="10m")), "--dry-run").splitlines()
    assert said[:2] == ["change job ruled", '  ~ rules[surge].cooldown: "0s" -> "10m"'] and len(said) == 3
    fewer = {**RULED, "job": {**RULED["job"], "rules": RULED["job"]["rules"][1:]}}
    assert "  - rules[surge].when" in door.rubato("apply", file(fewer), "--dry-run")
    turned = {**RULED, "job": {**RULED["job"], "rules": RULED["job"]["rules"][::-1]}}
    assert "  ~ rules: in another order" in door.rubato("apply", file(turned), "--yes")
    assert "nothing to do" in door.rubato("apply", file(turned))


def test_an_exported_job_has_its_rules_as_they_were_written(door: Door, file: File) -> None:
    door.rubato("apply", file(RULED), "--yes")
    exported = json.loads(door.rubato("export", "ruled"))
    assert exported["job"] == RULED["job"]
    assert "nothing to do" in door.rubato("apply", "-", stdin=json.dumps(exported))


def test_what_is_wrong_with_a_rule_is_told_with_its_place(door: Door, file: File) -> None:
    with pytest.raises(Trouble, match=r"shop.json: job rules.0.for: '1 min' is no duration|rules.0.for"):
        door.rubato("apply", file(ruled(**{"for": "1 min"})), "--yes")
    assert door.writes == []
