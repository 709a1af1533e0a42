"""`rubato keys`: API keys, made and revoked with the deployer's own AWS credentials."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any

import boto3
import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rubato.adapters.clock import SystemClock
from rubato.bootstrap import AwsWorld
from rubato.domain.access import ALL_SCOPES, ApiKey, Caller, Scope
from rubato.domain.budget import MAX_CHANGES_PER_HOUR, UNLIMITED, Budget
from rubato.domain.errors import Conflict, Invalid, NotFound
from rubato.domain.hints import ActorKind
from rubato.domain.instant import DAY, SECOND, to_iso
from rubato.domain.limits import Limits
from rubato.settings import Settings
from rubato.usecases import manage_keys
from rubato.usecases.manage_agents import agent_named
from rubato.usecases.manage_keys import KeyDraft, operator
from rubato.usecases.pages import every

app = typer.Typer(help="Create, list and revoke API keys, with your AWS credentials.", no_args_is_help=True)

_RETENTION_DAYS = 30  # of RunRetentionDays in template.yaml

Stack = Annotated[str, typer.Option(help="Name of the deployed stack.", envvar="RUBATO_STACK")]
Region = Annotated[str | None, typer.Option(help="AWS region; by default that of your AWS configuration.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Tenant = Annotated[str, typer.Option(help="Tenant that the key belongs to.")]


@app.command()
def create(
    tenant: Tenant = "default",
    scopes: Annotated[str, typer.Option(help="Comma-separated scopes, or all.")] = "all",
    label: Annotated[str, typer.Option(help="What the key is for.")] = "cli",
    kind: Annotated[ActorKind, typer.Option(help="Who will use it: human, agent or service.")] = ActorKind.HUMAN,
    agent: Annotated[str | None, typer.Option(help="The agent that will use it; registered if it is new.")] = None,
    owner: Annotated[str | None, typer.Option(help="On whose behalf the agent acts.")] = None,
    changes_per_hour: Annotated[
        int | None, typer.Option(min=1, max=MAX_CHANGES_PER_HOUR, help="Changes in an hour; by default any number.")
    ] = None,
    job: Annotated[list[str] | None, typer.Option(help="A job that it may see; repeat it. By default all.")] = None,
    no_delete: Annotated[bool, typer.Option(help="It may not delete endpoints or archive jobs.")] = False,
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires; by default never.")] = None,
    stack: Stack = "rubato",
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Create a key and show it, this once."""
    world = _deployed(stack, region)
    expires_at = world.clock.now() + days * DAY if days is not None else None
    draft = KeyDraft(
        label=label,
        kind=kind if agent is None else ActorKind.AGENT,
        scopes=parse_scopes(scopes),
        expires_at=expires_at,
        budget=Budget(
            changes_per_hour=changes_per_hour, job_ids=frozenset(job) if job else None, may_delete=not no_delete
        ),
    )
    key, token = _create(world, operator(tenant), draft, agent, owner)
    if as_json:
        typer.echo(json.dumps({**_view(key), "apiKey": token}))
    else:
        typer.echo(token)
        typer.echo(f"{key.key_id} of tenant {tenant}. Keep it: it is shown only now.", err=True)


@app.command("list")
def list_keys(
    tenant: Tenant = "default", stack: Stack = "rubato", region: Region = None, as_json: AsJson = False
) -> None:
    """List the keys of a tenant."""
    keys = [_view(key) for key in _all_keys(_deployed(stack, region), tenant)]
    if as_json:
        typer.echo(json.dumps(keys))
        return
    table = Table("Key", "Label", "Kind", "Scopes", "Budget", "Created", "Expires", "Used", "Revoked")
    for key in keys:
        scopes = "all" if len(key["scopes"]) == len(Scope) else " ".join(key["scopes"])
        never = "-"
        table.add_row(
            key["keyId"],
            escape(key["label"]),
            key["kind"],
            scopes,
            _short(key["budget"]) if key["budget"] else never,
            key["createdAt"],
            key["expiresAt"] or never,
            key["lastUsedAt"] or never,
            key["revokedAt"] or never,
        )
    Console().print(table)


