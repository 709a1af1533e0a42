"""What each function may do, against what it does: nothing is missing, and nothing is granted that is never used.

`pytest -s tests/functions/test_least_privilege.py` prints the comparison.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import boto3
import pytest
from cfnlint.decode import cfn_yaml
from rich.console import Console
from rich.table import Table

from rubato.bootstrap import AwsWorld
from rubato.domain.exchange import Call, Reply
from rubato.domain.instant import HOUR, MINUTE, SECOND
from rubato.settings import ModelSettings
from tests import examples
from tests.functions.conftest import ROOT, event
from tests.functions.house import READS, House, Used, api_event, batch
from tests.worlds import ANNE, ScriptedTarget, a_job, a_key

POLLER = "Lambda's poller does it with the function's role; no code of ours"
RUNTIME = "Lambda's runtime does it with the function's role; no code of ours"
TRACER = "Lambda's X-Ray daemon does it with the function's role; no code of ours"
# Granted, and used by no code: (action, why). Whatever else is granted has to be used.
NOT_BY_CODE = {
    "logs:CreateLogStream": RUNTIME,
    "logs:PutLogEvents": RUNTIME,
    "xray:PutTraceSegments": TRACER,
    "xray:PutTelemetryRecords": TRACER,
    "sqs:ReceiveMessage": POLLER,
    "sqs:DeleteMessage": POLLER,
    "sqs:GetQueueAttributes": POLLER,
}
KEY_ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:key"
PARAMETER_ARN = "arn:aws:ssm:eu-central-1:123456789012:parameter/key"
STACK = "test"  # the world's VAULT
SAID = {
    "get_latest_response": {"includeBody": True},
    "propose_interval": {"intervalMs": 55_000, "ttlMinutes": 5, "reason": "busy"},
    "clear_hints": {"reason": "over"},
    "propose_next_time": {"nextRunInMs": 5_000, "ttlMinutes": 5, "reason": "look"},
    "submit_analysis": {"reasoning": "ok", "confidence": 1, "nextAnalysisIn": 5},
}
CALLS = [
    {"id": name, "type": "function", "function": {"name": name, "arguments": json.dumps(given)}}
    for name, given in SAID.items()
]
USAGE = {"prompt_tokens": 9, "completion_tokens": 1}
MODEL_SAYS = json.dumps({"choices": [{"message": {"tool_calls": CALLS}}], "usage": USAGE}).encode()


@cache
def granted() -> set[Used]:
    """Everything in template.yaml, what is granted only on request too."""
    resources = cfn_yaml.load(str(ROOT / "template.yaml"))["Resources"]
    found = set()
    for name, function in resources.items():
        if function["Type"] != "AWS::Serverless::Function":
            continue
        role = function["Properties"]["Role"]["Fn::GetAtt"][0]
        policies = [each["PolicyDocument"] for each in resources[role]["Properties"]["Policies"]]
        policies += [
            each["Properties"]["PolicyDocument"]
            for each in resources.values()
            if each["Type"] == "AWS::IAM::Policy" and {"Ref": role} in each["Properties"]["Roles"]
        ]
        short = name.removesuffix("Function").lower()
        found |= {(short, *each) for policy in policies for each in _statements(policy)}
    return found


def _statements(policy: Any) -> Iterator[tuple[str, str]]:
    for statement in policy["Statement"]:
        actions, resources = statement["Action"], statement["Resource"]
        for action in [actions] if isinstance(actions, str) else actions:
            for resource in resources if isinstance(resources, list) else [resources]:
                yield action, _name_of(resource)


def _name_of(resource: Any) -> str:
    if isinstance(resource, str):
        return resource
    ((kind, value),) = resource.items()
    if kind == "Fn::Sub":
        text = value if isinstance(value, str) else value[0]
        return re.sub(r"\$\{(\w+)\.Arn\}", r"\1", text).replace("${AWS::StackName}", STACK)
    return str(value[0] if kind == "Fn::GetAtt" else value)


def covers(grant: Used, used: Used) -> bool:
    """Whether this grant lets that be done. Tables, indexes and queues are named alike; others by what they are."""
    if grant[:2] != used[:2]:
        return False
    service, resource, wanted = grant[1].partition(":")[0], grant[2], used[2]
    if service in ("dynamodb", "sqs"):
        return resource == wanted
    if ":parameter/rubato/" in resource:
        return bool(re.fullmatch(re.escape(resource.partition(":parameter")[2]).replace(r"\*", ".+"), wanted))
    kinds = {"NotificationTopicArn": "topic", "NotificationTopic": "mail", "TickFunction": "rubato-tick"}
    return wanted == kinds.get(resource, wanted) or wanted.endswith(f":{kinds.get(resource)}")


def calls_of_the_documentation(house: House) -> None:
    """Every action, with every example of docs/api.md."""
    key, _ = a_key(house.world)

    def send(method: str, path: str, headers: Mapping[str, str], body: str) -> tuple[int, str]:
        route, _, query = path.partition("?")
        answer = house.call("api", api_event(method, route, key.key_id, body, dict(parse_qsl(query)), headers))
        house.world.clock.sleep_until(house.world.clock.now() + 1)
        return answer["statusCode"], answer["body"]

    examples.play(list(examples.read(examples.API_MD.read_text())), send, {"unique": "8e03978e"})
    # A request that is refused gives its Idempotency-Key back.
    refused = json.dumps({"name": "x", "request": {"url": "http://10.0.0.1/"}, "baseline": {"intervalMs": 60_000}})
    job = a_job(house.world, name="refusing")
    assert send("POST", f"/jobs/{job.job_id}/endpoints", {"Idempotency-Key": "again"}, refused)[0] == 422


def send(house: House, method: str, path: str, body: Any = None) -> Any:
    """An action that succeeds, as a caller with every scope."""
    text = json.dumps(body) if body is not None else None
    answer = house.call("api", api_event(method, path, ANNE.key_id, text, {}, {}))
    assert answer["statusCode"] < 300, answer
    return json.loads(answer["body"]) if answer["body"] else None


def a_lively_job(house: House) -> tuple[str, dict[str, str]]:
    """Rules, a planner, secrets, signatures, notices, a follower and slow calls; gives its id and endpoints."""
    turns = {"afterFailures": 1, "onRecovery": True}
    job = send(house, "POST", "/jobs", {"name": "lively", "notifications": turns, "planner": {"enabled": True}})[
        "jobId"
    ]
    send(house, "PUT", f"/jobs/{job}/secrets/TOKEN", {"value": "s3cr3t"})
    send(house, "POST", "/signing-keys", {})
    baselines = {"fast": {"intervalMs": 60_000}, "next": {"after": ["fast"]}, "slow": {"intervalMs": 150_000}}
    made = {}
    for name, baseline in {**baselines, "rare": {"intervalMs": 3_600_000}, "stolen": {"manual": True}}.items():
        request = {"url": f"http://127.0.0.1/{name}", "headers": {"Authorization": "Bearer {{secret:TOKEN}}"}}
        config = {"name": name, "request": request, "baseline": baseline, "timeoutMs": 10_000}
        made[name] = send(house, "POST", f"/jobs/{job}/endpoints", config)["endpointId"]
    when = "endpoints.fast.statusCode == `200` && endpoints.fast.runsLastHour > `0`"
    hints = [
        {"proposeInterval": {"endpoint": name, "intervalMs": 50_000, "ttlMinutes": 1}} for name in ("fast", "slow")
    ]
    rule = {"when": when, "then": hints, "otherwise": [{"clearHints": {"endpoint": "slow"}}]}
    rules = [{**rule, "name": "waits", "for": "1m"}, {**rule, "name": "often"}]
    rules += [{**rule, "name": "holds", "when": "`true`", "for": "12h"}]
    send(house, "PATCH", f"/jobs/{job}", {"rules": rules})
    return job, made


def live(house: House, endpoints: dict[str, str]) -> None:
    """Some minutes: a one-shot that fires, and one that is lost; a run that a slow worker loses to another."""
    send(house, "POST", f"/endpoints/{endpoints['fast']}/hints/one-shot", {"runInMs": 5_000})
    send(house, "POST", f"/endpoints/{endpoints['stolen']}/run")
    house.play(3, "tick")
    house.play(1, "tick", "planner")
    send(house, "POST", f"/endpoints/{endpoints['slow']}/run")
    send(house, "GET", "/runs")
    send(house, "POST", f"/endpoints/{endpoints['rare']}/hints/one-shot", {"runInMs": 200_000, "ttlMinutes": 4})
    house.lose_messages()
    house.world.clock.sleep_until(house.world.clock.now() + 10 * MINUTE)
    house.play(1, "tick")


def poison(house: House) -> None:
    """What nobody can read goes back to its queue."""
    for queue, function in READS.items():
        assert len(house.call(function, batch(queue, "nonsense"))["batchItemFailures"]) == 1


def target(house: House) -> ScriptedTarget:
    """Slow where its path says so, failing every third minute; as a model, it steers and submits at once."""
    asked: list[str] = []

    def answer(call: Call) -> Reply:
        path = call.url.rpartition("/")[2]
        asked.append(path)
        if path == "completions":
            if asked.count(path) == 1:  # its message came twice
                house.call("planner", batch("AnalysisQueue", house.delivered))
            return Reply(duration_ms=1, status_code=200, body=MODEL_SAYS)
        if path == "stolen" and asked.count(path) == 1:
            house.world.clock.sleep_until(house.world.clock.now() + 2 * MINUTE)
            house.call("tick", event("tick-scheduled"))
            house.deliver(house.world.clock.now() + SECOND)
        slow = 6_000 if path == "slow" else 1
        house.world.clock.sleep_until(house.world.clock.now() + slow)
        is_down = house.world.clock.now() // MINUTE % 3 == 0
        return Reply(duration_ms=slow, status_code=500 if is_down else 200, body=b"{}")

    return ScriptedTarget(house.world.clock, answer)  # type: ignore[arg-type]


def with_a_model(world: AwsWorld, model: ModelSettings) -> None:
    """As if the deployment named this one."""
    limits = replace(world.limits, planning=replace(world.limits.planning, model=model.name))
    world.settings = replace(world.settings, model=model, limits=limits)
    world.__dict__.pop("model", None)


def ask_models(house: House) -> None:
    """An analysis with the key from the other store, and one by Bedrock, for which nobody answers here."""
    model = house.world.settings.model
    for other in (replace(model, key_arn=PARAMETER_ARN), replace(model, provider="bedrock")):
        with_a_model(house.world, other)
        house.world.clock.sleep_until(house.world.clock.now() + HOUR)
        house.call("planner", event("planner-scheduled"))
        house.deliver_one("AnalysisQueue")


def hold_and_release(house: House) -> None:
    """A quota that is used up, and lifted; a tick that shares its work out."""
    world, settings = house.world, house.world.settings
    world.settings = replace(settings, limits=replace(settings.limits, max_runs_per_day=1), function_name="rubato-tick")
    house.play(1, "tick")
    world.settings = replace(settings, limits=replace(settings.limits, tick_workers=2), function_name="rubato-tick")
    house.play(1, "tick")


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> House:
    """With everything switched on that a parameter can switch on; the model comes later."""
    arn = "arn:aws:sns:eu-central-1:123456789012:"
    for name, topic in (("NOTIFICATION_TOPIC_ARN", "topic"), ("NOTIFICATION_MAIL_TOPIC_ARN", "mail")):
        monkeypatch.setenv(name, arn + topic)
    monkeypatch.setenv("EVENT_BUS_NAME", "default")
    monkeypatch.setenv("SCHEDULE_SHARDS", "2")  # a look at sixteen takes eight times as long
    found = House(request.getfixturevalue("world"), monkeypatch)
    sns, manager, ssm = (boto3.client(each, region_name="eu-central-1") for each in ("sns", "secretsmanager", "ssm"))
    for topic in ("topic", "mail"):
        sns.create_topic(Name=topic)
    manager.create_secret(Name="key", SecretString="sk-1")
    ssm.put_parameter(Name="key", Value="sk-1", Type="SecureString")
    found.world.telemetry._logger.setLevel("CRITICAL")
    found.world.outbound = target(found)
    return found


def test_each_function_may_do_what_it_does_and_nothing_else(house: House) -> None:
    calls_of_the_documentation(house)
    _, token = a_key(house.world)
    house.call("authorizer", {**event("authorizer-request"), "headers": {"x-api-key": token}})
    for target in ("health", "flaky"):
        house.call("synthetic", {**event("api-unknown-route"), "path": f"/synthetic/{target}"})
    with_a_model(house.world, ModelSettings(provider="openai", model_id="m", url="http://127.0.0.1:9", key_arn=KEY_ARN))
    job, endpoints = a_lively_job(house)
    live(house, endpoints)
    poison(house)
    ask_models(house)
    send(house, "PATCH", f"/jobs/{job}", {"status": "paused"})
    house.play(1, "tick")
    send(house, "PATCH", f"/jobs/{job}", {"status": "active"})
    hold_and_release(house)
    for endpoint_id in endpoints.values():
        send(house, "DELETE", f"/endpoints/{endpoint_id}")
    house.play(1, "tick", "planner")
    allowed, used = granted(), house.used
    missing = {each for each in used if not any(covers(grant, each) for grant in allowed)}
    unused = {grant for grant in allowed if not any(covers(grant, each) for each in used)}
    rows = tell(allowed, unused, missing)
    assert missing == set(), "done, and not allowed"
    assert {grant for grant in unused if grant[1] not in NOT_BY_CODE} == set(), "allowed, and never done"
    assert set(NOT_BY_CODE) == {action for _, action, _ in unused}, "an exception that is none"
    page = (ROOT / "docs" / "security.md").read_text()
    assert [row for row in rows if f"| {' | '.join(row)} |" not in page] == [], "docs/security.md says otherwise"


def tell(allowed: set[Used], unused: set[Used], missing: set[Used]) -> list[tuple[str, ...]]:
    """Print the comparison, a row a grant, and its summary, which is given."""
    table = Table("Function", "Action", "Resource", "Used")
    for grant in sorted(allowed):
        idle = "by AWS" if grant[1] in NOT_BY_CODE else "NO"
        table.add_row(*grant, idle if grant in unused else "yes")
    for each in sorted(missing):
        table.add_row(*each, "NOT ALLOWED")
    rows = [_summary(function, allowed, unused, missing) for function in sorted({grant[0] for grant in allowed})]
    summary = Table("Function", "Allowed", "Used by code", "Used by AWS for it", "Unused", "Missing")
    for row in rows:
        summary.add_row(*row)
    console = Console(width=170)
    console.print(table)
    console.print(summary)
    return rows


def _summary(function: str, allowed: set[Used], unused: set[Used], missing: set[Used]) -> tuple[str, ...]:
    mine, idle, lost = (sum(each[0] == function for each in group) for group in (allowed, unused, missing))
    by_aws = sum(each[0] == function and each[1] in NOT_BY_CODE for each in unused)
    return function, *map(str, (mine, mine - idle, by_aws, idle - by_aws, lost))


@pytest.mark.parametrize(
    ("used", "is_covered"),
    [
        (("tick", "dynamodb:Query", "EndpointsTable/index/due"), True),
        (("tick", "dynamodb:Query", "EndpointsTable/index/looks"), False),
        (("tick", "dynamodb:Scan", "EndpointsTable"), False),
        (("authorizer", "dynamodb:PutItem", "KeysTable"), False),
        (("api", "ssm:PutParameter", "/rubato/test/secrets/job_1/TOKEN"), True),
        (("api", "ssm:PutParameter", "/rubato/test/other/x"), False),
        (("api", "ssm:PutParameter", "/rubato/other/secrets/job_1/TOKEN"), False),
        (("api", "ssm:GetParameters", "/rubato/test/secrets/job_1/TOKEN"), False),
        (("dispatcher", "sns:Publish", "arn:aws:sns:eu-central-1:123456789012:other"), False),
    ],
)
def test_the_comparison_would_notice(used: Used, is_covered: bool) -> None:
    assert any(covers(grant, used) for grant in granted()) == is_covered
