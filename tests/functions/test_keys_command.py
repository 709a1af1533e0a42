"""`rubato keys` against the tables of a stack, over moto's DynamoDB."""

import json

import boto3
import pytest
from typer.testing import CliRunner

from cli import keys as command
from rubato.bootstrap import AwsWorld
from rubato.domain.access import ALL_SCOPES, key_id_of
from rubato.domain.budget import Budget
from rubato.domain.hints import ActorKind
from rubato.usecases.authenticate import authenticate
from tests.worlds import a_job, a_key

OUTPUTS = {"KeysTableName": "keys", "AuditTableName": "audit", "JobsTableName": "jobs"}


@pytest.fixture
def stack(world: AwsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """What looking up the stack would find."""
    deployed = command._world(OUTPUTS, retention_days=7, region_name="eu-central-1")
    monkeypatch.setattr(command, "_deployed", lambda _stack, _region: deployed)


def keys(*words: str) -> str:
    done = CliRunner().invoke(command.app, words)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.usefixtures("stack")
def test_a_key_is_made_listed_and_revoked_from_the_command_line(world: AwsWorld) -> None:
    made = json.loads(keys("create", "--tenant", "acme", "--scopes", "jobs:read", "--label", "ci", "--json"))
    assert authenticate(world, {"x-api-key": made["apiKey"]}).key_id == made["keyId"]
    keys("revoke", made["keyId"])
    listed = json.loads(keys("list", "--tenant", "acme", "--json"))
    assert [each["keyId"] for each in listed] == [made["keyId"]]
    assert listed[0]["revokedAt"] is not None and listed[0]["lastUsedAt"] == "2025-01-01T00:00:00.000Z"
    assert "apiKey" not in listed[0]


@pytest.mark.usefixtures("stack")
def test_an_agents_key_has_its_owner_and_its_budget(world: AwsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    job = a_job(world).job_id
    words = ("create", "--tenant", "acme", "--agent", "scout", "--owner", "shop team", "--scopes", "schedule:write")
    made = json.loads(keys(*words, "--changes-per-hour", "20", "--job", job, "--no-delete", "--json"))
    caller = authenticate(world, {"x-api-key": made["apiKey"]})
    assert caller.budget == Budget(changes_per_hour=20, job_ids=frozenset({job}), may_delete=False)
    assert caller.kind is ActorKind.AGENT and caller.delegation is not None
    assert (caller.delegation.agent_name, caller.delegation.owner) == ("scout", "shop team")
    assert "20 changes/h, 1 job(s), no deleting" in " ".join(keys("list", "--tenant", "acme").split())
    again = json.loads(keys(*words, "--json"))
    assert again["agentId"] == made["agentId"] and again["keyId"] != made["keyId"]


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--agent", "scout"), "go together"),
        (("--agent", "scout", "--owner", "somebody else"), "acts on behalf of 'shop team'"),
        (("--scopes", "jobs:read", "--job", "job_unknown"), "no job 'job_unknown'"),
        (("--scopes", "all", "--no-delete"), "can't have keys:read or keys:write"),
    ],
)
def test_a_key_that_can_not_be_made_is_explained(words: tuple[str, ...], why: str) -> None:
    keys("create", "--agent", "scout", "--owner", "shop team", "--scopes", "jobs:read")
    done = CliRunner().invoke(command.app, ["create", *words])
    assert done.exit_code == 1 and why in done.output


@pytest.mark.usefixtures("stack")
def test_what_an_operator_does_with_keys_is_in_the_audit_trail_for_as_long_as_the_stack_says(world: AwsWorld) -> None:
    made = json.loads(keys("create", "--tenant", "acme", "--json"))
    keys("revoke", made["keyId"])
    events = world.trail.of_subject(made["keyId"], 10, None).items
    assert [event.action for event in events] == ["revokeApiKey", "createApiKey"]
    assert {(event.actor.id, event.tenant_id) for event in events} == {("operator", "acme")}
    item = boto3.client("dynamodb", region_name="eu-central-1").get_item(
        TableName="keys", Key={"keyId": {"S": made["keyId"]}}
    )["Item"]
    assert int(item["ttl"]["N"]) == int(item["revokedAt"]["N"]) // 1000 + 7 * 86_400


@pytest.mark.usefixtures("stack")
def test_no_label_keeps_the_operator_from_seeing_the_keys(world: AwsWorld) -> None:
    """Whoever may make keys names them, and rich takes printable letters for commands: [/] used to end the list."""
    for label in ("[/]", "[b]x"):
        keys("create", "--tenant", "acme", "--label", label)
    listed = keys("list", "--tenant", "acme")
    assert "[/]" in listed and "[b]x" in listed


@pytest.mark.usefixtures("stack")
def test_all_keys_are_listed_however_many_there_are(world: AwsWorld) -> None:
    at = {"region_name": "eu-central-1"}
    tokens = [command.create_key(outputs=OUTPUTS, tenant="acme", scopes=None, label="local", client_kwargs=at)]
    for _ in range(50):
        _, token = a_key(world, "acme", label="x", kind=ActorKind.SERVICE, scopes=ALL_SCOPES)
        tokens.append(token)
    listed = json.loads(keys("list", "--tenant", "acme", "--json"))
    assert {each["keyId"] for each in listed} == {key_id_of(token) for token in tokens} and len(listed) == 51