@app.command()
def revoke(key_id: str, stack: Stack = "rubato", region: Region = None) -> None:
    """Revoke a key; it stops working within the authorizer's cache time (60 s by default)."""
    try:
        manage_keys.revoke_key(_deployed(stack, region), key_id)
    except NotFound as error:
        raise _stop(f"{error}; `rubato keys list` shows the ids") from None
    typer.echo(f"{key_id} is revoked")


def create_key(
    *, outputs: Mapping[str, str], tenant: str, scopes: list[str] | None, label: str, client_kwargs: dict[str, Any]
) -> str:
    """A new key's token, straight in the tables of a stack with these outputs: for the local stack.

    `client_kwargs` as boto3 takes them.
    """
    wanted = parse_scopes(",".join(scopes)) if scopes else ALL_SCOPES
    world = _world(outputs, _RETENTION_DAYS, **client_kwargs)
    draft = KeyDraft(label=label, kind=ActorKind.HUMAN, scopes=wanted)
    return manage_keys.create_key(world, operator(tenant), draft)[1]


def _create(world: AwsWorld, by: Caller, draft: KeyDraft, agent: str | None, owner: str | None) -> tuple[ApiKey, str]:
    if (agent is None) != (owner is None):
        raise _stop("--agent and --owner go together: each agent acts on somebody's behalf")
    try:
        if agent is not None and owner is not None:
            draft = replace(draft, agent_id=agent_named(world, by, agent, owner).agent_id)
        return manage_keys.create_key(world, by, draft)
    except (Conflict, Invalid) as error:
        raise _stop(str(error)) from None


def parse_scopes(text: str) -> frozenset[Scope]:
    """`all` or a comma-separated list; ends the program with a message for an unknown scope."""
    if text == "all":
        return ALL_SCOPES
    known = {scope.value for scope in Scope}
    unknown = [name for name in text.split(",") if name.strip() not in known]
    if unknown:
        raise _stop(f"unknown scope {unknown[0]!r}; choose from {', '.join(sorted(known))}")
    return frozenset(Scope(name.strip()) for name in text.split(","))


def _deployed(stack: str, region: str | None) -> AwsWorld:
    try:
        session = boto3.session.Session(region_name=region)
        found = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except (BotoCoreError, ClientError) as error:
        raise _stop(f"can't read the stack {stack!r}: {error}\nIs it deployed, and are your credentials set?") from None
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
    given = {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}
    return _world(outputs, int(given.get("RunRetentionDays", _RETENTION_DAYS)), region_name=session.region_name)


def _all_keys(world: AwsWorld, tenant: str) -> Iterator[ApiKey]:
    return every(lambda after: manage_keys.list_keys(world, tenant, after=after))


def _world(outputs: Mapping[str, str], retention_days: int, region_name: str | None = None, **client: str) -> AwsWorld:
    credentials = {("host" if name == "endpoint_url" else name): value for name, value in client.items()}
    settings = Settings(
        tables={name: outputs[f"{name.capitalize()}TableName"] for name in ("keys", "audit", "jobs")},
        queue_url=None,
        region=region_name,
        retention_s=retention_days * DAY // SECOND,
        limits=Limits(),
        credentials=credentials,
    )
    return AwsWorld(settings, clock=SystemClock())


def _view(key: ApiKey) -> dict[str, Any]:
    return {
        "keyId": key.key_id,
        "tenant": key.tenant_id,
        "label": key.label,
        "kind": key.kind.value,
        "scopes": sorted(scope.value for scope in key.scopes),
        "agentId": key.agent_id,
        "budget": key.budget.to_plain() if key.budget != UNLIMITED else None,
        "createdAt": to_iso(key.created_at),
        "expiresAt": to_iso(key.expires_at) if key.expires_at is not None else None,
        "lastUsedAt": to_iso(key.last_used_at) if key.last_used_at is not None else None,
        "revokedAt": to_iso(key.revoked_at) if key.revoked_at is not None else None,
    }


def _short(budget: dict[str, Any]) -> str:
    parts = [f"{budget['changesPerHour']} changes/h"] if budget["changesPerHour"] is not None else []
    parts += [f"{len(budget['jobIds'])} job(s)"] if budget["jobIds"] is not None else []
    return ", ".join([*parts, *([] if budget["mayDelete"] else ["no deleting"])])


def _stop(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(1)
